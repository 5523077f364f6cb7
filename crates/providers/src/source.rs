use crate::Error;
use hub::{Hub, HubConfig};
use std::path::{Path, PathBuf};

/// The folder of a model given as a folder, `hf://org/name[@revision]` or `org/name`. What exists on this machine wins;
/// anything else that looks like a Hub id is downloaded (or found in the Hub's cache).
///
/// # Errors
/// [`Error::NoModel`] for a folder without `config.json` or a path that is no Hub id either; what the Hub says otherwise.
pub fn find_model(source: &str, hub: &HubConfig) -> Result<PathBuf, Error> {
    let path = Path::new(source);
    if path.is_dir() {
        check_model(path)?;
        return Ok(path.to_owned());
    }
    // `models/tiny` with a folder `models` here is a mistyped path; asking the Hub for it would only confuse.
    let beside = path.parent().is_some_and(|parent| !parent.as_os_str().is_empty() && parent.is_dir());
    if is_hub_id(source) && !beside {
        return Ok(Hub::new(hub.clone())?.fetch_model(source)?);
    }
    Err(Error::NoModel { path: path.to_owned(), file: "the folder itself" })
}

/// Whether something can be a Hub id: `org/name`, two parts and nothing that only a path has.
fn is_hub_id(source: &str) -> bool {
    let id = source.strip_prefix("hf://").unwrap_or(source);
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\\', ' ']);
    source.starts_with("hf://")
        || id.split_once('/').is_some_and(|(organisation, name)| plain(organisation) && plain(name))
}

/// Whether the files that every model has are there.
pub(crate) fn check_model(folder: &Path) -> Result<(), Error> {
    for file in ["config.json", "tokenizer.json"] {
        if !folder.join(file).is_file() {
            return Err(Error::NoModel { path: folder.to_owned(), file });
        }
    }
    Ok(())
}

/// Whether a PEFT folder's files are there.
pub(crate) fn check_adapter(folder: &Path) -> Result<(), Error> {
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        if !folder.join(file).is_file() {
            return Err(Error::NoAdapter { path: folder.to_owned(), file });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_plain_parts_are_a_hub_id() {
        assert!(is_hub_id("org/name") && is_hub_id("hf://org/name@main"));
        for path in ["name", "./org/name", "/org/name", "../name", "a/b/c", "org/", "org/na me"] {
            assert!(!is_hub_id(path), "{path}");
        }
    }
}
