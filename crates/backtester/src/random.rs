//! Luck with the same turnover: copies of the strategy that trade its own targets at other times. They have its positions
//! and costs, and know nothing about the prices they meet.

use crate::measure::turnover;
use crate::simulate::simulate_targets;
use crate::{Config, Error, Figures, Simulation};
use artifacts::rows::{Bar, Decision};
use artifacts::{Progress, Seed};
use rand::Rng;
use stats::distribution::median;
use stats::trading::{self, PeriodsPerYear};

/// The strategy among its copies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranking {
    /// What the copies are, such as `random` in the names of figures.
    pub(crate) name: &'static str,
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

/// What the copies are copies of.
pub(crate) struct Original<'a> {
    pub(crate) bars: &'a [Bar],
    pub(crate) decisions: &'a [Decision],
    pub(crate) simulation: &'a Simulation,
    pub(crate) config: &'a Config,
    pub(crate) periods: PeriodsPerYear,
}

/// The targets of one instrument, turned round in time by random numbers of decisions: the same spells in the same order,
/// but for the seam.
pub(crate) fn shifted(targets: &[f64], copies: usize, seed: Seed) -> Vec<Vec<f64>> {
    let turned = |shift: usize| {
        let mut shifted = targets.to_vec();
        shifted.rotate_right(shift);
        shifted
    };
    shifts(targets.len(), copies, seed).into_iter().map(turned).collect()
}

/// Runs the copies, each with its own targets in place of the strategy's, and ranks the strategy among them.
pub(crate) fn rank(
    name: &'static str,
    original: &Original<'_>,
    copies: &[Vec<f64>],
    progress: &dyn Progress,
) -> Result<Ranking, Error> {
    let Original { bars, decisions, simulation: strategy, config, periods } = *original;
    let ticker = progress.start(name, copies.len() as u64);
    let mut columns: [Vec<f64>; 5] = Default::default();
    for (done, targets) in copies.iter().enumerate() {
        let copy = simulate_targets(bars, decisions, targets, config)?;
        let returns = copy.returns();
        let figures = [
            Some(copy.final_equity() / copy.initial_capital - 1.0),
            trading::sharpe(&returns, 0.0, periods),
            trading::max_drawdown(&returns),
            turnover(copy.fills.iter().map(|f| f.units.abs() * f.price).sum(), &copy.points),
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
        name,
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
