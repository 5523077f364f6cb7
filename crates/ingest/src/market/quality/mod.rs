//! Oddities of market data, found by checks and written as rows (`quality.parquet`), so that a later step can act on them.
//!
//! | check | finds |
//! |---|---|
//! | `gap` | bars missing by the calendar that the data follows (every interval, or business days), holidays told apart |
//! | `short-series` | a symbol with far fewer bars than the others of its source |
//! | `zero-volume` | stretches of bars in which nothing was traded |
//! | `flat` | stretches of bars without any movement |
//! | `outlier` | returns far out by robust z (median and MAD); a spike that the next bar takes back is called one |
//! | `level-shift` | a jump by a factor that stays: a split, another unit or currency |
//! | `unfinished-last` | a last bar whose interval was not over when the file was taken, or which looks so |
//! | `duplicate`, `out-of-order`, `bad-price`, `unreadable` | bars that were refused (`bad_bars = "refuse"`) |
//! | `time-shift` | a written time that differs from the epoch stamp of the same row, by a constant offset or several |
//! | `mixed-labels` | the same name in several spellings |
//! | `missing-cells` | empty cells of annotations |
//! | `duplicate-id`, `repeated-text` | news that come twice |

mod gaps;
mod prices;
mod stamps;

pub(super) use gaps::check as gaps;
pub(super) use prices::{check as prices, observations};
pub(super) use stamps::{labels, repeated_texts, shifts};

use crate::Error;
use artifacts::Timestamp;
use artifacts::rows::{AlertLevel, QualityFinding};
use serde::{Deserialize, Serialize};

/// Thresholds of the checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QualityConfig {
    /// Checks that are left out, by name.
    pub skip: Vec<String>,
    /// Findings of one check about one symbol that are listed one by one; further ones become a single finding.
    pub listed: usize,
    /// A return is an outlier from this robust z on.
    pub outlier_z: f64,
    /// A stretch without movement has at least so many bars.
    pub flat_bars: usize,
    /// A jump of the close is a shift of level from this factor on, if it stays.
    pub level_factor: f64,
    /// The same for numbers that are no prices.
    pub observation_factor: f64,
    /// Bars before and after a jump whose medians must differ by the factor too.
    pub level_window: usize,
    /// A last bar looks unfinished if both its volume and its range are below this share of the median of the hundred before it.
    pub unfinished_share: f64,
    /// A constant offset of written times holds for at least this share of the rows.
    pub shift_share: f64,
    /// A symbol's series is short if it has less than this share of the bars of the source's longest.
    pub short_share: f64,
}

impl Default for QualityConfig {
    fn default() -> Self {
        Self {
            skip: Vec::new(),
            listed: 20,
            outlier_z: 20.0,
            flat_bars: 10,
            level_factor: 1.8,
            observation_factor: 50.0,
            level_window: 5,
            unfinished_share: 0.1,
            shift_share: 0.9,
            short_share: 0.5,
        }
    }
}

impl QualityConfig {
    /// Whether every threshold means something: with a NaN a check would find nothing, and nobody would know.
    pub(super) fn check(&self) -> Result<(), Error> {
        let above = |least: f64| move |v: f64| v.is_finite() && v > least;
        let share = |v: f64| (0.0..=1.0).contains(&v);
        let settings: [(&str, f64, bool, &str); 6] = [
            ("outlier_z", self.outlier_z, above(0.0)(self.outlier_z), "above 0"),
            ("level_factor", self.level_factor, above(1.0)(self.level_factor), "above 1"),
            ("observation_factor", self.observation_factor, above(1.0)(self.observation_factor), "above 1"),
            ("unfinished_share", self.unfinished_share, share(self.unfinished_share), "from 0 to 1"),
            ("shift_share", self.shift_share, share(self.shift_share), "from 0 to 1"),
            ("short_share", self.short_share, share(self.short_share), "from 0 to 1"),
        ];
        match settings.into_iter().find(|(_, _, fits, _)| !fits) {
            Some((name, value, _, range)) => {
                Err(Error::BadConfig(format!("quality.{name} is {value}; give a number {range}")))
            }
            None => Ok(artifacts::settings::within(&[
                ("quality.listed", self.listed as f64, 0.0..=1e6),
                ("quality.flat_bars", self.flat_bars as f64, 1.0..=1e6),
                ("quality.level_window", self.level_window as f64, 1.0..=1e4),
            ])?),
        }
    }
}

/// Findings of one source.
pub(super) struct Findings<'a> {
    pub(super) config: &'a QualityConfig,
    pub(super) source: &'a str,
    pub(super) rows: Vec<QualityFinding>,
}

/// One finding before it has a source.
pub(super) struct Found {
    pub(super) level: AlertLevel,
    pub(super) event_at: Option<Timestamp>,
    pub(super) rows: u64,
    pub(super) value: Option<f64>,
    pub(super) threshold: Option<f64>,
    pub(super) message: String,
}

impl<'a> Findings<'a> {
    pub(super) fn new(config: &'a QualityConfig, source: &'a str) -> Self {
        Self { config, source, rows: Vec::new() }
    }

    /// Adds what a check found about a symbol (the worst first where it is cut short).
    pub(super) fn add(&mut self, check: &str, symbol: &str, mut found: Vec<Found>) {
        if self.config.skip.iter().any(|s| s == check) {
            return;
        }
        let more = found.split_off(found.len().min(self.config.listed.max(1)));
        if let Some(level) = more.iter().map(|f| f.level).max() {
            found.push(Found {
                level,
                event_at: None,
                rows: more.iter().map(|f| f.rows).sum(),
                value: None,
                threshold: more.first().and_then(|f| f.threshold),
                message: format!("{} further findings of this check; raise `quality.listed` to see each", more.len()),
            });
        }
        self.rows.extend(found.into_iter().map(|f| QualityFinding {
            source: self.source.to_owned(),
            symbol: symbol.to_owned(),
            check_name: check.to_owned(),
            level: f.level,
            event_at: f.event_at,
            rows: f.rows,
            value: f.value,
            threshold: f.threshold,
            message: f.message,
        }));
    }
}

/// The median; nothing of nothing.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let (low, high) = (values.get(n.checked_sub(1)? / 2)?, values.get(n / 2)?);
    Some((low + high) / 2.0)
}
