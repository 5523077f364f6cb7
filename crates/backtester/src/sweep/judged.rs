//! What the reports of a walk-forward and of a cross-validation share: bars judged by choices that were not made on them.

use crate::Config;
use artifacts::Timestamp;
use report::format::{number, percent, signed_percent};
use report::{Document, Severity, Tile};
use stats::trading::{PeriodsPerYear, sharpe, total_return};

pub(super) struct Judged<'a> {
    /// What a choice is judged on: windows or folds.
    pub(super) parts: &'a str,
    /// Returns on the judged bars, joined, and of the market there.
    pub(super) joined: &'a [(Timestamp, f64)],
    pub(super) market: &'a [(Timestamp, f64)],
    /// The chosen variant's return in each part, and the share of variants that did better there.
    pub(super) returns: Vec<f64>,
    pub(super) ranks: Vec<f64>,
}

impl Judged<'_> {
    pub(super) fn tiles(&self, doc: &mut Document, periods: PeriodsPerYear) {
        let returns = |r: &[(Timestamp, f64)]| r.iter().map(|(_, r)| *r).collect::<Vec<f64>>();
        let (own, held) = (returns(self.joined), returns(self.market));
        let won = self.returns.iter().filter(|r| **r > 0.0).count();
        doc.tiles(vec![
            Tile::new(
                "return on bars not chosen on",
                signed_percent(total_return(&own), 1),
                format!("holding {}", signed_percent(total_return(&held), 1)),
            ),
            Tile::new(
                "Sharpe ratio, per year",
                number(sharpe(&own, 0.0, periods), 2),
                format!("holding {}", number(sharpe(&held, 0.0, periods), 2)),
            ),
            Tile::new(format!("{} with a gain", self.parts), format!("{won} of {}", self.returns.len()), String::new()),
            Tile::new(
                "variants better than the chosen",
                percent(stats::distribution::mean(&self.ranks), 0),
                format!("mean over {}; 50 % is no skill in choosing", self.parts),
            ),
        ]);
    }
}

pub(super) fn warn_of_look_ahead(doc: &mut Document, backtest: &Config) {
    if backtest.allow_lookahead_same_bar_fill {
        let text = "Every decision fills in the bar it was made on. Nobody can have these figures.";
        doc.callout(Severity::Critical, "LOOK-AHEAD", text);
    }
}

pub(super) fn costs(backtest: &Config, periods: PeriodsPerYear) -> String {
    format!(
        "Commission {} bps, spread and slippage {} bps; per year means {} bars.",
        backtest.commission_bps,
        backtest.half_spread_bps + backtest.slippage_bps,
        number(Some(periods.get()), 1)
    )
}
