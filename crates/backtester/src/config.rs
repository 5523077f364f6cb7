use crate::{Error, FillRule};
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
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config {
    /// The instrument; needed only where the decisions are about several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Trade all instruments that decisions are about from one account.
    pub portfolio: bool,
    /// Cash to begin with, in currency.
    pub initial_capital: f64,
    /// At which price decisions fill.
    pub fill_at: FillRule,
    /// Seconds from a decision to its arrival at the market.
    pub latency_seconds: f64,
    /// Commission in basis points of the traded value.
    pub commission_bps: f64,
    /// Least commission of one fill, in currency.
    pub commission_min: f64,
    /// Half the distance between bid and ask, in basis points of the price.
    pub half_spread_bps: f64,
    /// How much worse than the quoted price a fill is beyond that, in basis points.
    pub slippage_bps: f64,
    /// Factor k of the square-root law of impact, k·σ·√(units / volume) of the price, σ and volume of one bar; 0: none.
    pub impact: f64,
    /// Bars over which that σ is taken, all before the fill.
    pub impact_window: usize,
    /// Paid by longs and received by shorts (perpetual contracts), in basis points of the value held a day.
    pub funding_bps_per_day: f64,
    /// Paid by shorts for what they borrow, in basis points of its value a year of 365 days.
    pub borrow_bps_per_year: f64,
    /// Largest part of a bar's volume that an order fills in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_cap: Option<f64>,
    /// What could not be filled waits for the next bar, until a newer decision; otherwise it is given up.
    pub carry_unfilled: bool,
    /// Holdings are multiples of this; 1 for whole shares, 0 for any.
    pub lot_size: f64,
    /// Smallest order in currency; smaller ones are refused, but for those that go flat.
    pub min_order: f64,
    /// Smallest change of position, as a share of equity, that is traded; going flat always is.
    pub rebalance_threshold: f64,
    /// Largest position, long or short, as a share of equity.
    pub position_cap: f64,
    /// Largest sum of the absolute positions of a portfolio, as a share of equity.
    pub gross_cap: f64,
    /// Fill decisions in the very bar they were made on. Such figures cannot be had by anyone.
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
            portfolio: false,
            initial_capital: 10_000.0,
            fill_at: FillRule::Auto,
            latency_seconds: 0.0,
            commission_bps: 10.0,
            commission_min: 0.0,
            half_spread_bps: 0.0,
            slippage_bps: 2.0,
            impact: 0.0,
            impact_window: 20,
            funding_bps_per_day: 0.0,
            borrow_bps_per_year: 0.0,
            volume_cap: None,
            carry_unfilled: false,
            lot_size: 0.0,
            min_order: 0.0,
            rebalance_threshold: 0.05,
            position_cap: 1.0,
            gross_cap: 1.0,
            allow_lookahead_same_bar_fill: false,
            liquidate_at_end: false,
            missing_decisions: Missing::Refuse,
            periods_per_year: None,
            random_shifts: 200,
        }
    }
}

/// The longest latency: a year. More is a mistake of unit.
const LONGEST: f64 = 365.0 * 86_400.0;

/// Each shift is a backtest of its own, and its figures are kept.
const MOST_SHIFTS: f64 = 100_000.0;

impl Config {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::BadSetting`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        let within = |name, value: f64, fits: bool, range| {
            if value.is_finite() && fits { Ok(()) } else { Err(Error::BadSetting { name, value, range }) }
        };
        let bps = |name, value: f64| within(name, value, (0.0..=1000.0).contains(&value), "from 0 to 1000 (10 %)");
        let least = |name, value: f64| within(name, value, (0.0..=1e12).contains(&value), "from 0 to 1000000000000");
        let capital = self.initial_capital;
        within("initial_capital", capital, capital > 0.0 && capital <= 1e15, "above 0 and at most 1000000000000000")?;
        let latency = self.latency_seconds;
        within("latency_seconds", latency, (0.0..=LONGEST).contains(&latency), "from 0 to 31536000 (a year)")?;
        bps("commission_bps", self.commission_bps)?;
        least("commission_min", self.commission_min)?;
        bps("half_spread_bps", self.half_spread_bps)?;
        bps("slippage_bps", self.slippage_bps)?;
        within("impact", self.impact, (0.0..=100.0).contains(&self.impact), "from 0 to 100")?;
        let window = self.impact_window as f64;
        within("impact_window", window, (2.0..=100_000.0).contains(&window), "from 2 to 100000 bars")?;
        let funding = self.funding_bps_per_day;
        within("funding_bps_per_day", funding, funding.abs() <= 1000.0, "from -1000 to 1000 (10 %)")?;
        let borrow = self.borrow_bps_per_year;
        within("borrow_bps_per_year", borrow, (0.0..=100_000.0).contains(&borrow), "from 0 to 100000")?;
        if let Some(cap) = self.volume_cap {
            within("volume_cap", cap, cap > 0.0 && cap <= 1.0, "above 0 and at most 1")?;
        }
        least("lot_size", self.lot_size)?;
        least("min_order", self.min_order)?;
        let threshold = self.rebalance_threshold;
        within("rebalance_threshold", threshold, (0.0..=1.0).contains(&threshold), "from 0 to 1")?;
        let cap = self.position_cap;
        within("position_cap", cap, cap > 0.0 && cap <= 1.0, "above 0 and at most 1")?;
        within("gross_cap", self.gross_cap, self.gross_cap > 0.0 && self.gross_cap <= 10.0, "above 0 and at most 10")?;
        let shifts = self.random_shifts as f64;
        within("random_shifts", shifts, shifts <= MOST_SHIFTS, "at most 100000")?;
        self.periods_per_year
            .map_or(Ok(()), |n| within("periods_per_year", n, n > 0.0 && n <= 1e9, "above 0 and at most 1000000000"))
    }
}
