use artifacts::Timestamp;
use artifacts::rows::Observation;
use std::collections::BTreeMap;

/// What came out, by feature, counted while the values pass by; the series to be drawn are kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coverage {
    by_name: BTreeMap<String, Seen>,
    plots: Vec<String>,
    series: BTreeMap<String, Vec<(f64, f64)>>,
    /// The symbol that is drawn: the first one.
    pub(crate) symbol: Option<String>,
    pub(crate) bars: u64,
    pub(crate) values: u64,
}

/// The values of one feature.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) values: u64,
    pub(crate) first: Timestamp,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) last: f64,
}

impl Coverage {
    pub(crate) fn new(plots: Vec<String>) -> Self {
        Self { plots, ..Self::default() }
    }

    pub(crate) fn add(&mut self, value: &Observation) {
        self.values += 1;
        let x = value.value;
        if let Some(seen) = self.by_name.get_mut(&value.name) {
            seen.values += 1;
            seen.first = seen.first.min(value.event_at);
            (seen.low, seen.high, seen.last) = (seen.low.min(x), seen.high.max(x), x);
        } else {
            let seen = Seen { values: 1, first: value.event_at, low: x, high: x, last: x };
            self.by_name.insert(value.name.clone(), seen);
        }
        let symbol = self.symbol.get_or_insert_with(|| value.symbol.clone());
        if *symbol == value.symbol && self.plots.contains(&value.name) {
            let point = (value.event_at.micros() as f64 / 1e6, x);
            self.series.entry(value.name.clone()).or_default().push(point);
        }
    }

    pub(crate) fn of(&self, name: &str) -> Option<&Seen> {
        self.by_name.get(name)
    }

    /// The series to draw, in the order in which they were asked for.
    pub(crate) fn plotted(&self) -> impl Iterator<Item = (&String, &Vec<(f64, f64)>)> {
        self.plots.iter().filter_map(|name| Some((name, self.series.get(name)?)))
    }
}
