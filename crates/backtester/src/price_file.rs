//! The CSV files of the assessment mode.

use crate::Error;
use std::path::Path;

/// What the assessment mode reads from a price file, row by row in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceFile {
    /// Column `close`.
    pub close: Vec<f64>,
    /// Column `Signal` (1 up, -1 down, 0 none), where there is one.
    pub signal: Option<Vec<f64>>,
}

/// Reads a CSV file with the column `close`, and `Signal` where it has one; other columns are ignored.
///
/// # Errors
/// [`Error::In`] names the file, line and value.
pub fn read_prices(path: &Path) -> Result<PriceFile, Error> {
    let mut table = Table::open(path)?;
    let close = table.column("close").ok_or_else(|| table.lacks("close"))?;
    let signal = table.column("signal");
    let mut file = PriceFile { close: Vec::new(), signal: signal.map(|_| Vec::new()) };
    while let Some(row) = table.next()? {
        file.close.push(row.number(close, "close", "a price above 0", |p| p > 0.0).map_err(|e| e.within(path))?);
        if let (Some(column), Some(signals)) = (signal, &mut file.signal) {
            signals.push(row.number(column, "Signal", "a number", |_| true).map_err(|e| e.within(path))?);
        }
    }
    Ok(file)
}

/// Reads a CSV file with the column `position`, one row for each price row.
///
/// # Errors
/// [`Error::In`] names the file, line and value. An empty or NaN position is refused: it would silently drop bars.
pub fn read_positions(path: &Path) -> Result<Vec<f64>, Error> {
    let mut table = Table::open(path)?;
    let position = table.column("position").ok_or_else(|| table.lacks("position"))?;
    let mut positions = Vec::new();
    while let Some(row) = table.next()? {
        let number = row.number(position, "position", "a finite number, such as -1, 0 or 0.5", |_| true);
        positions.push(number.map_err(|e| e.within(path))?);
    }
    Ok(positions)
}

struct Table<'a> {
    path: &'a Path,
    heads: Vec<String>,
    rows: csv::StringRecordsIntoIter<std::fs::File>,
}

struct Cells {
    line: u64,
    record: csv::StringRecord,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path) -> Result<Self, Error> {
        let unreadable = |e: csv::Error| Error::Unreadable { message: e.to_string() }.within(path);
        let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
        let heads = reader.headers().map_err(unreadable)?;
        let heads = heads.iter().map(|h| h.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        Ok(Self { path, heads, rows: reader.into_records() })
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.heads.iter().position(|h| h.eq_ignore_ascii_case(name))
    }

    fn lacks(&self, column: &'static str) -> Error {
        Error::MissingColumn { column, present: self.heads.join(", ") }.within(self.path)
    }

    fn next(&mut self) -> Result<Option<Cells>, Error> {
        match self.rows.next() {
            None => Ok(None),
            Some(Err(e)) => Err(Error::Unreadable { message: e.to_string() }.within(self.path)),
            Some(Ok(record)) => {
                let line = record.position().map_or(0, csv::Position::line);
                Ok(Some(Cells { line, record }))
            }
        }
    }
}

impl Cells {
    fn number(
        &self,
        column: usize,
        name: &'static str,
        expected: &'static str,
        fits: impl Fn(f64) -> bool,
    ) -> Result<f64, Error> {
        let text = self.record.get(column).unwrap_or_default().trim();
        text.parse().ok().filter(|v: &f64| v.is_finite() && fits(*v)).ok_or_else(|| Error::BadCell {
            line: self.line,
            column: name,
            value: text.to_owned(),
            expected,
        })
    }
}
