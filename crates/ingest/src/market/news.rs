use super::clean;
use super::config::NewsSource;
use super::time::{plausible, stamp};
use crate::Error;
use crate::locate::Located;
use crate::table::{self, Cell, Wanted};
use artifacts::Timestamp;
use artifacts::rows::{News, Rejected};
use std::collections::{BTreeMap, BTreeSet};

/// News read so far, over all sources.
#[derive(Debug, Default)]
pub(super) struct Feed {
    pub(super) news: Vec<News>,
    pub(super) rejected: Vec<Rejected>,
    pub(super) read: u64,
    /// Written time minus epoch stamp, in seconds, of the rows that have both, by source.
    pub(super) offsets: BTreeMap<String, Vec<i64>>,
    ids: BTreeSet<String>,
}

impl Feed {
    /// Reads one file; bad rows and repeated items are refused with their reason.
    pub(super) fn read(&mut self, source: &NewsSource, file: &Located) -> Result<(), Error> {
        let columns = &source.columns;
        let mut wanted = vec![
            Wanted::optional(&columns.id),
            if source.symbol.is_some() { Wanted::optional(&[]) } else { Wanted::required(&columns.symbol) },
            Wanted::optional(&columns.published_at),
            Wanted::optional(&columns.epoch_seconds),
        ];
        let before_text = wanted.len();
        wanted.extend(columns.text.iter().map(|name| Wanted::optional(std::slice::from_ref(name))));
        let before = self.news.len();
        let rows = table::read(&file.path, &wanted, &mut |record| {
            self.read += 1;
            let row = record.number;
            let cells = match record.content {
                Ok(cells) => cells,
                Err(fault) => {
                    self.rejected.push(Rejected::new(&source.name, row, &fault.raw, "", fault.reason, &fault.detail));
                    return Ok(());
                }
            };
            let parts = cells.get(before_text..).unwrap_or_default();
            let text = join(parts.iter().filter_map(Cell::text).map(|t| clean(&t)));
            let item = Item { row, text, cells: &cells };
            if let Some(offset) = item.offset(source) {
                self.offsets.entry(source.name.clone()).or_default().push(offset);
            }
            if let Err((reason, detail)) = self.add(source, &item) {
                self.rejected.push(Rejected::new(&source.name, row, &item.text, "", reason, &detail));
            }
            Ok(())
        })?;
        if rows == 0 {
            return Err(Error::Empty { path: file.path.clone(), name: source.name.clone() });
        }
        if self.news.len() == before {
            let first = self.rejected.iter().find(|r| r.source == source.name);
            let first = first.map(|r| format!("{}: {}", r.reason, r.detail)).unwrap_or_default();
            return Err(Error::NothingKept { path: file.path.clone(), name: source.name.clone(), rows, first });
        }
        Ok(())
    }

    fn add(&mut self, source: &NewsSource, item: &Item<'_>) -> Result<(), (&'static str, String)> {
        if item.text.is_empty() {
            return Err(("empty-text", format!("none of {} has text", source.columns.text.join(", "))));
        }
        let event_at = item.time(source)?;
        let available_at = event_at.plus_seconds(source.news_delay_seconds.max(0));
        let id = item.cell(0).text().unwrap_or_else(|| format!("{}:{}", source.name, item.row));
        let (symbols, listed) = match (&source.symbol, item.cell(1)) {
            (Some(symbol), _) => (vec![symbol.clone()], false),
            (None, Cell::List(symbols)) => (symbols, true),
            (None, cell) => (cell.text().into_iter().collect(), false),
        };
        if symbols.is_empty() {
            return Err(("no-symbol", "the row names no symbol".into()));
        }
        self.push(&id, symbols, listed, event_at, available_at, &item.text, &source.name)
    }

    /// Adds an item for each of its symbols; where there may be several (`many`), each has an id of its own.
    #[expect(clippy::too_many_arguments, reason = "the parts of a row")]
    pub(super) fn push(
        &mut self,
        id: &str,
        symbols: Vec<String>,
        many: bool,
        event_at: Timestamp,
        available_at: Timestamp,
        text: &str,
        source: &str,
    ) -> Result<(), (&'static str, String)> {
        let mut repeated = Vec::new();
        for symbol in symbols {
            let id = if many { format!("{id}:{symbol}") } else { id.to_owned() };
            if self.ids.insert(id.clone()) {
                let (text, source) = (text.to_owned(), source.to_owned());
                self.news.push(News { id, symbol, event_at, available_at, text, source });
            } else {
                repeated.push(id);
            }
        }
        if repeated.is_empty() {
            Ok(())
        } else {
            Err(("duplicate-id", format!("seen before: {}", repeated.join(", "))))
        }
    }

    pub(super) fn refuse(&mut self, source: &str, row: u64, text: &str, reason: &str, detail: &str) {
        self.rejected.push(Rejected::new(source, row, text, "", reason, detail));
    }
}

struct Item<'a> {
    row: u64,
    text: String,
    cells: &'a [Cell],
}

impl Item<'_> {
    fn cell(&self, i: usize) -> Cell {
        self.cells.get(i).cloned().unwrap_or(Cell::Missing)
    }

    /// A column called `datetime` may also hold a written time; only numbers are taken as seconds.
    fn epoch(&self) -> Option<Timestamp> {
        let seconds = self.cell(3).number().ok()??;
        (seconds >= 1.0).then(|| Timestamp::from_micros((seconds * 1e6) as i64)).filter(|time| plausible(*time))
    }

    /// Written time minus epoch stamp, in seconds, of a row with both.
    fn offset(&self, source: &NewsSource) -> Option<i64> {
        let written = stamp(&self.cell(2), &source.time).ok()??;
        Some((written.micros() - self.epoch()?.micros()) / 1_000_000)
    }

    fn time(&self, source: &NewsSource) -> Result<Timestamp, (&'static str, String)> {
        if let Some(epoch) = self.epoch() {
            return Ok(epoch);
        }
        let written = if self.cell(2) == Cell::Missing { self.cell(3) } else { self.cell(2) };
        match stamp(&written, &source.time) {
            Ok(Some(time)) => Ok(time),
            Ok(None) => Err(("no-time", "the row says nowhere when it was published".into())),
            Err(message) => Err(("bad-time", message)),
        }
    }
}

/// The parts of a text, each once.
pub(super) fn join(cleaned: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in cleaned.filter(|t| !t.is_empty()) {
        if !parts.iter().any(|p| p.contains(&part)) {
            parts.push(part);
        }
    }
    let mut out = String::new();
    for part in parts {
        if !out.is_empty() {
            out.push_str(if out.ends_with(['.', '!', '?', '…', ':']) { " " } else { ". " });
        }
        out.push_str(&part);
    }
    out
}
