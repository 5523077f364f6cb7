//! What a killed run leaves: every decision so far, and a checkpoint of bounded size to go on from.
//!
//! The journal grows by one line a decision and is synced before the checkpoint that counts it is renamed into place. A kill
//! between the two leaves a line that no checkpoint counts; it is cut off, and its bar decided anew, with the same outcome.

use super::desk::StepRows;
use super::ledger::Ledger;
use super::state::Saved;
use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Of the inputs and settings: a changed run begins anew.
    pub fingerprint: String,
    /// Decisions made.
    pub decisions: u64,
    /// Bytes of the journal that they take.
    pub bytes: u64,
    /// Place of the next trace.
    pub step: u64,
    /// What was taken.
    pub ledger: Ledger,
    /// Each symbol's past.
    pub states: BTreeMap<String, Saved>,
}

/// The file of decisions with its checkpoint.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    bytes: u64,
}

const FOLDER: &str = "progress";

impl Journal {
    /// The journal below a stage's folder, and the checkpoint to go on from, if one of this fingerprint was left.
    ///
    /// # Errors
    /// The files cannot be read or written.
    pub fn open(stage: &Path, fingerprint: &str) -> Result<(Self, Option<Checkpoint>), Error> {
        let folder = stage.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|e| failed(&folder, "make folder", &e))?;
        let path = folder.join("journal.jsonl");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(|e| failed(&path, "open", &e))?;
        let length = file.metadata().map_err(|e| failed(&path, "measure", &e))?.len();
        let checkpoint =
            read(&folder.join("checkpoint.json")).filter(|c| c.fingerprint == fingerprint && c.bytes <= length);
        let bytes = checkpoint.as_ref().map_or(0, |c| c.bytes);
        file.set_len(bytes).map_err(|e| failed(&path, "cut", &e))?;
        file.seek(SeekFrom::End(0)).map_err(|e| failed(&path, "seek in", &e))?;
        Ok((Self { folder, file, bytes }, checkpoint))
    }

    /// Adds a decision. It counts once a checkpoint counts it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, rows: &StepRows) -> Result<(), Error> {
        let path = self.folder.join("journal.jsonl");
        let mut line = serde_json::to_vec(rows).map_err(|e| failed(&path, "write", &e))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|e| failed(&path, "write", &e))?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Says where the run stands, once everything before is on the disk.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn checkpoint(&mut self, checkpoint: &mut Checkpoint) -> Result<(), Error> {
        let path = self.folder.join("journal.jsonl");
        self.file.sync_data().map_err(|e| failed(&path, "sync", &e))?;
        checkpoint.bytes = self.bytes;
        let bytes = serde_json::to_vec(checkpoint).map_err(|e| failed(&path, "write", &e))?;
        Ok(artifacts::write_bytes(&self.folder.join("checkpoint.json"), &bytes)?)
    }

    /// Every decision so far, one at a time.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it is damaged.
    pub fn read(&self) -> Result<impl Iterator<Item = Result<StepRows, Error>> + use<>, Error> {
        let path = self.folder.join("journal.jsonl");
        let file = File::open(&path).map_err(|e| failed(&path, "open", &e))?;
        Ok(BufReader::new(file).lines().enumerate().map(move |(number, line)| {
            let line = line.map_err(|e| failed(&path, "read", &e))?;
            serde_json::from_str(&line).map_err(|e| failed(&path, "read", &format!("line {}: {e}", number + 1)))
        }))
    }

    /// Removes both files: the run is complete.
    pub fn remove(self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// A checkpoint that can be read. One that cannot is no reason to stop: the run begins anew.
fn read(path: &Path) -> Option<Checkpoint> {
    let bytes = std::fs::read(path).ok()?;
    serde_json::from_slice(&bytes).map_err(|e| tracing::warn!("{}: {e}; begins anew", path.display())).ok()
}

fn failed(path: &Path, action: &'static str, error: &dyn std::fmt::Display) -> Error {
    Error::Journal { path: path.to_owned(), action, message: error.to_string() }
}
