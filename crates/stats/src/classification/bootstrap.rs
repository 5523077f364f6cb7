use super::Bootstrap;
use crate::distribution::quantile_sorted;
use crate::{Error, SplitMix64};

/// A figure with its interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The figure on the rows as they are.
    pub estimate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// Percentile intervals of several statistics of the same rows (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
/// ch. 13; as `scipy.stats.bootstrap(method="percentile")`). Assumes independent rows. Each resample is drawn once for all
/// statistics.
///
/// `statistics` is given the resampled row numbers (with repeats, as many as there are rows); none where a statistic is not
/// defined. A statistic that is undefined on the rows themselves, or on more than half of the resamples, has no interval.
///
/// # Errors
/// No rows, no resamples, a level outside (0, 1).
///
/// ```
/// use stats::classification::{bootstrap, Bootstrap};
/// let right = [1.0, 0.0, 1.0, 1.0];
/// let share = |rows: &[usize]| [Some(rows.iter().map(|&r| right[r]).sum::<f64>() / rows.len() as f64)];
/// let [found] = bootstrap(4, &Bootstrap { resamples: 500, level: 0.9, seed: 1 }, share)?;
/// let found = found.unwrap();
/// assert!(found.estimate == 0.75 && found.low < 0.75 && found.high <= 1.0);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn bootstrap<const N: usize>(
    rows: usize,
    settings: &Bootstrap,
    statistics: impl Fn(&[usize]) -> [Option<f64>; N],
) -> Result<[Option<Interval>; N], Error> {
    let Bootstrap { resamples, level, seed } = *settings;
    if rows == 0 || resamples == 0 {
        return Err(Error::Empty);
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::OutOfRange { name: "level", value: level, range: "between 0 and 1" });
    }
    let mut indices: Vec<usize> = (0..rows).collect();
    let estimates = statistics(&indices);
    let mut random = SplitMix64::new(seed);
    let mut drawn: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(resamples));
    for _ in 0..resamples {
        for index in &mut indices {
            *index = random.below(rows);
        }
        for (values, value) in drawn.iter_mut().zip(statistics(&indices)) {
            values.extend(value.filter(|v| v.is_finite()));
        }
    }
    let tail = (1.0 - level) / 2.0;
    let mut drawn = drawn.into_iter();
    Ok(estimates.map(|estimate| {
        let mut values = drawn.next()?;
        if 2 * values.len() < resamples {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let estimate = estimate.filter(|v| v.is_finite())?;
        Some(Interval { estimate, low: quantile_sorted(&values, tail)?, high: quantile_sorted(&values, 1.0 - tail)? })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::paired_bootstrap;

    #[test]
    fn one_statistic_of_several_is_what_it_is_alone() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
        let mean = |rows: &[usize]| Some(rows.iter().map(|&r| values[r]).sum::<f64>() / rows.len() as f64);
        let settings = Bootstrap { resamples: 300, level: 0.95, seed: 5 };
        let [found, none, rare] =
            bootstrap(50, &settings, |rows| [mean(rows), None, (rows[0] == 0).then_some(1.0)]).unwrap();
        let alone = paired_bootstrap(50, &settings, mean).unwrap();
        assert_eq!(found, Some(Interval { estimate: alone.estimate, low: alone.low, high: alone.high }));
        assert_eq!((none, rare), (None, None));
        assert!(bootstrap(0, &settings, |_| [Some(0.0)]).is_err());
        assert!(bootstrap(5, &Bootstrap { level: 1.0, ..settings }, |_| [Some(0.0)]).is_err());
    }
}
