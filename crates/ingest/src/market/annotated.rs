use super::bars::{self, Bars};
use super::clean;
use super::config::AnnotatedSource;
use crate::Error;
use crate::locate::Located;
use crate::table::{self, Cell, Wanted};
use artifacts::Timestamp;
use artifacts::rows::{Bar, News, Observation};
use std::collections::BTreeMap;

/// What one annotated file holds.
pub(super) struct Annotated {
    pub(super) bars: Vec<Bar>,
    pub(super) interval: i64,
    pub(super) news: Vec<News>,
    pub(super) observations: Vec<Observation>,
    /// How many cells of each annotation column are empty.
    pub(super) missing: BTreeMap<String, u64>,
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

/// Reads one annotated file.
pub(super) fn read(source: &AnnotatedSource, file: &Located) -> Result<Annotated, Error> {
    let mut wanted = bars::wanted(&source.columns, true);
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

    let mut bars = Bars::new(&file.path, Some(&source.symbol), &source.time);
    let mut annotations: Vec<Vec<Cell>> = Vec::new();
    let rows = table::read(&file.path, &wanted, &mut |record| {
        let mut cells = bars.push(record)?;
        annotations.push(cells.split_off(prices.min(cells.len())));
        Ok(())
    })?;
    if rows == 0 {
        return Err(Error::Empty { path: file.path.clone(), name: source.name.clone() });
    }
    let (bars, interval) = bars.close(source.bar_interval_seconds)?;
    let mut out = Annotated { bars, interval, news: Vec::new(), observations: Vec::new(), missing: BTreeMap::new() };
    for (row, cells) in annotations.iter().enumerate() {
        let Some(bar) = out.bars.get(row).cloned() else { continue };
        let next = out.bars.get(row + 1).map_or_else(|| bar.available_at.plus_seconds(interval), |b| b.available_at);
        for ((name, kind, known), cell) in columns.iter().zip(cells) {
            let available_at = match known {
                Known::WithTheRow => bar.available_at,
                Known::OneIntervalLater => bar.available_at.plus_seconds(interval),
                Known::WhenTheNextBarHasClosed => next,
            };
            out.add(source, file, row, &bar, (name, *kind), cell, available_at)?;
        }
    }
    Ok(out)
}

impl Annotated {
    #[expect(clippy::too_many_arguments, reason = "one cell and everything that says what it means")]
    fn add(
        &mut self,
        source: &AnnotatedSource,
        file: &Located,
        row: usize,
        bar: &Bar,
        (name, kind): (&str, Kind),
        cell: &Cell,
        available_at: Timestamp,
    ) -> Result<(), Error> {
        let text = cell.text().map(|t| clean(&t)).filter(|t| !t.is_empty());
        let Some(text) = text else {
            *self.missing.entry(name.to_owned()).or_default() += 1;
            return Ok(());
        };
        let (symbol, event_at) = (bar.symbol.clone(), bar.event_at);
        let observation =
            |name: String, value| Observation { symbol: symbol.clone(), name, event_at, available_at, value };
        match kind {
            Kind::Text => self.news.push(News {
                id: format!("{}:{name}:{row}", source.name),
                symbol: symbol.clone(),
                event_at,
                available_at,
                text,
                source: format!("{}:{name}", source.name),
            }),
            Kind::Name => self.observations.push(observation(format!("{name}={}", text.to_lowercase()), 1.0)),
            Kind::Number => match cell.number() {
                Ok(Some(value)) if value.is_finite() => self.observations.push(observation(name.to_lowercase(), value)),
                Ok(_) => *self.missing.entry(name.to_owned()).or_default() += 1,
                Err(found) => {
                    return Err(Error::BadRow {
                        path: file.path.clone(),
                        row: row as u64,
                        message: format!("{name} is `{found}`, not a number"),
                        remedy: "correct it, or take the column out of `observations`",
                    });
                }
            },
        }
        Ok(())
    }
}
