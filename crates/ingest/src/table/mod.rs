//! Foreign tables, row by row: CSV, JSON lines and Parquet with named columns. Memory does not grow with the file
//! (a `.json` file that is one list is the exception).

mod delimited;
mod json;
mod parquet;
mod scan;

use crate::Error;
use artifacts::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How the bytes of a text file are to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// As UTF-8, unless most lines beyond ASCII are not.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8; rows that are not are refused.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Windows-1252, of which the letters of Latin-1 (ISO 8859-1) are a part.
    #[serde(rename = "windows-1252", alias = "latin-1", alias = "iso-8859-1")]
    Windows1252,
}

/// A column by the names it may have, the preferred one first. Names match exactly or else without regard to case.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) names: Vec<String>,
    pub(crate) required: bool,
}

impl Wanted {
    pub(crate) fn required(names: &[String]) -> Self {
        Self { names: names.to_vec(), required: true }
    }

    pub(crate) fn optional(names: &[String]) -> Self {
        Self { names: names.to_vec(), required: false }
    }

    /// The index of this column in a header.
    fn find<S: AsRef<str>>(&self, header: &[S]) -> Option<usize> {
        let exact = self.names.iter().find_map(|n| header.iter().position(|h| h.as_ref() == n));
        exact.or_else(|| self.names.iter().find_map(|n| header.iter().position(|h| h.as_ref().eq_ignore_ascii_case(n))))
    }

    fn missing(&self, path: &Path, present: &[String]) -> Error {
        let present = present.iter().map(|p| if p.is_empty() { "(unnamed)" } else { p }).collect::<Vec<_>>().join(", ");
        Error::MissingColumn { path: path.to_owned(), wanted: self.names.join("` or `"), present }
    }
}

/// One value of a foreign table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Missing,
    Text(String),
    Integer(i64),
    Number(f64),
    List(Vec<String>),
    Time(Timestamp),
}

impl Cell {
    /// The value as text; nothing where it is missing or blank.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Text(t) => Some(t.clone()).filter(|t| !t.trim().is_empty()),
            Self::Integer(i) => Some(i.to_string()),
            Self::Number(n) => Some(n.to_string()),
            Self::List(items) => Some(items.join(", ")).filter(|t| !t.trim().is_empty()),
            Self::Time(t) => Some(t.to_string()),
        }
    }

    /// The value as a number: nothing where it is missing or blank.
    ///
    /// # Errors
    /// The text, where it is not a number.
    pub(crate) fn number(&self) -> Result<Option<f64>, String> {
        match self {
            Self::Number(n) => Ok(Some(*n)),
            Self::Integer(i) => Ok(Some(*i as f64)),
            other => match other.text() {
                None => Ok(None),
                Some(text) => text.trim().parse().map(Some).map_err(|_| text),
            },
        }
    }
}

/// One row: its number from 0 and the wanted cells, or what makes it unreadable.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) number: u64,
    pub(crate) content: Result<Vec<Cell>, Fault>,
}

/// Why a row cannot be read at all.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
    /// The row as found, lossy.
    pub(crate) raw: String,
}

/// Who gets the rows.
pub(crate) type Visit<'a> = dyn FnMut(Record) -> Result<(), Error> + 'a;

/// Reads a table by the ending of its name and hands each row to `visit`. Returns the number of rows.
pub(crate) fn read(path: &Path, wanted: &[Wanted], visit: &mut Visit<'_>) -> Result<u64, Error> {
    read_as(path, Encoding::Auto, wanted, visit)
}

/// [`read`] with the encoding of CSV given. (JSON is always UTF-8, Parquet has no encoding.)
pub(crate) fn read_as(path: &Path, encoding: Encoding, wanted: &[Wanted], visit: &mut Visit<'_>) -> Result<u64, Error> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "csv" => delimited::read(path, b',', encoding, wanted, visit),
        "tsv" => delimited::read(path, b'\t', encoding, wanted, visit),
        "jsonl" | "ndjson" => json::read_lines(path, wanted, visit),
        "json" => json::read_list(path, wanted, visit),
        "parquet" => parquet::read(path, wanted, visit),
        _ => Err(crate::error::unreadable(
            path,
            &format!("`{ending}` is no known table"),
            "give a .csv, .tsv, .jsonl, .json or .parquet file",
        )),
    }
}

/// The endings of tables, most preferred first.
pub(crate) const ENDINGS: [&str; 6] = [".parquet", ".jsonl", ".ndjson", ".csv", ".tsv", ".json"];
