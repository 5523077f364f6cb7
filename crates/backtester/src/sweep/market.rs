use crate::{Candle, Config, Error, FillAt};
use artifacts::rows::Bar;
use rayon::prelude::*;

use crate::rules::{Average, Value};
use crate::{Parameters, Rule};

/// Prices as columns, and in which bar a decision on each bar fills.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    pub(crate) close: Vec<f64>,
    pub(crate) fill: Vec<f64>,
    /// For a decision on bar i the bar it fills in; the number of bars where none begins after it.
    pub(crate) fills_in: Vec<usize>,
    pub(crate) fill_at: FillAt,
}

impl Market {
    /// None where a column cannot say what the event engine would do: a bar lacks its price, or bars become known in
    /// another order than theirs.
    pub(crate) fn new(bars: &[Bar], config: &Config) -> Result<Option<Self>, Error> {
        let fill_at = FillAt::of(bars, config)?;
        let Some(fill) = bars.iter().map(|b| fill_at.price(&Candle::from(b))).collect::<Option<Vec<f64>>>() else {
            return Ok(None);
        };
        let latency = (config.latency_seconds * 1e6).round() as i64;
        let mut next = 0;
        let mut fills_in = Vec::with_capacity(bars.len());
        for (i, bar) in bars.iter().enumerate() {
            if fill_at.is_lookahead() {
                fills_in.push(i);
                continue;
            }
            let ready = bar.available_at.micros() + latency;
            if i > 0 && bars.get(i - 1).is_some_and(|b| b.available_at > bar.available_at) {
                return Ok(None);
            }
            next = next.max(i + 1);
            while bars.get(next).is_some_and(|b| b.event_at.micros() < ready) {
                next += 1;
            }
            fills_in.push(next);
        }
        Ok(Some(Self { close: bars.iter().map(|b| b.close).collect(), fill, fills_in, fill_at }))
    }

    pub(crate) fn len(&self) -> usize {
        self.close.len()
    }
}

/// What the rules of a grid compute, each column once.
#[derive(Debug)]
pub(crate) struct Columns {
    columns: Vec<(f64, Vec<f64>)>,
}

/// Where a rule's values come from.
pub(crate) enum Source<'a> {
    /// A column as it is.
    One(&'a [f64]),
    /// One column minus another.
    Difference(&'a [f64], &'a [f64]),
}

impl Columns {
    pub(crate) fn new(close: &[f64], grid: &[Parameters]) -> Result<Self, Error> {
        let mut windows: Vec<(f64, Parameters)> = Vec::new();
        for p in grid {
            windows.push((p.first, *p));
            if p.rule.crosses() {
                windows.push((p.second, *p));
            }
        }
        windows.sort_by(|a, b| a.0.total_cmp(&b.0));
        windows.dedup_by(|a, b| a.0.total_cmp(&b.0).is_eq());
        let column = |(window, p): &(f64, Parameters)| {
            let values = if p.rule.crosses() {
                let mut mean = Average::new(p.rule, *window)?;
                close.iter().map(|c| mean.next(*c)).collect()
            } else {
                let mut value = Value::new(p)?;
                close.iter().map(|c| value.next(*c)).collect()
            };
            Ok((*window, values))
        };
        let columns = windows.par_iter().map(column).collect::<Result<_, Error>>()?;
        Ok(Self { columns })
    }

    fn of(&self, window: f64) -> &[f64] {
        let found = self.columns.binary_search_by(|(w, _)| w.total_cmp(&window)).ok();
        found.and_then(|i| self.columns.get(i)).map_or(&[], |(_, column)| column)
    }

    pub(crate) fn source(&self, p: &Parameters) -> Source<'_> {
        match p.rule {
            Rule::SmaCross | Rule::EmaCross => Source::Difference(self.of(p.first), self.of(p.second)),
            _ => Source::One(self.of(p.first)),
        }
    }
}
