//! Any table with a column of texts: Parquet, CSV, TSV, JSON lines. Read in batches; memory does not grow with the file.

mod batch;
mod delimited;
mod json;
mod parquet;

use crate::{Error, Record};
use artifacts::rows::Language;
use batch::Batch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Rows handed on at a time.
const BATCH: usize = 8192;

/// Which column of a table means what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Columns {
    /// The text; without it the first of `text`, `input`, `sentence`, `content`, `headline`, `title` that is there.
    pub text: Option<String>,
    /// The label; without it the first of `label`, `output`, `sentiment` that is there, if any.
    pub label: Option<String>,
    /// The source.
    pub source: Option<String>,
    /// The language, as `en` or `vi`.
    pub language: Option<String>,
    /// What the labels of the table mean: `0` = `negative`. Others stay as they are.
    pub labels: BTreeMap<String, String>,
    /// The language of every row, where no column tells.
    pub all_in: Option<Language>,
}

impl Columns {
    /// Columns and labels from the text of two flags: `text=input,label=output` and `0=negative,1=neutral`.
    ///
    /// # Errors
    /// A part without `=`, or a role that does not exist.
    pub fn parse(map: &str, labels: &str) -> Result<Self, Error> {
        let mut columns = Self::default();
        for part in map.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let bad = |message: String| Error::BadMap { text: map.to_owned(), message };
            let (role, column) = part.split_once('=').ok_or_else(|| bad(format!("`{part}` has no `=`")))?;
            let place = match role.trim() {
                "text" => &mut columns.text,
                "label" => &mut columns.label,
                "source" => &mut columns.source,
                "language" => &mut columns.language,
                other => return Err(bad(format!("there is no `{other}`"))),
            };
            *place = Some(column.trim().to_owned());
        }
        for part in labels.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (code, label) = part.split_once('=').ok_or_else(|| Error::BadLabels { text: labels.to_owned() })?;
            columns.labels.insert(code.trim().to_owned(), label.trim().to_owned());
        }
        Ok(columns)
    }

    /// The places of text, label, source and language in a header.
    fn places(&self, path: &Path, header: &[String]) -> Result<[Option<usize>; 4], Error> {
        let find = |name: &str| {
            let exact = header.iter().position(|h| h == name);
            exact.or_else(|| header.iter().position(|h| h.eq_ignore_ascii_case(name)))
        };
        let place = |role: &'static str, wanted: &Option<String>, usual: &[&str], required: bool| {
            let found = match wanted {
                Some(name) => find(name),
                None => usual.iter().find_map(|name| find(name)),
            };
            if found.is_none() && (required || wanted.is_some()) {
                let wanted = wanted.clone().unwrap_or_else(|| usual.join("` or `"));
                let present = header.join(", ");
                return Err(Error::MissingColumn { path: path.to_owned(), role, wanted, present });
            }
            Ok(found)
        };
        Ok([
            place("text", &self.text, &["text", "input", "sentence", "content", "headline", "title"], true)?,
            place("label", &self.label, &["label", "output", "sentiment"], false)?,
            place("source", &self.source, &[], false)?,
            place("language", &self.language, &[], false)?,
        ])
    }
}

/// Reads a table by the ending of its name and hands its rows on in batches, while the next batch is read.
///
/// # Errors
/// The file is missing, damaged or of no known kind; a column is missing.
pub(crate) fn read(path: &Path, columns: &Columns, visit: &mut dyn FnMut(&[Record])) -> Result<(), Error> {
    std::thread::scope(|scope| {
        // One batch waits, so memory does not grow with the file.
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let (give_back, given_back) = std::sync::mpsc::channel();
        let reader = scope.spawn(move || {
            let mut hand_on = |records| {
                // The other side takes all there is.
                sender.send(records).ok();
                given_back.try_recv().unwrap_or_default()
            };
            by_ending(path, Batch::new(columns, &mut hand_on))
        });
        for records in receiver {
            visit(&records);
            // The reader may be at its end.
            give_back.send(records).ok();
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn by_ending(path: &Path, batch: Batch<'_>) -> Result<(), Error> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "parquet" => parquet::read(path, batch),
        "csv" => delimited::read(path, b',', batch),
        "tsv" => delimited::read(path, b'\t', batch),
        "jsonl" | "ndjson" => json::read(path, batch),
        _ => Err(Error::Unreadable {
            path: path.to_owned(),
            message: format!("`{ending}` is no known kind of table"),
            remedy: "give a .parquet, .csv, .tsv or .jsonl file",
        }),
    }
}

/// How many rows a table has, where its form tells without reading it.
pub(crate) fn rows(path: &Path) -> Result<Option<u64>, Error> {
    let is_parquet = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"));
    if is_parquet { parquet::rows(path).map(Some) } else { Ok(None) }
}

fn unreadable(path: &Path, e: &dyn std::fmt::Display, remedy: &'static str) -> Error {
    let message = e.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    Error::Unreadable { path: path.to_owned(), message, remedy }
}
