use crate::Error;
use hub::{Hub, HubConfig, Source};
use std::path::{Path, PathBuf};

/// A file of a source.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    /// Its path within the source, by which splits are told.
    pub(crate) name: String,
    /// Where it lies now.
    pub(crate) path: PathBuf,
}

/// The files behind a `path` setting: a file; all files of a folder with one of the endings, in order of name; or the same on the
/// Hub. Where a folder has files of several endings, those of the first ending that occurs are taken.
pub(crate) fn locate(
    path: &str,
    name: &str,
    data: &Path,
    hub: &HubConfig,
    endings: &[&str],
) -> Result<Vec<Located>, Error> {
    match Source::parse(path)? {
        Source::Local(path) => locate_here(&data.join(path), name, endings),
        Source::Hub(at) => {
            let hub = Hub::new(hub.clone())?;
            if endings.iter().any(|e| at.path.ends_with(e)) {
                return Ok(vec![Located { name: at.path.clone(), path: hub.fetch_file(&at)? }]);
            }
            let mut failure = None;
            for ending in endings {
                match hub.fetch_matching(&at, ending) {
                    Ok(files) => return Ok(files.into_iter().map(|(name, path)| Located { name, path }).collect()),
                    Err(e @ hub::Error::NoMatch { .. }) => failure = failure.or(Some(e)),
                    Err(e) => return Err(e.into()),
                }
            }
            Err(failure.map_or_else(|| Error::BadConfig(format!("{path}: no file ending to look for")), Error::Hub))
        }
    }
}

fn locate_here(path: &Path, name: &str, endings: &[&str]) -> Result<Vec<Located>, Error> {
    if path.is_file() {
        let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(vec![Located { name: file, path: path.to_owned() }]);
    }
    if !path.is_dir() {
        return Err(Error::Missing { path: path.to_owned(), name: name.to_owned() });
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|e| crate::error::unreadable(&folder, &e, "check the rights of the folder"))?;
        for entry in entries.flatten() {
            let at = entry.path();
            if at.is_dir() {
                folders.push(at);
            } else if let Ok(within) = at.strip_prefix(path) {
                files.push(Located { name: within.to_string_lossy().replace('\\', "/"), path: at });
            }
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    for ending in endings {
        let chosen: Vec<_> = files.iter().filter(|f| f.name.ends_with(ending)).cloned().collect();
        if !chosen.is_empty() {
            return Ok(chosen);
        }
    }
    Err(Error::NoFiles { path: path.to_owned(), name: name.to_owned(), expected: endings.join(" or ") })
}
