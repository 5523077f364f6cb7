use crate::Error;
use artifacts::Seed;
use artifacts::rows::{Candidate, Sentiment, Verdict};
use rand::seq::SliceRandom;
use stats::classification::wilson_interval;
use std::path::Path;

/// The columns of the review file.
const COLUMNS: [&str; 5] = ["number", "label", "text", "correct", "comment"];

/// Kept candidates for a person to check: `n` of them, of each label a third, in random order, with an empty column `correct`
/// to fill in with `y` or `n`. As CSV, because every spreadsheet opens it; beginning with a mark that tells spreadsheets
/// that it is UTF-8.
pub fn review_file(candidates: &[Candidate], n: usize, seed: Seed) -> Vec<u8> {
    let mut some: Vec<&Candidate> = Vec::new();
    let labels = Sentiment::ALL.len();
    for (i, label) in Sentiment::ALL.iter().enumerate() {
        let mut of: Vec<&Candidate> =
            candidates.iter().filter(|c| c.verdict == Verdict::Kept && c.intended == *label).collect();
        of.shuffle(&mut seed.derive(label.as_str()).rng());
        some.extend(of.into_iter().take(n / labels + usize::from(i < n % labels)));
    }
    some.shuffle(&mut seed.derive("order").rng());
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(
        some.iter()
            .map(|c| [c.number.to_string(), c.intended.to_string(), c.text.clone(), String::new(), String::new()]),
    );
    for row in rows {
        // Memory does not run out of room for a hundred lines.
        writer.write_record(row).ok();
    }
    writer.into_inner().unwrap_or_default()
}

/// Puts the review file into a folder, unless the same rows are there already: what a person has filled in is never
/// overwritten. A filled-in file of other rows is kept as `review-old.csv`.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn put_review(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Ok(old) = std::fs::read(path) {
        if rows_of(&old) == rows_of(bytes) {
            return Ok(());
        }
        let filled = records(&old).iter().any(|record| record.get(3).is_some_and(|c| !c.trim().is_empty()));
        if filled {
            artifacts::write_bytes(&path.with_file_name("review-old.csv"), &old)?;
        }
    }
    Ok(artifacts::write_bytes(path, bytes)?)
}

fn records(bytes: &[u8]) -> Vec<csv::StringRecord> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    csv::ReaderBuilder::new().flexible(true).from_reader(bytes).records().filter_map(Result::ok).collect()
}

/// Number, label and text of each row.
fn rows_of(bytes: &[u8]) -> Vec<Vec<String>> {
    records(bytes).iter().map(|record| record.iter().take(3).map(str::to_owned).collect()).collect()
}

/// What a person found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Review {
    /// Rows of the file.
    pub rows: u64,
    /// Rows that were checked.
    pub checked: u64,
    /// Checked rows whose label is right.
    pub correct: u64,
    /// The 95 % interval (Wilson) of the share of right labels among all kept rows; none before the first is checked.
    pub interval: Option<(f64, f64)>,
}

/// Reads a review file that was filled in, in whole or in part. Semicolons and tabs, which some spreadsheets write, will do.
///
/// # Errors
/// The file cannot be read, lacks a column, or has something else than yes or no in `correct`; the error names the row.
pub fn read_review(path: &Path) -> Result<Review, Error> {
    let bad = |message: String| Error::Review { path: path.to_owned(), message };
    let bytes = std::fs::read(path).map_err(|e| bad(format!("cannot read: {e}")))?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| first.split(|b| b == d).count());
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter.unwrap_or(b',')).flexible(true).from_reader(bytes);
    let headers = reader.headers().map_err(|e| bad(e.to_string()))?.clone();
    let column = headers.iter().position(|h| h.trim() == "correct");
    let column = column.ok_or_else(|| {
        bad(format!("there is no column `correct`; it has {}", headers.iter().collect::<Vec<_>>().join(", ")))
    })?;
    let mut review = Review { rows: 0, checked: 0, correct: 0, interval: None };
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|e| bad(e.to_string()))?;
        review.rows += 1;
        let said = record.get(column).unwrap_or_default().trim().to_lowercase();
        let right = match said.as_str() {
            "" => continue,
            "y" | "yes" | "1" | "true" | "đúng" => true,
            "n" | "no" | "0" | "false" | "sai" => false,
            _ => return Err(Error::ReviewRow { path: path.to_owned(), row: row as u64 + 1, found: said }),
        };
        review.checked += 1;
        review.correct += u64::from(right);
    }
    review.interval = wilson_interval(review.correct, review.checked, 0.95);
    Ok(review)
}
