//! The append-only log of one symbol's finished bars.
//!
//! A log is a folder:
//!
//! | file | what |
//! |---|---|
//! | `log.json` | `{"symbol": …, "interval_seconds": …}`, written once |
//! | `bars-000001.parquet`, `bars-000002.parquet`, … | segments of [`Bar`] rows, read in the order of their names. Within a segment and from one to the next, `event_at` grows. Each appears whole (temporary file, fsync, rename) and never changes |
//! | `rejected-000001.parquet`, … | [`Rejected`] rows: what came too late, twice with other values, or broken. `row` is the number of the message, `raw_label` its time |
//! | `end.json` | [`End`]. While it is missing more segments may come; once it is there, none will |
//!
//! A reader that follows the folder reads each segment once, in order, waits for the next number, and stops when `end.json` names no
//! more segments than it has read. A writer that was killed leaves whole segments only (and at most a temporary file, whose name ends in
//! `.seafin.tmp`); it goes on after the last of them. Bars that were not in a segment yet come again or are fetched; rejected rows that
//! were not in a file yet (at most `flush_seconds` old) are lost with it.

use super::Counts;
use crate::Error;
use artifacts::rows::{Bar, Rejected};
use artifacts::{Reader, Timestamp, read_all, remove_stale_temporaries, write_all, write_bytes};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const HEADER: &str = "log.json";
const END: &str = "end.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    symbol: String,
    interval_seconds: i64,
}

/// What `end.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How many segments there are.
    pub segments: u32,
    /// How many bars they hold.
    pub bars: u64,
    /// The first bar's `event_at`.
    pub first: Option<Timestamp>,
    /// The last bar's `event_at`.
    pub last: Option<Timestamp>,
    /// What happened on the way, since the writer was last started.
    pub counts: Counts,
}

/// A log open for writing. One writer at a time.
#[derive(Debug)]
pub struct EventLog {
    folder: PathBuf,
    segment_bars: usize,
    segments: u32,
    rejections: u32,
    bars: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    buffer: Vec<Bar>,
    refused: Vec<Rejected>,
}

impl EventLog {
    /// Opens a folder, new or not. Returns the log and the bars it holds.
    ///
    /// # Errors
    /// The folder holds the log of another symbol or interval, or its segments are out of order.
    pub fn open(
        folder: &Path,
        symbol: &str,
        interval_seconds: i64,
        segment_bars: usize,
    ) -> Result<(Self, Vec<Bar>), Error> {
        remove_stale_temporaries(folder)?;
        let header = Header { symbol: symbol.to_owned(), interval_seconds };
        let path = folder.join(HEADER);
        if let Ok(bytes) = std::fs::read(&path) {
            let found: Header = serde_json::from_slice(&bytes).map_err(|e| broken(&path, e.to_string()))?;
            if found != header {
                let message = format!(
                    "it is the log of {} every {} s, not of {symbol} every {interval_seconds} s",
                    found.symbol, found.interval_seconds
                );
                return Err(broken(&path, message));
            }
        } else {
            write_bytes(&path, serde_json::to_string(&header).unwrap_or_default().as_bytes())?;
        }
        let logged = read_log(folder)?;
        let log = Self {
            folder: folder.to_owned(),
            segment_bars: segment_bars.max(1),
            segments: segments(folder)?.len() as u32,
            rejections: numbered(folder, "rejected-")?.len() as u32,
            bars: logged.len() as u64,
            first: logged.first().map(|b| b.event_at),
            last: logged.last().map(|b| b.event_at),
            buffer: Vec::new(),
            refused: Vec::new(),
        };
        Ok((log, logged))
    }

    /// What a log that ended says; none for one that did not, or whose `end.json` is damaged: following it ends it again.
    ///
    /// # Errors
    /// It says another number of segments or bars than there are, or a segment is damaged: such a log is not complete.
    pub fn ended(folder: &Path) -> Result<Option<End>, Error> {
        let path = folder.join(END);
        let end: Option<End> = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(end) = end else { return Ok(None) };
        let found = segments(folder)?;
        if found.len() != end.segments as usize {
            let message = format!("the log ended with {} segments, there are {}", end.segments, found.len());
            return Err(broken(&path, message));
        }
        let mut bars = 0;
        for segment in &found {
            let damaged = |_| broken(segment, "this segment of a log that ended is damaged".to_owned());
            for batch in Reader::<Bar>::open(segment).map_err(damaged)? {
                bars += batch.map_err(damaged)?.len() as u64;
            }
        }
        if bars != end.bars {
            return Err(broken(&path, format!("the log ended with {} bars, there are {bars}", end.bars)));
        }
        Ok(Some(end))
    }

    /// Adds bars; a full segment is written at once.
    pub fn append(&mut self, bars: Vec<Bar>) -> Result<(), Error> {
        for bar in bars {
            self.first = self.first.or(Some(bar.event_at));
            self.last = Some(bar.event_at);
            self.bars += 1;
            self.buffer.push(bar);
            if self.buffer.len() >= self.segment_bars {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Adds refused rows.
    pub fn refuse(&mut self, rows: Vec<Rejected>) {
        self.refused.extend(rows);
    }

    /// Writes what is not written yet.
    pub fn flush(&mut self) -> Result<(), Error> {
        if !self.refused.is_empty() {
            write_all(&self.folder.join(format!("rejected-{:06}.parquet", self.rejections + 1)), &self.refused)?;
            self.rejections += 1;
            self.refused.clear();
        }
        if !self.buffer.is_empty() {
            write_all(&self.folder.join(format!("bars-{:06}.parquet", self.segments + 1)), &self.buffer)?;
            self.segments += 1;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Bars in the log, written or about to be.
    pub fn bars(&self) -> u64 {
        self.bars
    }

    /// Writes everything and declares the log complete.
    pub fn end(&mut self, counts: Counts) -> Result<End, Error> {
        self.flush()?;
        let end = End { segments: self.segments, bars: self.bars, first: self.first, last: self.last, counts };
        write_bytes(&self.folder.join(END), &serde_json::to_vec_pretty(&end).unwrap_or_default())?;
        Ok(end)
    }
}

fn broken(path: &Path, message: String) -> Error {
    Error::BrokenLog { path: path.to_owned(), message }
}

fn numbered(folder: &Path, prefix: &str) -> Result<Vec<PathBuf>, Error> {
    let entries =
        std::fs::read_dir(folder).map_err(|e| crate::error::unreadable(folder, &e, "name the folder of a log"))?;
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|e| {
            let name = e.file_name().to_string_lossy().into_owned();
            name.starts_with(prefix) && name.ends_with(".parquet")
        })
        .map(|e| e.path())
        .collect();
    found.sort();
    for (i, path) in found.iter().enumerate() {
        let expected = format!("{prefix}{:06}.parquet", i + 1);
        if !path.ends_with(&expected) {
            return Err(broken(path, format!("{expected} is missing before it")));
        }
    }
    Ok(found)
}

/// The segments of a log, in order.
///
/// # Errors
/// The folder cannot be read, or a number is missing.
pub fn segments(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    numbered(folder, "bars-")
}

/// All bars of a log.
///
/// # Errors
/// A segment is damaged, or does not follow the one before it.
pub fn read_log(folder: &Path) -> Result<Vec<Bar>, Error> {
    read_segments(&segments(folder)?).map(|(bars, _)| bars)
}

/// The bars of segments in their order, and how long each lasts in seconds.
pub(in super::super) fn read_segments(segments: &[PathBuf]) -> Result<(Vec<Bar>, i64), Error> {
    let mut bars: Vec<Bar> = Vec::new();
    for path in segments {
        let segment: Vec<Bar> = read_all(path)?;
        if let (Some(before), Some(first)) = (bars.last(), segment.first())
            && first.event_at <= before.event_at
        {
            return Err(broken(
                path,
                format!("it begins at {}, the segment before it ends at {}", first.event_at, before.event_at),
            ));
        }
        bars.extend(segment);
    }
    let interval = bars.first().map_or(0, |b| b.available_at.seconds_since(b.event_at) as i64);
    Ok((bars, interval))
}
