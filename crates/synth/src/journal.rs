use crate::judges::Judgement;
use crate::{Error, Style};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// What a model said about one candidate: all that is dear to make again. Everything else follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    /// How its tokens were chosen in the end.
    pub(crate) style: Style,
    pub(crate) prompt: String,
    pub(crate) response: String,
    pub(crate) finished: bool,
    pub(crate) canonical: bool,
    pub(crate) judgement: Option<Judgement>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    journal_of: String,
}

/// A file that grows by one line for each candidate, so that a killed run goes on where it was. Lines of another run, and a
/// line cut off in the middle, do not count.
pub struct Journal {
    path: PathBuf,
    file: File,
    entries: BTreeMap<u64, Entry>,
}

impl Journal {
    /// Opens the journal of the run with this fingerprint, and begins a new one where the file is of another.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(path: &Path, fingerprint: &str) -> Result<Self, Error> {
        let fail = |source| Error::Journal { path: path.to_owned(), source };
        let (entries, good) = read(path, fingerprint);
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(fail)?;
        file.set_len(good).map_err(fail)?;
        let mut journal = Self { path: path.to_owned(), file, entries };
        if good == 0 {
            journal.line(&Header { journal_of: fingerprint.to_owned() })?;
        }
        Ok(journal)
    }

    /// Candidates on record.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is on record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Entry> {
        self.entries.get(&number)
    }

    /// Adds those that are not on record yet and waits until they are on the disk.
    pub(crate) fn add(&mut self, entries: &[Entry]) -> Result<(), Error> {
        let new: Vec<&Entry> = entries.iter().filter(|e| self.entries.get(&e.number) != Some(*e)).collect();
        for entry in &new {
            self.line(entry)?;
        }
        if !new.is_empty() {
            self.file.sync_data().map_err(|source| Error::Journal { path: self.path.clone(), source })?;
        }
        Ok(())
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let mut line = serde_json::to_vec(value).unwrap_or_default();
        line.push(b'\n');
        self.file.write_all(&line).map_err(|source| Error::Journal { path: self.path.clone(), source })
    }

    /// Removes the file: the run is complete.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        std::fs::remove_file(&self.path).map_err(|source| Error::Journal { path: self.path.clone(), source })
    }
}

/// The entries of a journal and the length of its readable part; nothing of a journal of another run.
fn read(path: &Path, fingerprint: &str) -> (BTreeMap<u64, Entry>, u64) {
    let mut entries = BTreeMap::new();
    let mut good = 0;
    let Ok(file) = File::open(path) else { return (entries, 0) };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) && line.ends_with(b"\n") {
        if good == 0 {
            let ours = serde_json::from_slice::<Header>(&line).is_ok_and(|h| h.journal_of == fingerprint);
            if !ours {
                return (entries, 0);
            }
        } else if let Ok(entry) = serde_json::from_slice::<Entry>(&line) {
            // A later line about the same candidate knows more: its judgement came after the text.
            entries.insert(entry.number, entry);
        } else {
            break;
        }
        good += line.len() as u64;
        line.clear();
    }
    (entries, good)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        let judgement = Judgement { classifier: Some([0.1, 0.2, 0.7]), score: None, vote: Some([0.0, 0.125, 0.875]) };
        Entry {
            number,
            style: Style::TopP,
            prompt: "Good news:".into(),
            response: "Lãi tăng\n\"mạnh\"".into(),
            finished: true,
            canonical: true,
            judgement: number.is_multiple_of(2).then_some(judgement),
        }
    }

    #[test]
    fn what_was_written_comes_back_and_a_torn_line_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, "run 1").unwrap();
        journal.add(&[entry(0), entry(1)]).unwrap();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"number\":2,\"prom").unwrap();
        drop(file);
        let mut journal = Journal::open(&path, "run 1").unwrap();
        assert_eq!((journal.len(), journal.get(0), journal.get(1)), (2, Some(&entry(0)), Some(&entry(1))));
        journal.add(&[entry(1), entry(2)]).unwrap();
        drop(journal);
        let journal = Journal::open(&path, "run 1").unwrap();
        assert_eq!((journal.len(), journal.get(2)), (3, Some(&entry(2))));
    }

    #[test]
    fn a_journal_of_another_run_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, "run 1").unwrap();
        journal.add(&[entry(0)]).unwrap();
        drop(journal);
        assert!(Journal::open(&path, "run 2").unwrap().is_empty());
        assert!(Journal::open(&path, "run 1").unwrap().is_empty(), "the first was overwritten");
    }
}
