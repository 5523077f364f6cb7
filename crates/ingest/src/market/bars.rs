use super::config::{Availability, BadBars, BarColumns, BarSource, TimeFormat};
use super::session::us_session;
use super::time::stamp;
use crate::Error;
use crate::locate::Located;
use crate::table::{self, Cell, Record, Wanted};
use artifacts::rows::{Bar, Rejected};
use artifacts::{Checks, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;

/// The columns of bars, in the order that [`Bars::push`] expects their cells in.
pub(super) fn wanted(columns: &BarColumns, symbol_given: bool) -> Vec<Wanted> {
    vec![
        Wanted::required(&columns.timestamp),
        if symbol_given { Wanted::optional(&[]) } else { Wanted::required(&columns.symbol) },
        Wanted::optional(&columns.open),
        Wanted::optional(&columns.high),
        Wanted::optional(&columns.low),
        Wanted::required(&columns.close),
        Wanted::optional(&columns.volume),
    ]
}

/// The bars of one file, checked one by one: each later than the one before of its symbol, prices above 0.
pub(super) struct Bars<'a> {
    path: &'a Path,
    source: &'a str,
    symbol: Option<&'a str>,
    time: &'a TimeFormat,
    bad: BadBars,
    rows: Vec<Bar>,
    last: BTreeMap<String, (u64, Timestamp)>,
    rejected: Vec<Rejected>,
}

/// The bars of one file with what was refused.
pub(super) struct Read {
    pub(super) bars: Vec<Bar>,
    pub(super) interval: i64,
    pub(super) rejected: Vec<Rejected>,
}

/// What is wrong with a row.
struct Wrong {
    reason: &'static str,
    message: String,
    remedy: &'static str,
}

const CORRECT: &str = "correct or remove that row at its source";

fn wrong(reason: &'static str, message: String, remedy: &'static str) -> Wrong {
    Wrong { reason, message, remedy }
}

impl<'a> Bars<'a> {
    pub(super) fn new(
        path: &'a Path,
        source: &'a str,
        symbol: Option<&'a str>,
        time: &'a TimeFormat,
        bad: BadBars,
    ) -> Self {
        let (rows, last, rejected) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { path, source, symbol, time, bad, rows, last, rejected }
    }

    /// Adds a row whose first cells are those of [`wanted`]. All its cells are returned; nothing where it was refused.
    pub(super) fn push(&mut self, record: Record) -> Result<Option<Vec<Cell>>, Error> {
        let row = record.number;
        let read = record
            .content
            .map_err(|f| wrong("unreadable", format!("{} ({})", f.reason, f.detail), CORRECT))
            .and_then(|cells| self.read(&cells).map(|bar| (bar, cells)));
        match (read, self.bad) {
            (Ok((bar, cells)), _) => {
                self.last.insert(bar.symbol.clone(), (row, bar.event_at));
                self.rows.push(bar);
                Ok(Some(cells))
            }
            (Err(Wrong { message, remedy, .. }), BadBars::Error) => {
                Err(Error::BadRow { path: self.path.to_owned(), row, message, remedy })
            }
            (Err(Wrong { reason, message, .. }), BadBars::Refuse) => {
                self.rejected.push(Rejected::new(self.source, row, "", "", reason, &message));
                Ok(None)
            }
        }
    }

    fn read(&self, cells: &[Cell]) -> Result<Bar, Wrong> {
        let cell = |i: usize| cells.get(i).cloned().unwrap_or(Cell::Missing);
        let event_at = stamp(&cell(0), self.time)
            .and_then(|t| t.ok_or_else(|| "the time is missing".to_owned()))
            .map_err(|m| wrong("unreadable", m, "correct it, or give `time.pattern`"))?;
        let symbol = match self.symbol {
            Some(symbol) => symbol.to_owned(),
            None => cell(1).text().ok_or_else(|| wrong("unreadable", "the symbol is missing".into(), CORRECT))?,
        };
        let number = |i: usize, name: &str| {
            cell(i).number().map_err(|text| wrong("bad-price", format!("{name} is `{text}`, not a number"), CORRECT))
        };
        let close = number(5, "close")?.ok_or_else(|| wrong("bad-price", "close is missing".into(), CORRECT))?;
        let bar = Bar {
            symbol,
            event_at,
            available_at: event_at,
            open: number(2, "open")?,
            high: number(3, "high")?,
            low: number(4, "low")?,
            close,
            volume: number(6, "volume")?,
        };
        bar.check().map_err(|m| wrong("bad-price", m, CORRECT))?;
        if let Some((earlier, last)) = self.last.get(&bar.symbol) {
            if event_at == *last {
                let message = format!("{event_at} is there twice for {}, also in row {earlier}", bar.symbol);
                return Err(wrong("duplicate", message, "remove one of the two"));
            }
            if event_at < *last {
                let message = format!("{event_at} comes after {last} (row {earlier}) for {}", bar.symbol);
                return Err(wrong("out-of-order", message, "sort the file by time"));
            }
        }
        Ok(bar)
    }

    /// Sets when each bar can be known, and refuses those that were not over when the file was taken.
    pub(super) fn close(
        mut self,
        interval: Option<i64>,
        availability: Availability,
        taken_at: Option<Timestamp>,
    ) -> Result<Read, Error> {
        let bad = |message: &str| Error::BadRow {
            path: self.path.to_owned(),
            row: 0,
            message: message.to_owned(),
            remedy: "give `bar_interval_seconds`",
        };
        let interval =
            interval.or_else(|| median_gap(&self.rows)).ok_or_else(|| bad("a single bar tells no interval"))?;
        if interval <= 0 {
            return Err(Error::BadConfig(format!("bar_interval_seconds is {interval}; it is above 0")));
        }
        for bar in &mut self.rows {
            (bar.event_at, bar.available_at) = match availability {
                Availability::IntervalEnd => (bar.event_at, bar.event_at.plus_seconds(interval)),
                Availability::UsSession => us_session(bar.event_at),
            };
        }
        if let Some(taken_at) = taken_at {
            let (kept, cut): (Vec<Bar>, Vec<Bar>) = self.rows.into_iter().partition(|b| b.available_at <= taken_at);
            self.rows = kept;
            self.rejected.extend(cut.iter().map(|b| {
                let detail = format!("{} ends at {}, the file was taken at {taken_at}", b.symbol, b.available_at);
                Rejected::new(
                    self.source,
                    self.last.get(&b.symbol).map_or(0, |l| l.0),
                    "",
                    "",
                    "unfinished-last",
                    &detail,
                )
            }));
        }
        Ok(Read { bars: self.rows, interval, rejected: self.rejected })
    }
}

/// The median distance between neighbouring stamps of the same symbol, in whole seconds.
fn median_gap(bars: &[Bar]) -> Option<i64> {
    let mut last: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut gaps = Vec::new();
    for bar in bars {
        if let Some(before) = last.insert(&bar.symbol, bar.event_at) {
            gaps.push((bar.event_at.micros() - before.micros()) / 1_000_000);
        }
    }
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().map(|g| g.max(1))
}

/// Reads one file of bars.
pub(super) fn read(source: &BarSource, file: &Located, bad: BadBars) -> Result<Read, Error> {
    let mut bars = Bars::new(&file.path, &source.name, source.symbol.as_deref(), &source.time, bad);
    let wanted = wanted(&source.columns, source.symbol.is_some());
    let rows = table::read(&file.path, &wanted, &mut |record| bars.push(record).map(|_| ()))?;
    if rows == 0 {
        return Err(Error::Empty { path: file.path.clone(), name: source.name.clone() });
    }
    let mut read = bars.close(source.bar_interval_seconds, source.availability, source.taken_at)?;
    let (left_out, kept): (Vec<Bar>, Vec<Bar>) =
        read.bars.into_iter().partition(|b| source.leave_out.contains(&b.symbol));
    read.bars = kept;
    read.rejected.extend(left_out.iter().map(|b| {
        let detail = format!("{} at {}: `leave_out` names it", b.symbol, b.event_at);
        Rejected::new(&source.name, 0, "", "", "left-out", &detail)
    }));
    if read.bars.is_empty() {
        return Err(Error::Empty { path: file.path.clone(), name: source.name.clone() });
    }
    Ok(read)
}
