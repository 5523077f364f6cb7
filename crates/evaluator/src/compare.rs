use crate::figures::{Way, confusion};
use crate::{Config, Error};
use artifacts::Seed;
use artifacts::rows::Prediction;
use stats::classification::{Bootstrap, BootstrapInterval, macro_f1, mcnemar_exact, paired_bootstrap};

/// Tuned minus base on the same rows, taken one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Difference of macro-F1 with its paired bootstrap interval.
    pub macro_f1: BootstrapInterval,
    /// Rows that only the base model has right.
    pub only_base: u64,
    /// Rows that only the tuned model has right.
    pub only_tuned: u64,
    /// McNemar's exact two-sided p-value of that.
    pub p_value: f64,
}

/// Compares two models row by row. Both lists are in the same order of rows, as `run` makes them.
///
/// # Errors
/// There are no rows, or not as many of one as of the other.
pub fn compare(
    base: &[&Prediction],
    tuned: &[&Prediction],
    way: Way,
    config: &Config,
    seed: Seed,
) -> Result<Comparison, Error> {
    if base.len() != tuned.len() {
        return Err(stats::Error::LengthMismatch { left: base.len(), right: tuned.len() }.into());
    }
    let f1 = |rows: &[usize], of: &[&Prediction]| {
        let pairs = rows.iter().filter_map(|r| of.get(*r)).map(|p| (p.label, way.answer(p)));
        confusion(pairs).ok().and_then(|c| macro_f1(&c))
    };
    let settings = Bootstrap { resamples: config.resamples, level: config.confidence, seed: seed.derive(way.name()).0 };
    let interval = paired_bootstrap(base.len(), &settings, |rows| Some(f1(rows, tuned)? - f1(rows, base)?))?;
    let right = |p: &Prediction| way.answer(p) == Some(p.label);
    let (mut only_base, mut only_tuned) = (0, 0);
    for (b, t) in base.iter().zip(tuned) {
        only_base += u64::from(right(b) && !right(t));
        only_tuned += u64::from(right(t) && !right(b));
    }
    Ok(Comparison { macro_f1: interval, only_base, only_tuned, p_value: mcnemar_exact(only_base, only_tuned) })
}
