//! Puts an adapter on the Hub, with a card.

use crate::card::card;
use crate::{Error, model_files};
use artifacts::{Manifest, write_bytes};
use hub::{Hub, HubPath};
use std::path::Path;

/// Commits the files of `adapter` (a folder that training wrote, its manifest beside it) and a model card to `repo`, which
/// is made where it does not exist. Returns the address of the commit, if the Hub tells.
///
/// # Errors
/// No adapter or no manifest there; the adapter is not the one that the manifest records; the Hub refuses.
pub fn run(hub: &Hub, adapter: &Path, repo: &str, private: bool, message: &str) -> Result<Option<String>, Error> {
    let name = adapter.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stage = adapter.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let manifest = Manifest::read(stage)?.ok_or_else(|| Error::NoManifest { folder: stage.into() })?;
    let recorded = manifest.output(&name).ok_or_else(|| Error::NoManifest { folder: stage.into() })?;
    if recorded.blake3 != artifacts::hash_path(adapter)? {
        return Err(Error::OtherAdapter { folder: adapter.into() });
    }
    // A copy: a card in the folder itself would make it another than the manifest records.
    let staging = Staging::new(stage)?;
    for file in [lora::CONFIG_FILE, lora::MODEL_FILE] {
        write_bytes(&staging.0.join(file), &model_files::read(&adapter.join(file))?)?;
    }
    write_bytes(&staging.0.join("README.md"), card(&manifest, repo).as_bytes())?;
    Ok(hub.push_folder(&HubPath::model(repo), &staging.0, message, private)?)
}

/// A folder that is gone when it is dropped.
struct Staging(std::path::PathBuf);

impl Staging {
    fn new(beside: &Path) -> Result<Self, Error> {
        let folder = beside.join(format!(".push.{}.seafin.tmp", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|source| artifacts::Error::Io {
            path: folder.clone(),
            action: "make folder",
            source,
        })?;
        Ok(Self(folder))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
