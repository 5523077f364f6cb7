use super::{StationaryBootstrap, block_length};
use crate::distribution::quantile_sorted;
use crate::{Error, SplitMix64};

/// How to resample a series whose rows depend on each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampling {
    /// Number of resamples; 2,000 give a 95 % interval two stable digits.
    pub resamples: usize,
    /// Confidence, in (0, 1).
    pub level: f64,
    /// The seed: equal seed, equal interval.
    pub seed: u64,
    /// Mean length of a block in rows.
    pub mean_block: f64,
}

/// A figure with its percentile interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The figure of the series itself.
    pub estimate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Share of resamples in which it is 0 or less.
    pub share_not_above_zero: f64,
    /// Two-sided p-value of "it is 0": share of resamples whose distance from the estimate is at least the estimate's
    /// from 0, (1 + count) / (1 + resamples).
    pub p_value: f64,
    /// Mean length of a block in rows.
    pub mean_block: f64,
    /// Standard deviation over the resamples.
    pub standard_error: f64,
}

/// Percentile interval of a figure of `rows` rows under the stationary bootstrap. `figure` is given the resampled row
/// numbers (with repeats, as many as there are rows); resamples in which it is not defined are left out.
///
/// # Errors
/// No rows; no resamples; a level outside (0, 1); a figure that is undefined on the rows themselves or on more than half
/// of the resamples.
///
/// ```
/// use stats::selection::{stationary_interval, Resampling};
/// let returns: Vec<f64> = (0..200).map(|i| 0.001 + 0.01 * f64::from(i * 7919 % 200 - 100) / 100.0).collect();
/// let settings = Resampling { resamples: 500, level: 0.95, seed: 1, mean_block: 5.0 };
/// let mean = |rows: &[usize]| Some(rows.iter().map(|r| returns[*r]).sum::<f64>() / rows.len() as f64);
/// let found = stationary_interval(returns.len(), &settings, mean)?;
/// assert!(found.low < found.estimate && found.estimate < found.high);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn stationary_interval(
    rows: usize,
    settings: &Resampling,
    figure: impl Fn(&[usize]) -> Option<f64>,
) -> Result<Interval, Error> {
    let Resampling { resamples, level, seed, mean_block } = *settings;
    if rows == 0 || resamples == 0 {
        return Err(Error::Empty);
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::OutOfRange { name: "level", value: level, range: "between 0 and 1" });
    }
    let defined = |indices: &[usize]| figure(indices).filter(|d| d.is_finite());
    let mut indices: Vec<usize> = (0..rows).collect();
    let estimate = defined(&indices).ok_or(Error::Undefined { undefined: 1, resamples: 1 })?;
    let (bootstrap, mut random) = (StationaryBootstrap::new(rows, mean_block), SplitMix64::new(seed));
    let mut found = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        bootstrap.fill(&mut random, &mut indices);
        found.extend(defined(&indices));
    }
    let undefined = resamples - found.len();
    if 2 * undefined > resamples {
        return Err(Error::Undefined { undefined, resamples });
    }
    found.sort_by(f64::total_cmp);
    let n = found.len() as f64;
    let tail = (1.0 - level) / 2.0;
    let bound = |q| quantile_sorted(&found, q).ok_or(Error::Undefined { undefined, resamples });
    let beyond = found.iter().filter(|d| (**d - estimate).abs() >= estimate.abs()).count() as f64;
    Ok(Interval {
        estimate,
        low: bound(tail)?,
        high: bound(1.0 - tail)?,
        share_not_above_zero: found.iter().filter(|d| **d <= 0.0).count() as f64 / n,
        p_value: (1.0 + beyond) / (1.0 + n),
        mean_block,
        standard_error: crate::distribution::std(&found, 0).unwrap_or(0.0),
    })
}

/// Interval of `figure(second) − figure(first)` for two strategies over the same periods: both are always judged on the
/// same resampled blocks, so that what is common to both (the market) cancels. Without `mean_block` the blocks are as
/// long as the difference of the two asks for ([`block_length`]).
///
/// # Errors
/// Series of different length; otherwise as [`stationary_interval`].
pub fn paired_difference(
    first: &[f64],
    second: &[f64],
    mean_block: Option<f64>,
    settings: &Resampling,
    figure: impl Fn(&[f64]) -> Option<f64>,
) -> Result<Interval, Error> {
    if first.len() != second.len() {
        return Err(Error::LengthMismatch { left: first.len(), right: second.len() });
    }
    let gap: Vec<f64> = first.iter().zip(second).map(|(a, b)| b - a).collect();
    let automatic = || block_length(&gap).map_or(1.0, |b| b.stationary.max(1.0));
    let settings = Resampling { mean_block: mean_block.unwrap_or_else(automatic), ..*settings };
    stationary_interval(first.len(), &settings, |rows| {
        let take = |series: &[f64]| rows.iter().map(|r| series[*r]).collect::<Vec<f64>>();
        Some(figure(&take(second))? - figure(&take(first))?)
    })
}
