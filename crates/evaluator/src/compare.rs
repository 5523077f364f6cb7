use crate::figures::confusion;
use crate::track::Track;
use crate::{Config, Error};
use artifacts::Seed;
use artifacts::rows::Sentiment;
use stats::classification::{Bootstrap, BootstrapInterval, accuracy, macro_f1, mcnemar_exact, paired_bootstrap};

/// Second minus first on the same rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Difference of macro-F1 with its paired bootstrap interval.
    pub macro_f1: BootstrapInterval,
    /// Difference of accuracy, likewise.
    pub accuracy: BootstrapInterval,
    /// Rows that only the first has right.
    pub only_first: u64,
    /// Rows that only the second has right.
    pub only_second: u64,
    /// McNemar's exact two-sided p-value of that.
    pub p_value: f64,
}

/// Compares two tracks row by row on the rows numbered `rows`.
///
/// # Errors
/// There are no rows, or not as many answers of one as of the other.
pub fn compare(
    (first, second): (&Track, &Track),
    truth: &[Sentiment],
    rows: &[usize],
    config: &Config,
    seed: Seed,
) -> Result<Comparison, Error> {
    if first.answers.len() != second.answers.len() {
        return Err(stats::Error::LengthMismatch { left: first.answers.len(), right: second.answers.len() }.into());
    }
    let settings = Bootstrap { resamples: config.resamples, level: config.confidence, seed: seed.0 };
    let difference = |figure: fn(&stats::classification::Confusion) -> Option<f64>| {
        let of = |track: &Track, drawn: &[usize]| {
            let drawn = drawn.iter().filter_map(|&place| rows.get(place).copied());
            figure(&confusion(track, truth, drawn).ok()?)
        };
        paired_bootstrap(rows.len(), &settings, |drawn| Some(of(second, drawn)? - of(first, drawn)?))
    };
    let right = |track: &Track, row: usize| track.answers.get(row).copied().flatten() == truth.get(row).copied();
    let (mut only_first, mut only_second) = (0, 0);
    for &row in rows {
        let (a, b) = (right(first, row), right(second, row));
        only_first += u64::from(a && !b);
        only_second += u64::from(b && !a);
    }
    Ok(Comparison {
        macro_f1: difference(macro_f1)?,
        accuracy: difference(accuracy)?,
        only_first,
        only_second,
        p_value: mcnemar_exact(only_first, only_second),
    })
}
