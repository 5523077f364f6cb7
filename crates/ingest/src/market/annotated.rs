use super::bars::{self, Bars};
use super::clean;
use super::config::{AnnotatedSource, Availability, BadBars};
use super::python;
use super::time::stamp;
use crate::Error;
use crate::locate::Located;
use crate::table::{self, Cell, Record, Wanted};
use artifacts::Timestamp;
use artifacts::rows::{Bar, News, Observation, Rejected};
use std::collections::BTreeMap;

/// What one annotated file holds.
pub(super) struct Annotated {
    pub(super) bars: Vec<Bar>,
    /// Rows read.
    pub(super) rows: u64,
    pub(super) interval: i64,
    pub(super) news: Vec<News>,
    pub(super) observations: Vec<Observation>,
    pub(super) rejected: Vec<Rejected>,
    /// How many cells of each annotation column are empty.
    pub(super) missing: BTreeMap<String, u64>,
    /// How the names of each column of names are spelled.
    pub(super) spellings: BTreeMap<String, BTreeMap<String, u64>>,
}

/// When the cells of a column can be known.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    WithTheRow,
    OneIntervalLater,
    WhenTheNextBarHasClosed,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Number,
    Name,
}

/// When a row is and can be known.
#[derive(Clone, Copy)]
struct Times {
    event_at: Timestamp,
    available_at: Timestamp,
}

/// Reads one annotated file.
pub(super) fn read(source: &AnnotatedSource, file: &Located, bad: BadBars) -> Result<Annotated, Error> {
    let mut wanted = if source.has_prices {
        bars::wanted(&source.columns, true)
    } else {
        vec![Wanted::required(&source.columns.timestamp)]
    };
    let prices = wanted.len();
    let groups = [
        (&source.news, Kind::Text, Known::WithTheRow),
        (&source.late_news, Kind::Text, Known::OneIntervalLater),
        (&source.observations, Kind::Number, Known::WithTheRow),
        (&source.categories, Kind::Name, Known::WithTheRow),
        (&source.signal, Kind::Number, Known::WhenTheNextBarHasClosed),
    ];
    let columns: Vec<(&String, Kind, Known)> =
        groups.iter().flat_map(|(names, kind, known)| names.iter().map(|n| (n, *kind, *known))).collect();
    wanted.extend(columns.iter().map(|(name, ..)| Wanted::required(std::slice::from_ref(*name))));

    let mut bars = Bars::new(&file.path, &source.name, Some(&source.symbol), &source.time, bad);
    let mut stamps: Vec<Timestamp> = Vec::new();
    let mut annotations: Vec<(u64, Vec<Cell>)> = Vec::new();
    let rows = table::read(&file.path, &wanted, &mut |record| {
        let number = record.number;
        let cells = if source.has_prices { bars.push(record)? } else { stamped(source, file, record, &mut stamps)? };
        annotations.extend(cells.map(|mut cells| (number, cells.split_off(prices.min(cells.len())))));
        Ok(())
    })?;
    if rows == 0 {
        return Err(Error::Empty { path: file.path.clone(), name: source.name.clone() });
    }
    let mut out = Annotated {
        bars: Vec::new(),
        rows,
        interval: 0,
        news: Vec::new(),
        observations: Vec::new(),
        rejected: Vec::new(),
        missing: BTreeMap::new(),
        spellings: BTreeMap::new(),
    };
    let times: Vec<Times> = if source.has_prices {
        let read = bars.close(source.bar_interval_seconds, Availability::IntervalEnd, None)?;
        (out.bars, out.interval, out.rejected) = (read.bars, read.interval, read.rejected);
        out.bars.iter().map(|b| Times { event_at: b.event_at, available_at: b.available_at }).collect()
    } else {
        out.interval = source.bar_interval_seconds.filter(|s| *s > 0).ok_or_else(|| {
            Error::BadConfig(format!(
                "source `{}` has no prices: give its `bar_interval_seconds`, above 0",
                source.name
            ))
        })?;
        stamps.iter().map(|t| Times { event_at: *t, available_at: t.plus_seconds(out.interval) }).collect()
    };
    for (i, (row, cells)) in annotations.iter().enumerate() {
        let Some(time) = times.get(i).copied() else { continue };
        let later = time.available_at.plus_seconds(out.interval);
        let next = times.get(i + 1).map_or(later, |t| t.available_at);
        for ((name, kind, known), cell) in columns.iter().zip(cells) {
            let available_at = match known {
                Known::WithTheRow => time.available_at,
                Known::OneIntervalLater => later,
                Known::WhenTheNextBarHasClosed => next,
            };
            out.add(source, file, *row, Times { available_at, ..time }, (name, *kind), cell)?;
        }
    }
    Ok(out)
}

/// A row without prices: only its time is read.
fn stamped(
    source: &AnnotatedSource,
    file: &Located,
    record: Record,
    stamps: &mut Vec<Timestamp>,
) -> Result<Option<Vec<Cell>>, Error> {
    let row = record.number;
    let bad = |message: String| Error::BadRow {
        path: file.path.clone(),
        row,
        message,
        remedy: "correct it, or give `time.pattern`",
    };
    let cells = record.content.map_err(|f| bad(format!("{} ({})", f.reason, f.detail)))?;
    let time = stamp(cells.first().unwrap_or(&Cell::Missing), &source.time)
        .and_then(|t| t.ok_or_else(|| "the time is missing".to_owned()))
        .map_err(bad)?;
    if let Some(last) = stamps.last().filter(|last| **last >= time) {
        return Err(bad(format!("{time} comes after {last}")));
    }
    stamps.push(time);
    Ok(Some(cells))
}

impl Annotated {
    fn add(
        &mut self,
        source: &AnnotatedSource,
        file: &Located,
        row: u64,
        time: Times,
        (name, kind): (&str, Kind),
        cell: &Cell,
    ) -> Result<(), Error> {
        let Times { event_at, available_at } = time;
        let text = cell.text().map(|t| clean(&t)).filter(|t| !python::is_missing(t));
        let Some(text) = text else {
            *self.missing.entry(name.to_owned()).or_default() += 1;
            return Ok(());
        };
        let symbol = source.symbol.clone();
        let observation =
            |name: String, value| Observation { symbol: symbol.clone(), name, event_at, available_at, value };
        match kind {
            Kind::Text => {
                let text = python::list(&text).map_or(text, |items| sentences(&items));
                if text.is_empty() {
                    *self.missing.entry(name.to_owned()).or_default() += 1;
                    return Ok(());
                }
                let (id, source) = (format!("{}:{name}:{row}", source.name), format!("{}:{name}", source.name));
                self.news.push(News { id, symbol, event_at, available_at, text, source });
            }
            Kind::Name => {
                let mut seen = Vec::new();
                for word in python::list(&text).unwrap_or_else(|| vec![text]) {
                    *self.spellings.entry(name.to_owned()).or_default().entry(word.clone()).or_default() += 1;
                    let observed = format!("{name}={}", word.trim().to_lowercase());
                    if !seen.contains(&observed) {
                        self.observations.push(observation(observed.clone(), 1.0));
                        seen.push(observed);
                    }
                }
            }
            Kind::Number => match cell.number() {
                Ok(Some(value)) if value.is_finite() => self.observations.push(observation(name.to_lowercase(), value)),
                Ok(_) => *self.missing.entry(name.to_owned()).or_default() += 1,
                Err(found) => {
                    return Err(Error::BadRow {
                        path: file.path.clone(),
                        row,
                        message: format!("{name} is `{found}`, not a number"),
                        remedy: "correct it, or take the column out of `observations`",
                    });
                }
            },
        }
        Ok(())
    }
}

/// The items of a list as running text.
fn sentences(items: &[String]) -> String {
    let mut out = String::new();
    for item in items.iter().map(|i| i.trim()).filter(|i| !i.is_empty()) {
        if !out.is_empty() {
            out.push_str(if out.ends_with(['.', '!', '?', '…', ':']) { " " } else { ". " });
        }
        out.push_str(item);
    }
    out
}
