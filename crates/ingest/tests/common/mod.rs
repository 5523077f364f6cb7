//! What the tests of this crate share.
#![allow(dead_code, reason = "not every test file uses everything")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use artifacts::rows::{Language, Sentiment};
use artifacts::{NoProgress, Seed};
use ingest::sentiment::{SentimentConfig, SourceConfig, SourceKind, TextColumns};
use ingest::{Encoding, Options};
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Options without progress and without a Hub.
pub(crate) fn options(seed: u64) -> Options<'static> {
    let hub = hub::HubConfig { endpoint: None, cache_dir: PathBuf::from("none"), token: None, offline: true };
    Options { seed: Seed(seed), force: false, progress: &NoProgress, hub }
}

pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

pub(crate) fn source(name: &str, language: Language, kind: SourceKind, path: &str) -> SourceConfig {
    let (name, path) = (name.to_owned(), path.to_owned());
    let (columns, labels, encoding) = (TextColumns::default(), BTreeMap::new(), Encoding::Auto);
    SourceConfig { name, language, kind, path, columns, labels, encoding }
}

pub(crate) fn config(train_rows: u64, eval_rows: u64, sources: Vec<SourceConfig>) -> SentimentConfig {
    SentimentConfig { train_rows, eval_rows, sources, ..SentimentConfig::default() }
}

/// Writes a Parquet file as other programs do: no metadata of ours.
pub(crate) fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub(crate) fn texts(values: impl IntoIterator<Item = impl Into<String>>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values.into_iter().map(Into::into)))
}

pub(crate) fn integers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// `n` English sentences that are no near duplicates of each other, with labels in turn.
pub(crate) fn sentences(n: usize) -> Vec<(String, Sentiment)> {
    const WORDS: [&str; 24] = [
        "profit",
        "market",
        "steel",
        "harbour",
        "factory",
        "pension",
        "railway",
        "copper",
        "airline",
        "brewery",
        "lawyers",
        "software",
        "forest",
        "insurance",
        "retail",
        "quarter",
        "tunnel",
        "voters",
        "paper",
        "dividend",
        "shipping",
        "turbine",
        "medicine",
        "holiday",
    ];
    let mut state = 12345_u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        WORDS[(state >> 33) as usize % WORDS.len()]
    };
    (0..n)
        .map(|i| {
            let words: Vec<&str> = (0..9).map(|_| word()).collect();
            (format!("the {} said {i} of it was about {}", words[0], words[1..].join(" ")), Sentiment::ALL[i % 3])
        })
        .collect()
}

/// The folder of real data beside the workspace, if it is there.
pub(crate) fn shared() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|a| a.join("shared"))
        .find(|s| s.join("README.md").is_file());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}
