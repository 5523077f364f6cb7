use super::config::{BarColumns, BarSource, TimeFormat};
use super::time::stamp;
use crate::Error;
use crate::locate::Located;
use crate::table::{self, Cell, Record, Wanted};
use artifacts::rows::Bar;
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
    pub(super) path: &'a Path,
    pub(super) symbol: Option<&'a str>,
    pub(super) time: &'a TimeFormat,
    rows: Vec<Bar>,
    last: BTreeMap<String, (u64, Timestamp)>,
}

impl<'a> Bars<'a> {
    pub(super) fn new(path: &'a Path, symbol: Option<&'a str>, time: &'a TimeFormat) -> Self {
        Self { path, symbol, time, rows: Vec::new(), last: BTreeMap::new() }
    }

    fn bad(&self, row: u64, message: String, remedy: &'static str) -> Error {
        Error::BadRow { path: self.path.to_owned(), row, message, remedy }
    }

    /// Adds a row whose first cells are those of [`wanted`]. All its cells are returned.
    pub(super) fn push(&mut self, record: Record) -> Result<Vec<Cell>, Error> {
        const CORRECT: &str = "correct or remove that row at its source";
        let row = record.number;
        let cells = record.content.map_err(|f| self.bad(row, format!("{} ({})", f.reason, f.detail), CORRECT))?;
        let cell = |i: usize| cells.get(i).cloned().unwrap_or(Cell::Missing);
        let event_at = stamp(&cell(0), self.time)
            .and_then(|t| t.ok_or_else(|| "the time is missing".to_owned()))
            .map_err(|m| self.bad(row, m, "correct it, or give `time.pattern`"))?;
        let symbol = match self.symbol {
            Some(symbol) => symbol.to_owned(),
            None => cell(1).text().ok_or_else(|| self.bad(row, "the symbol is missing".into(), CORRECT))?,
        };
        let number = |i: usize, name: &str| {
            cell(i).number().map_err(|text| self.bad(row, format!("{name} is `{text}`, not a number"), CORRECT))
        };
        let close = number(5, "close")?.ok_or_else(|| self.bad(row, "close is missing".into(), CORRECT))?;
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
        bar.check().map_err(|m| self.bad(row, m, CORRECT))?;
        if let Some((earlier, last)) = self.last.insert(bar.symbol.clone(), (row, event_at)) {
            if event_at == last {
                let message = format!("{event_at} is there twice for {}, also in row {earlier}", bar.symbol);
                return Err(self.bad(row, message, "remove one of the two"));
            }
            if event_at < last {
                let message = format!("{event_at} comes after {last} (row {earlier}) for {}", bar.symbol);
                return Err(self.bad(row, message, "sort the file by time"));
            }
        }
        self.rows.push(bar);
        Ok(cells)
    }

    /// Sets `available_at` one interval after each stamp. Returns the interval in seconds.
    pub(super) fn close(mut self, interval: Option<i64>) -> Result<(Vec<Bar>, i64), Error> {
        let Some(interval) = interval.or_else(|| median_gap(&self.rows)) else {
            let message = "a single bar tells no interval".to_owned();
            return Err(self.bad(0, message, "give `bar_interval_seconds`"));
        };
        if interval <= 0 {
            return Err(Error::BadConfig(format!("bar_interval_seconds is {interval}; it is above 0")));
        }
        for bar in &mut self.rows {
            bar.available_at = bar.event_at.plus_seconds(interval);
        }
        Ok((self.rows, interval))
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
pub(super) fn read(source: &BarSource, file: &Located) -> Result<(Vec<Bar>, i64), Error> {
    let mut bars = Bars::new(&file.path, source.symbol.as_deref(), &source.time);
    let wanted = wanted(&source.columns, source.symbol.is_some());
    let rows = table::read(&file.path, &wanted, &mut |record| bars.push(record).map(|_| ()))?;
    if rows == 0 {
        return Err(Error::Empty { path: file.path.clone(), name: source.name.clone() });
    }
    bars.close(source.bar_interval_seconds)
}
