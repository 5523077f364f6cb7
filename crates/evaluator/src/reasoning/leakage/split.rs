//! What a run earned before and after the model's training text ends.

use super::LeakageConfig;
use super::chance::at_least_by_shifting;
use crate::reasoning::claims::Rate;
use crate::reasoning::outcome::Outcome;
use artifacts::Timestamp;
use stats::distribution::mean;
use stats::selection::spearman;

/// Fewer decisions on a side are not compared.
const LEAST: u64 = 20;

/// One side of the cut-off.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) name: &'static str,
    pub(crate) decisions: u64,
    pub(crate) right: Rate,
    /// Position times the return that followed, a bar on average, before costs.
    pub(crate) earned: Option<f64>,
    pub(crate) information: Option<f64>,
}

/// Both sides and their difference.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    pub(crate) sides: [Side; 2],
    /// Mean earned before minus after; none where a side has too few decisions.
    pub(crate) difference: Option<f64>,
    /// How often shifting the outcomes in time gives a difference as large.
    pub(crate) p: Option<f64>,
}

pub(crate) fn split(config: &LeakageConfig, outcomes: &[Outcome<'_>], cutoff: Timestamp) -> Split {
    let rows: Vec<(bool, f64, f64)> =
        outcomes.iter().filter_map(|o| Some((o.decision.bar_at <= cutoff, o.decision.position, o.main?))).collect();
    let side = |name, before: bool| {
        let own: Vec<&(bool, f64, f64)> = rows.iter().filter(|r| r.0 == before).collect();
        let called = own.iter().filter(|r| r.1 != 0.0 && r.2 != 0.0);
        let (hits, calls) = called.fold((0, 0), |(h, n), r| (h + u64::from((r.1 > 0.0) == (r.2 > 0.0)), n + 1));
        let (positions, returns): (Vec<f64>, Vec<f64>) = own.iter().map(|r| (r.1, r.2)).unzip();
        let earned: Vec<f64> = own.iter().map(|r| r.1 * r.2).collect();
        Side {
            name,
            decisions: own.len() as u64,
            right: Rate::of(hits, calls, config.confidence),
            earned: mean(&earned),
            information: spearman(&positions, &returns),
        }
    };
    let sides = [side("up to the cut-off", true), side("after the cut-off", false)];
    if sides.iter().any(|s| s.decisions < LEAST) {
        return Split { sides, difference: None, p: None };
    }
    let earned: Vec<f64> = rows.iter().map(|r| r.1 * r.2).collect();
    let gap = |shift: usize| {
        let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
        for (n, (before, ..)) in rows.iter().enumerate() {
            let value = earned.get((n + shift) % earned.len()).copied().unwrap_or(0.0);
            let place = usize::from(!before);
            if let (Some(sum), Some(count)) = (sums.get_mut(place), counts.get_mut(place)) {
                *sum += value;
                *count += 1.0;
            }
        }
        sums[0] / counts[0] - sums[1] / counts[1]
    };
    let difference = gap(0);
    let p = at_least_by_shifting(rows.len(), config.permutations, |shift| gap(shift).abs(), difference.abs());
    Split { sides, difference: Some(difference), p }
}
