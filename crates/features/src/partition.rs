//! Partitions: stretches of one symbol's values, each stored under the hash of everything it depends on. Where that hash is there
//! already, nothing is computed.

use crate::{Context, Error, Fold, Span, State};
use artifacts::rows::{Bar, FeaturePartition, Observation};
use artifacts::{hash_path, read_all, write_all, write_bytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of the partitions, within the stage's folder. It is a cache, so it is hidden and no manifest lists it.
pub(crate) const FOLDER: &str = ".partitions";

/// What lies beside a partition's values.
#[derive(Serialize, Deserialize)]
struct Beside {
    /// blake3 of the file of values: what was altered or damaged is made again.
    values_blake3: String,
    /// The state after the partition.
    state: State,
}

/// The stored partitions of a folder.
pub(crate) struct Store {
    folder: PathBuf,
    /// What is there counts (not so under `--force`).
    trusted: bool,
    used: BTreeSet<String>,
    pub(crate) computed: u64,
    pub(crate) reused: u64,
}

impl Store {
    pub(crate) fn new(out: &Path, trusted: bool) -> Self {
        Self { folder: out.join(FOLDER), trusted, used: BTreeSet::new(), computed: 0, reused: 0 }
    }

    /// The values of one partition and its row; `state` moves behind it.
    pub(crate) fn values(
        &mut self,
        fold: &Fold,
        state: &mut State,
        context: &Context,
        bars: &[Bar],
    ) -> Result<(Vec<Observation>, FeaturePartition), Error> {
        let input_hash = input_hash(fold, state, context, bars)?;
        let (file, beside) = (format!("{input_hash}.parquet"), format!("{input_hash}.json"));
        let stored = if self.trusted { self.stored(&file, &beside) } else { None };
        let values = if let Some((values, after)) = stored {
            self.reused += 1;
            *state = after;
            values
        } else {
            self.computed += 1;
            let mut values = Vec::new();
            for bar in bars {
                fold.step(state, context, bar, &mut values)?;
            }
            let path = self.folder.join(&file);
            write_all(&path, &values)?;
            let content = Beside { values_blake3: hash_path(&path)?, state: state.clone() };
            write_bytes(&self.folder.join(&beside), &json(&content)?)?;
            values
        };
        let row = FeaturePartition {
            symbol: state.symbol().to_owned(),
            from: bars.first().map(|b| b.event_at).unwrap_or_default(),
            file: format!("{FOLDER}/{file}"),
            input_hash,
            values: values.len() as u64,
        };
        self.used.extend([file, beside]);
        Ok((values, row))
    }

    fn stored(&self, file: &str, beside: &str) -> Option<(Vec<Observation>, State)> {
        let path = self.folder.join(file);
        let content: Beside = serde_json::from_slice(&std::fs::read(self.folder.join(beside)).ok()?).ok()?;
        if hash_path(&path).ok()? != content.values_blake3 {
            tracing::warn!("{}: altered since it was written; computed again", path.display());
            return None;
        }
        Some((read_all(&path).ok()?, content.state))
    }

    /// Removes what no partition of this run uses.
    pub(crate) fn sweep(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            if !self.used.contains(entry.file_name().to_string_lossy().as_ref()) {
                std::fs::remove_file(entry.path()).ok();
            }
        }
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|e| Error::State { message: e.to_string() })
}

/// Bars in the order in which they could be known, cut where the calendar turns.
pub(crate) fn cut(bars: &[Bar], span: Span) -> Vec<&[Bar]> {
    bars.chunk_by(|a, b| span.of(a.event_at) == span.of(b.event_at)).collect()
}

/// The hash of all that the values of `bars` depend on: the definitions, the state before, and every row that becomes known in between.
fn input_hash(fold: &Fold, state: &State, context: &Context, bars: &[Bar]) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fold.hash().as_bytes());
    hasher.update(&json(state)?);
    for bar in bars {
        let Bar { symbol, event_at, available_at, open, high, low, close, volume } = bar;
        hasher.update(b"bar").update(symbol.as_bytes());
        hasher.update(&event_at.micros().to_le_bytes()).update(&available_at.micros().to_le_bytes());
        for number in [open, high, low, &Some(*close), volume] {
            hasher.update(&[u8::from(number.is_some())]).update(&number.unwrap_or(0.0).to_le_bytes());
        }
    }
    if let Some(last) = bars.last() {
        for o in context.new_observations(state.known_at(), last.available_at) {
            hasher.update(b"observation").update(o.name.as_bytes()).update(&[0]);
            hasher.update(&o.event_at.micros().to_le_bytes()).update(&o.available_at.micros().to_le_bytes());
            hasher.update(&o.value.to_le_bytes());
        }
        // Features count texts: their words are no input.
        for n in context.new_news(state.known_at(), last.available_at) {
            hasher.update(b"news").update(n.source.as_bytes()).update(&[0]);
            hasher.update(&n.event_at.micros().to_le_bytes()).update(&n.available_at.micros().to_le_bytes());
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}
