use super::market::Closes;
use super::table::{Row, Table};
use anyhow::Context;
use artifacts::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// The first row of one file that is not the same in two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file, relative to the output folder.
    pub file: String,
    /// Which row, among those compared.
    pub row: usize,
    /// The row's time.
    pub t: Timestamp,
    /// The first column that differs; `(row)` where a whole row is missing or new.
    pub column: String,
    /// With the future as it is.
    pub with_future: String,
    /// With another future.
    pub without: String,
    /// How many rows of the file differ.
    pub rows: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, row, t, column, with_future, without, rows } = self;
        write!(f, "{file} row {row} ({t}) column {column}: `{with_future}` against `{without}` ({rows} rows differ)")
    }
}

/// Everything with a time that a subject wrote.
pub(super) struct Outputs {
    tables: BTreeMap<String, Table>,
    pub(super) skipped: Vec<String>,
}

fn parquet_below(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            parquet_below(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "parquet") {
            found.push(path);
        }
    }
    Ok(())
}

/// A long value, cut where a reader has seen enough: around the first place that differs.
fn excerpt(value: &str, other: &str) -> String {
    let same = value.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(60);
    let text: String = value.chars().skip(from).take(160).collect();
    let more = if value.chars().count() > from + 160 { "…" } else { "" };
    format!("{}{text}{more}", if from > 0 { "…" } else { "" })
}

impl Outputs {
    pub(super) fn read(folder: &Path, closes: &Closes, ignored: &[String]) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        parquet_below(folder, &mut files).with_context(|| format!("{}: cannot list", folder.display()))?;
        files.sort();
        let mut outputs = Self { tables: BTreeMap::new(), skipped: Vec::new() };
        for path in files {
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let short = name.rsplit('/').next().unwrap_or(&name).to_owned();
            let ignore = |column: &str| {
                ignored.iter().any(|i| {
                    let (file, of) = i.split_once(':').unwrap_or(("*", i));
                    of == column && (file == "*" || file == name || file == short)
                })
            };
            match Table::read(&path, closes, &ignore)? {
                Some(table) => {
                    outputs.tables.insert(name, table);
                }
                None => outputs.skipped.push(name),
            }
        }
        Ok(outputs)
    }

    pub(super) fn rows(&self) -> u64 {
        self.tables.values().map(|t| t.rows.len() as u64).sum()
    }

    pub(super) fn rows_until(&self, t: Timestamp) -> u64 {
        self.tables.values().flat_map(|table| &table.rows).filter(|r| r.t <= t).count() as u64
    }

    pub(super) fn compared(&self) -> Vec<(String, u64)> {
        self.tables.iter().map(|(name, t)| (name.clone(), t.rows.len() as u64)).collect()
    }

    /// The first difference of each file among rows until `t`.
    pub(super) fn differences(&self, other: &Self, t: Timestamp) -> Vec<Difference> {
        self.compare(other, Some(t))
    }

    /// The earliest difference of all files, among rows until `t` where that is given.
    pub(super) fn first_difference(&self, other: &Self, t: Option<Timestamp>) -> Option<Difference> {
        self.compare(other, t).into_iter().min_by_key(|d| d.t)
    }

    fn compare(&self, other: &Self, t: Option<Timestamp>) -> Vec<Difference> {
        let names: BTreeSet<&String> = self.tables.keys().chain(other.tables.keys()).collect();
        let none = Table::default();
        let mut found = Vec::new();
        for name in names {
            let (ours, theirs) = (self.tables.get(name).unwrap_or(&none), other.tables.get(name).unwrap_or(&none));
            let columns = if ours.columns.is_empty() { &theirs.columns } else { &ours.columns };
            let until = |table: &'_ Table| -> Vec<Row> {
                table.rows.iter().filter(|r| t.is_none_or(|t| r.t <= t)).cloned().collect()
            };
            found.extend(first_of(name, columns, &until(ours), &until(theirs)));
        }
        found
    }

    /// Rows after `t` that are other ones in the other run.
    pub(super) fn changed_after(&self, other: &Self, t: Timestamp) -> u64 {
        let mut changed = 0;
        for (name, ours) in &self.tables {
            let theirs = other.tables.get(name).map(|t| t.rows.as_slice()).unwrap_or_default();
            let theirs: BTreeSet<&[String]> = theirs.iter().filter(|r| r.t > t).map(|r| r.cells.as_slice()).collect();
            changed += ours.rows.iter().filter(|r| r.t > t && !theirs.contains(r.cells.as_slice())).count() as u64;
        }
        changed
    }
}

fn first_of(file: &str, columns: &[String], ours: &[Row], theirs: &[Row]) -> Option<Difference> {
    let unequal = ours.iter().zip(theirs).filter(|(a, b)| a != b).count() + ours.len().abs_diff(theirs.len());
    if unequal == 0 {
        return None;
    }
    let row = ours.iter().zip(theirs).position(|(a, b)| a != b).unwrap_or(ours.len().min(theirs.len()));
    let (a, b) = (ours.get(row), theirs.get(row));
    let t = [a, b].into_iter().flatten().map(|r| r.t).min().unwrap_or_default();
    let (file, rows) = (file.to_owned(), unequal as u64);
    let place = match (a, b) {
        (Some(a), Some(b)) => a.cells.iter().zip(&b.cells).position(|(a, b)| a != b),
        _ => None,
    };
    let cell = |row: Option<&Row>, place: usize| row.and_then(|r| r.cells.get(place)).cloned().unwrap_or_default();
    let whole = |row: Option<&Row>| row.map_or("no such row".to_owned(), |r| r.cells.join(" | "));
    let (column, with_future, without) = match place {
        Some(i) => (columns.get(i).cloned().unwrap_or_default(), cell(a, i), cell(b, i)),
        None => ("(row)".to_owned(), whole(a), whole(b)),
    };
    let (short, other) = (excerpt(&with_future, &without), excerpt(&without, &with_future));
    Some(Difference { file, row, t, column, with_future: short, without: other, rows })
}
