//! Luck with the same turnover: the strategy's own targets, turned round in time by a random number of decisions. They
//! have its positions, holding times and costs (but for the seam), and know nothing about the prices they meet.

use crate::measure::turnover;
use crate::schedule::{FillAt, Schedule};
use crate::simulate::{Prices, play};
use crate::{Config, Error, Figures, Simulation};
use artifacts::rows::{Bar, Decision, EquityPoint};
use artifacts::{Progress, Seed};
use rand::Rng;
use stats::distribution::median;
use stats::trading::{self, PeriodsPerYear};

/// The strategy among its shifted copies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranking {
    /// Copies.
    pub(crate) copies: usize,
    /// Share of copies that earned less than the strategy (equal ones count half), in [0, 1].
    pub(crate) percentile: Option<f64>,
    /// (1 + copies that earned as much or more) / (1 + copies).
    pub(crate) p_value: Option<f64>,
    /// Medians over the copies.
    pub(crate) median: Figures,
    /// Total return of each copy.
    pub(crate) total_returns: Vec<f64>,
}

pub(crate) fn rank(
    bars: &[Bar],
    decisions: &[Decision],
    strategy: &Simulation,
    config: &Config,
    periods: PeriodsPerYear,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Ranking, Error> {
    let fill_at = FillAt::of(bars, config);
    let schedule = Schedule::new(bars, decisions, fill_at)?;
    let prices = Prices::new(bars, fill_at);
    let targets: Vec<f64> = decisions.iter().map(|d| d.position).collect();
    let shifts = shifts(targets.len(), config.random_shifts, seed);
    let ticker = progress.start("shifted copies", shifts.len() as u64);
    let mut columns: [Vec<f64>; 5] = Default::default();
    for (done, shift) in shifts.iter().enumerate() {
        let mut shifted = targets.clone();
        shifted.rotate_right(*shift);
        let account = play(&prices, &schedule.orders, &shifted, config);
        let copy = light(strategy, bars, &account);
        let returns = copy.returns();
        let figures = [
            Some(copy.final_equity() / copy.initial_capital - 1.0),
            trading::sharpe(&returns, 0.0, periods),
            trading::max_drawdown(&returns),
            turnover_of(&account, &copy),
            Some(copy.points.iter().map(|p| p.cost).sum()),
        ];
        for (column, figure) in columns.iter_mut().zip(figures) {
            column.extend(figure);
        }
        ticker.at(done as u64 + 1, "");
    }
    let own = strategy.final_equity() / strategy.initial_capital - 1.0;
    let names = ["total_return", "sharpe_ratio", "max_drawdown", "turnover", "total_cost"];
    let median = names.into_iter().zip(columns.iter().map(|c| median(c))).collect();
    let [total_returns, ..] = columns;
    let copies = total_returns.len();
    let less = total_returns.iter().filter(|r| **r < own).count() as f64;
    let more = total_returns.iter().filter(|r| **r > own).count() as f64;
    let equal = copies as f64 - less - more;
    let any = copies > 0;
    Ok(Ranking {
        copies,
        percentile: any.then(|| (less + equal / 2.0) / copies as f64),
        p_value: any.then(|| (1.0 + more + equal) / (1.0 + copies as f64)),
        median,
        total_returns,
    })
}

/// Distinct shifts from 1 to n - 1, in order; all of them where there are not more than asked for.
fn shifts(n: usize, wanted: usize, seed: Seed) -> Vec<usize> {
    let mut all: Vec<usize> = (1..n).collect();
    if all.len() > wanted {
        let mut rng = seed.rng();
        for i in 0..wanted {
            let other = rng.random_range(i..all.len());
            all.swap(i, other);
        }
        all.truncate(wanted);
        all.sort_unstable();
    }
    all
}

/// Only what the figures above need.
fn light(strategy: &Simulation, bars: &[Bar], account: &crate::simulate::Account) -> Simulation {
    let points = bars.iter().zip(&account.bars).map(|(bar, after)| EquityPoint {
        event_at: bar.event_at,
        close: bar.close,
        equity: after.equity,
        market_equity: strategy.initial_capital,
        position: after.position,
        cost: after.cost,
    });
    Simulation {
        fill_at: strategy.fill_at,
        initial_capital: strategy.initial_capital,
        points: points.collect(),
        fills: Vec::new(),
        superseded: 0,
        unfilled: 0,
        refused: account.refused,
        ruined_at: None,
    }
}

fn turnover_of(account: &crate::simulate::Account, copy: &Simulation) -> Option<f64> {
    let traded: f64 = account.fills.iter().map(|(_, _, e)| e.units.abs() * e.price).sum();
    turnover(traded, &copy.points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_are_distinct_never_zero_and_the_same_for_the_same_seed() {
        let found = shifts(1000, 200, Seed(7));
        assert_eq!(found.len(), 200);
        assert!(found.windows(2).all(|w| w[0] < w[1]) && found[0] > 0 && found[199] < 1000);
        assert_eq!(found, shifts(1000, 200, Seed(7)));
        assert_ne!(found, shifts(1000, 200, Seed(8)));
        assert_eq!(shifts(4, 200, Seed(7)), [1, 2, 3]);
        assert!(shifts(1, 200, Seed(7)).is_empty());
    }
}
