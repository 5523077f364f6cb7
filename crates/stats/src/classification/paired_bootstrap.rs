use crate::distribution::quantile_sorted;
use crate::{Error, SplitMix64};

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of resamples; 2,000 give a 95 % interval two stable digits.
    pub resamples: usize,
    /// Confidence, in (0, 1).
    pub level: f64,
    /// The seed: equal seed, equal interval.
    pub seed: u64,
}

/// The outcome of a paired bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct BootstrapInterval {
    /// The difference on the rows as they are.
    pub estimate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Share of resamples in which the difference is 0 or less: a one-sided p-value of "the second is better".
    pub share_not_above_zero: f64,
}

/// Percentile interval of a difference between two systems on the same `rows` rows (Efron and Tibshirani, An
/// Introduction to the Bootstrap, 1993, ch. 13). Both systems are always judged on the same resampled rows, so
/// what is common to both cancels. Assumes independent rows.
///
/// `difference` is given the resampled row numbers (with repeats, as many as there are rows) and returns second minus
/// first, or none where it is not defined; such resamples are left out.
///
/// # Errors
/// No rows; a level outside (0, 1); no resamples; a difference that is undefined on the rows themselves or on more than
/// half of the resamples.
///
/// ```
/// use stats::classification::{paired_bootstrap, Bootstrap};
/// let (first, second) = ([0.0, 1.0, 0.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
/// let gain = |rows: &[usize]| Some(rows.iter().map(|&r| second[r] - first[r]).sum::<f64>() / rows.len() as f64);
/// let interval = paired_bootstrap(6, &Bootstrap { resamples: 500, level: 0.9, seed: 1 }, gain)?;
/// assert_eq!(interval.estimate, 0.5);
/// assert!(interval.low <= 0.5 && 0.5 <= interval.high);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn paired_bootstrap(
    rows: usize,
    settings: &Bootstrap,
    difference: impl Fn(&[usize]) -> Option<f64>,
) -> Result<BootstrapInterval, Error> {
    let Bootstrap { resamples, level, seed } = *settings;
    if rows == 0 || resamples == 0 {
        return Err(Error::Empty);
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::OutOfRange { name: "level", value: level, range: "between 0 and 1" });
    }
    let mut indices: Vec<usize> = (0..rows).collect();
    let defined = |indices: &[usize]| difference(indices).filter(|d| d.is_finite());
    let estimate = defined(&indices).ok_or(Error::Undefined { undefined: 1, resamples: 1 })?;
    let mut random = SplitMix64::new(seed);
    let mut differences = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        for index in &mut indices {
            *index = random.below(rows);
        }
        differences.extend(defined(&indices));
    }
    let undefined = resamples - differences.len();
    if 2 * undefined > resamples {
        return Err(Error::Undefined { undefined, resamples });
    }
    differences.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let bound = |q| quantile_sorted(&differences, q).ok_or(Error::Undefined { undefined, resamples });
    let not_above = differences.iter().filter(|d| **d <= 0.0).count();
    Ok(BootstrapInterval {
        estimate,
        low: bound(tail)?,
        high: bound(1.0 - tail)?,
        share_not_above_zero: not_above as f64 / differences.len() as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Bootstrap = Bootstrap { resamples: 2000, level: 0.95, seed: 3 };

    #[test]
    fn it_agrees_with_the_normal_interval_of_a_mean() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 20) / 20.0).collect();
        let mean = |rows: &[usize]| Some(rows.iter().map(|&r| values[r]).sum::<f64>() / rows.len() as f64);
        let found = paired_bootstrap(values.len(), &SETTINGS, mean).unwrap();
        let half = 1.96 * crate::distribution::std(&values, 1).unwrap() / 20.0;
        assert!((found.high - found.estimate - half).abs() < 0.1 * half, "{found:?} {half}");
        assert!((found.estimate - found.low - half).abs() < 0.1 * half, "{found:?} {half}");
    }

    #[test]
    fn a_statistic_that_is_mostly_undefined_is_an_error() {
        assert_eq!(paired_bootstrap(0, &SETTINGS, |_| Some(0.0)), Err(Error::Empty));
        let first_row_twice = |rows: &[usize]| (rows == [0, 1, 2, 3, 4, 5]).then_some(1.0);
        assert!(matches!(paired_bootstrap(6, &SETTINGS, first_row_twice), Err(Error::Undefined { .. })));
    }
}
