//! Where a stage's files come from: what was read, with which settings, and what came out.

use crate::{Error, Result, Seed, write_bytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The name of the manifest in a stage's folder.
pub const MANIFEST: &str = "manifest.json";

/// One file or folder that a stage read or wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Outputs: name within the stage's folder. Inputs within the same run: `../stage/file`. Others: as given.
    pub path: String,
    /// blake3 of the content, in hexadecimal.
    pub blake3: String,
    /// Row type, version and number of rows, for Parquet outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowsRecord>,
}

/// What a Parquet output holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsRecord {
    /// Name of the row type.
    pub row: String,
    /// Its schema version.
    pub version: u32,
    /// How many.
    pub count: u64,
}

/// The lineage of one stage's folder (`manifest.json`). Equal inputs, settings and code give an equal manifest, byte
/// for byte; what differs from run to run (time, memory) is in `runtime.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The stage's name.
    pub stage: String,
    /// Raised when the stage's output changes for the same input.
    pub stage_version: u32,
    /// Version of the crate that ran.
    pub code_version: String,
    /// The run's seed.
    pub seed: Seed,
    /// All settings, resolved.
    pub config: serde_json::Value,
    /// What was read.
    pub inputs: Vec<FileRecord>,
    /// What was written.
    pub outputs: Vec<FileRecord>,
    /// Rows read.
    pub rows_in: u64,
    /// Rows kept.
    pub rows_kept: u64,
    /// Rows refused, by reason.
    pub rows_rejected: BTreeMap<String, u64>,
    /// The stage's own headline figures.
    pub facts: BTreeMap<String, serde_json::Value>,
}

impl Manifest {
    /// Reads the manifest of a stage's folder; none where there is none.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|e| Error::BadManifest { path, message: e.to_string() }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { path, action: "read", source }),
        }
    }

    /// Writes it into a stage's folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST);
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::BadManifest { path: path.clone(), message: e.to_string() })?;
        bytes.push(b'\n');
        write_bytes(&path, &bytes)
    }

    /// The record of the output called `name`.
    pub fn output(&self, name: &str) -> Option<&FileRecord> {
        self.outputs.iter().find(|o| o.path == name)
    }
}

/// The name of the file with time and memory in a stage's folder.
pub const RUNTIME: &str = "runtime.json";

/// blake3 of a file, or of a folder: of the names and hashes of all files in it, in order of name. A folder's
/// [`RUNTIME`] does not count: it differs between runs that are otherwise equal.
pub fn hash_path(path: &Path) -> Result<String> {
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => Error::Missing { path: path.into() },
        _ => Error::Io { path: path.into(), action: "read", source },
    };
    let mut hasher = blake3::Hasher::new();
    if path.is_dir() {
        for file in files_below(path).map_err(io)? {
            let name = file.strip_prefix(path).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            hasher.update(name.as_bytes()).update(b"\0").update(hash_path(&file)?.as_bytes());
        }
    } else {
        hasher.update_reader(File::open(path).map_err(io)?).map_err(io)?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else if path.file_name().is_none_or(|name| name != RUNTIME) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
