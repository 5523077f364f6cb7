//! Many variants of a rule over the same bars in one pass: indicator columns are computed once and shared, each variant's
//! account jumps from fill to fill. Its figures are those of the event engine running the same rule (`tests/sweep.rs`).

mod account;
mod choice;
mod cross_validation;
mod grid;
mod judged;
mod market;
mod splits;
mod stage;
mod walk_forward;

pub use choice::{Choice, Score};
pub use cross_validation::{CROSS_VALIDATION_VERSION, CrossValidationConfig, run_cross_validation};
pub use grid::{Range, grid};
pub use splits::{Split, purged_folds, walk_forward_splits};
pub use stage::{SWEEP_VERSION, SweepConfig, run_sweep};
pub use walk_forward::{WALK_FORWARD_VERSION, WalkForwardConfig, run_walk_forward};

use crate::rules::Turns;
use crate::{Config, Error, Figures, Parameters, Sides, Signal, Simulation, measure, simulate};
use account::{Account, Tally};
use artifacts::rows::{Bar, Decision};
use market::{Columns, Market, Source};
use rayon::prelude::*;
use stats::trading::PeriodsPerYear;
use std::ops;

/// What one variant would have earned.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The variant.
    pub parameters: Parameters,
    /// Return after costs, a share.
    pub total_return: f64,
    /// Mean over standard deviation (ddof 1) of the returns of bars; none where they do not vary.
    pub sharpe_per_bar: Option<f64>,
    /// Standard deviation of the returns of bars.
    pub deviation: Option<f64>,
    /// Deepest fall below the highest point, 0 or negative.
    pub max_drawdown: f64,
    /// Closed trades.
    pub trades: u64,
    /// Winners among closed trades that won or lost.
    pub win_rate: Option<f64>,
    /// Gains over losses of closed trades.
    pub profit_factor: Option<f64>,
    /// Share of bars at whose end a position was held.
    pub exposure: f64,
    /// Costs, in currency.
    pub cost: f64,
    /// Equity after the last bar, in currency.
    pub final_equity: f64,
}

/// Bars and columns made ready for any number of passes.
pub struct Sweep<'a> {
    bars: &'a [Bar],
    grid: &'a [Parameters],
    sides: Sides,
    config: &'a Config,
    /// None where the settings or bars need the event engine.
    fast: Option<(Market, Columns)>,
}

impl<'a> Sweep<'a> {
    /// Computes the shared columns.
    ///
    /// # Errors
    /// A setting or a variant out of range; same-bar fills without the setting that allows them.
    pub fn new(bars: &'a [Bar], grid: &'a [Parameters], sides: Sides, config: &'a Config) -> Result<Self, Error> {
        config.check()?;
        grid.iter().try_for_each(Parameters::check)?;
        let market = if in_columns(config) { Market::new(bars, config)? } else { None };
        let fast = match market {
            Some(market) => {
                let columns = Columns::new(&market.close, grid)?;
                Some((market, columns))
            }
            None => None,
        };
        Ok(Self { bars, grid, sides, config, fast })
    }

    /// Whether variants run over columns; otherwise each runs through the event engine, which knows every setting.
    pub fn is_fast(&self) -> bool {
        self.fast.is_some()
    }

    /// Every variant over all bars.
    ///
    /// # Errors
    /// Whatever [`simulate`] refuses.
    pub fn variants(&self) -> Result<Vec<Variant>, Error> {
        self.variants_within(0..self.bars.len())
    }

    /// Every variant over some of the bars: each begins with cash and goes where the rule, which saw all bars before,
    /// already was. Indicators see no bar of a later range.
    ///
    /// # Errors
    /// Whatever [`simulate`] refuses.
    pub fn variants_within(&self, range: ops::Range<usize>) -> Result<Vec<Variant>, Error> {
        let one = |scratch: &mut Vec<(usize, f64)>, p: &Parameters| self.variant(p, range.clone(), scratch, None);
        self.grid.par_iter().map_init(Vec::new, one).collect()
    }

    /// The returns of every variant, one for each bar in which a position can be held: bars × variants, by variant. What
    /// tests of many variants against each other need.
    ///
    /// # Errors
    /// Whatever [`simulate`] refuses.
    pub fn returns(&self) -> Result<Vec<Vec<f64>>, Error> {
        let one = |scratch: &mut Vec<(usize, f64)>, p: &Parameters| {
            let mut returns = Vec::with_capacity(self.bars.len());
            self.variant(p, 0..self.bars.len(), scratch, Some(&mut returns))?;
            Ok(returns)
        };
        self.grid.par_iter().map_init(Vec::new, one).collect()
    }

    /// The returns of one variant over some of the bars.
    ///
    /// # Errors
    /// Whatever [`simulate`] refuses.
    pub fn returns_within(&self, p: &Parameters, range: ops::Range<usize>) -> Result<Vec<f64>, Error> {
        let mut returns = Vec::with_capacity(range.len());
        self.variant(p, range, &mut Vec::new(), Some(&mut returns))?;
        Ok(returns)
    }

    fn variant(
        &self,
        p: &Parameters,
        range: ops::Range<usize>,
        turns: &mut Vec<(usize, f64)>,
        mut returns: Option<&mut Vec<f64>>,
    ) -> Result<Variant, Error> {
        if let Some((market, columns)) = &self.fast {
            self.turns(market, columns, p, &range, turns);
            let account = Account::new(market, self.config);
            if let Some(tally) = account.play(turns, range.start, range.end, returns.as_deref_mut()) {
                return Ok(tallied(*p, &tally, self.config, range.len()));
            }
        }
        let simulation = self.event_engine(p, range)?;
        // what the columns wrote before they gave up is replaced
        if let Some(returns) = returns {
            *returns = simulation.returns();
        }
        Ok(measured(*p, &simulation))
    }

    /// When the wanted position changes, as (bar, target).
    fn turns(
        &self,
        market: &Market,
        columns: &Columns,
        p: &Parameters,
        range: &ops::Range<usize>,
        found: &mut Vec<(usize, f64)>,
    ) {
        found.clear();
        let (threshold, mut turns) = (p.threshold(), Turns::new(p.rule, self.sides));
        let end = range.end.min(market.len());
        match columns.source(p) {
            Source::One(values) => {
                turns.scan(values.get(..end).unwrap_or_default(), threshold, |i, t| found.push((i, t)));
            }
            Source::Difference(a, b) => {
                let mut block = [0.0; 1024];
                let (a, b) = (a.get(..end).unwrap_or_default(), b.get(..end).unwrap_or_default());
                for (n, (a, b)) in a.chunks(block.len()).zip(b.chunks(1024)).enumerate() {
                    for ((d, a), b) in block.iter_mut().zip(a).zip(b) {
                        *d = a - b;
                    }
                    let values = block.get(..a.len()).unwrap_or_default();
                    turns.scan(values, threshold, |i, t| found.push((n * 1024 + i, t)));
                }
            }
        }
        // what was wanted before the range is wanted on its eve
        let before = found.partition_point(|(bar, _)| *bar < range.start);
        if let Some((bar, _)) = before.checked_sub(1).and_then(|last| found.get_mut(last)) {
            *bar = if market.fill_at.is_lookahead() { range.start } else { range.start.saturating_sub(1) };
        }
        found.drain(..before.saturating_sub(1));
    }

    fn event_engine(&self, p: &Parameters, range: ops::Range<usize>) -> Result<Simulation, Error> {
        let all = rule_decisions(self.bars.get(..range.end).unwrap_or_default(), *p, self.sides)?;
        let eve = range.start.saturating_sub(1);
        let bars = self.bars.get(eve..range.end).unwrap_or_default();
        let Some(first) = bars.first() else { return simulate(bars, &[], self.config) };
        let mut decisions: Vec<Decision> = all.iter().filter(|d| d.bar_at >= first.event_at).cloned().collect();
        let wanted = all.iter().rfind(|d| d.bar_at < first.event_at);
        if let Some(wanted) = wanted.filter(|_| decisions.first().is_none_or(|d| d.bar_at > first.event_at)) {
            let (bar_at, decided_at) = (first.event_at, first.available_at);
            decisions.insert(0, Decision { bar_at, decided_at, ..wanted.clone() });
        }
        simulate(bars, &decisions, self.config)
    }
}

/// Whether columns can say what these settings do.
fn in_columns(c: &Config) -> bool {
    let free = [c.commission_min, c.impact, c.funding_bps_per_day, c.borrow_bps_per_year, c.min_order];
    free.iter().all(|v| *v == 0.0) && c.volume_cap.is_none()
}

/// The decisions of a rule on the bars of one instrument: one on each bar where the wanted position changes, made the moment
/// its close is known.
///
/// # Errors
/// Parameters that the rule does not know.
pub fn rule_decisions(bars: &[Bar], parameters: Parameters, sides: Sides) -> Result<Vec<Decision>, Error> {
    let mut signal = Signal::new(parameters, sides)?;
    let decision = |bar: &Bar| {
        signal.next(bar.close).map(|position| Decision {
            symbol: bar.symbol.clone(),
            bar_at: bar.event_at,
            decided_at: bar.available_at,
            position,
            sentiment: None,
            technical: None,
            news_ids: Vec::new(),
            confidence: None,
            fact_ids: Vec::new(),
            rationale: format!("{} {parameters}", parameters.rule.name()),
        })
    };
    Ok(bars.iter().filter_map(decision).collect())
}

fn ratio(a: f64, b: f64) -> Option<f64> {
    Some(a / b).filter(|r| r.is_finite())
}

fn tallied(parameters: Parameters, tally: &Tally, config: &Config, bars: usize) -> Variant {
    let n = tally.returns as f64;
    let mean = tally.sum / n;
    let variance = (tally.squares - n * mean * mean) / (n - 1.0);
    // below this the sums above hold rounding only
    let varies = variance > 1e-13 * tally.squares / n;
    let deviation = Some(variance.sqrt()).filter(|d| varies && d.is_finite());
    Variant {
        parameters,
        total_return: tally.final_equity / config.initial_capital - 1.0,
        sharpe_per_bar: deviation.and_then(|d| ratio(mean, d)),
        deviation: if n > 1.0 { deviation.or(Some(0.0)) } else { None },
        max_drawdown: tally.worst - 1.0,
        trades: tally.trades,
        win_rate: ratio(tally.wins as f64, (tally.wins + tally.losses) as f64),
        profit_factor: ratio(tally.gains, tally.lost),
        exposure: tally.held as f64 / bars as f64,
        cost: tally.cost,
        final_equity: tally.final_equity,
    }
}

fn measured(parameters: Parameters, simulation: &Simulation) -> Variant {
    let returns = simulation.returns();
    let periods = PeriodsPerYear::CALENDAR_DAYS;
    let figures: Figures = measure(simulation, periods);
    let of = |name: &str| figures.iter().find(|(n, _)| *n == name).and_then(|(_, v)| *v);
    let root = periods.get().sqrt();
    Variant {
        parameters,
        total_return: of("total_return").unwrap_or_default(),
        sharpe_per_bar: of("sharpe_ratio").map(|s| s / root),
        deviation: stats::distribution::std(&returns, 1),
        max_drawdown: of("max_drawdown").unwrap_or_default(),
        trades: of("trades").unwrap_or_default() as u64,
        win_rate: of("win_rate_trades"),
        profit_factor: of("profit_factor_trades"),
        exposure: of("exposure").unwrap_or_default(),
        cost: of("total_cost").unwrap_or_default(),
        final_equity: simulation.final_equity(),
    }
}
