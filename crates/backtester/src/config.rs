use crate::Error;
use serde::{Deserialize, Serialize};

/// What to do about a bar without a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// An error: a hole in the decisions is usually a fault of the strategy's run.
    #[default]
    Refuse,
    /// No order: the units held stay as they are.
    Hold,
}

/// Settings of the honest mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The instrument; needed only where the decisions are about several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Cash to begin with, in currency.
    pub initial_capital: f64,
    /// Commission in basis points of the traded value.
    pub commission_bps: f64,
    /// How much worse than the quoted price a fill is, in basis points.
    pub slippage_bps: f64,
    /// Smallest change of position, as a share of equity, that is traded; going flat always is.
    pub rebalance_threshold: f64,
    /// Largest position, long or short, as a share of equity.
    pub position_cap: f64,
    /// Fill decisions at the close of the very bar they were made on. Such figures cannot be had by anyone.
    pub allow_lookahead_same_bar_fill: bool,
    /// Sell or cover at the last close, and pay for it.
    pub liquidate_at_end: bool,
    /// What to do about a bar without a decision.
    pub missing_decisions: Missing,
    /// Bars that make a year; without it, 365 days of the median bar interval (a market that never closes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub periods_per_year: Option<f64>,
    /// How many time-shifted copies of the strategy it is ranked among.
    pub random_shifts: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            symbol: None,
            initial_capital: 10_000.0,
            commission_bps: 10.0,
            slippage_bps: 2.0,
            rebalance_threshold: 0.05,
            position_cap: 1.0,
            allow_lookahead_same_bar_fill: false,
            liquidate_at_end: false,
            missing_decisions: Missing::Refuse,
            periods_per_year: None,
            random_shifts: 200,
        }
    }
}

impl Config {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::BadSetting`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        let within = |name, value: f64, fits: bool, range| {
            if value.is_finite() && fits { Ok(()) } else { Err(Error::BadSetting { name, value, range }) }
        };
        let Self { initial_capital: capital, commission_bps, slippage_bps, rebalance_threshold, position_cap, .. } =
            *self;
        within("initial_capital", capital, capital > 0.0, "above 0")?;
        within("commission_bps", commission_bps, (0.0..=1000.0).contains(&commission_bps), "from 0 to 1000 (10 %)")?;
        within("slippage_bps", slippage_bps, (0.0..=1000.0).contains(&slippage_bps), "from 0 to 1000 (10 %)")?;
        let threshold = rebalance_threshold;
        within("rebalance_threshold", threshold, (0.0..=1.0).contains(&threshold), "from 0 to 1")?;
        within("position_cap", position_cap, position_cap > 0.0 && position_cap <= 1.0, "above 0 and at most 1")?;
        self.periods_per_year.map_or(Ok(()), |n| within("periods_per_year", n, n > 0.0, "above 0"))
    }
}
