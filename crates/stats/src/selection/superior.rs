use super::StationaryBootstrap;
use crate::{Error, SplitMix64};

/// p-values of "no strategy is better than the benchmark".
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Tail {
    /// As if every strategy worse than the benchmark did not matter: too small, a lower bound.
    pub lower: f64,
    /// Hansen's: strategies that are clearly worse do not matter.
    pub consistent: f64,
    /// As if every strategy were exactly as good as the benchmark: too large, an upper bound. Without studentising this
    /// is White's reality check.
    pub upper: f64,
}

/// The outcome of [`superior`].
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Superior {
    /// √n times the mean advantage over the benchmark of the best strategy, over its standard deviation if studentised;
    /// at least 0 if studentised.
    pub statistic: f64,
    /// The strategy with the largest statistic.
    pub best: usize,
    /// Which strategies are not clearly worse than the benchmark.
    pub relevant: Vec<bool>,
    /// p-values, (1 + count) / (1 + resamples).
    pub p: Tail,
    /// Resamples.
    pub resamples: usize,
}

/// Is the best of several strategies better than a benchmark, given that it is the best of several? `advantages` holds for
/// each strategy its return less the benchmark's, per period.
///
/// Test for superior predictive ability (Hansen, Journal of Business & Economic Statistics 23, 2005) if `studentised`;
/// otherwise the `upper` value is the reality check (White, Econometrica 68, 2000). Statistic max over k of √n·d̄/ω with
/// ω² the long-run variance under the stationary bootstrap's kernel (Hansen's eq. 8); a strategy is relevant where
/// √n·d̄/ω ≥ −√(2 ln ln n). A strategy that equals the benchmark in every period takes no part. Cost: strategies ·
/// blocks · resamples.
///
/// # Errors
/// No strategy, fewer than 8 periods, no resamples, series of different length, a value that is not finite, or every
/// strategy the same as the benchmark.
pub fn superior(
    advantages: &[Vec<f64>],
    mean_block: f64,
    resamples: usize,
    seed: u64,
    studentised: bool,
) -> Result<Superior, Error> {
    let rows = advantages.first().map_or(0, Vec::len);
    let (bootstrap, mut random) = (StationaryBootstrap::new(rows, mean_block), SplitMix64::new(seed));
    let draws = (0..resamples).map(|_| {
        let mut indices = vec![0; rows];
        bootstrap.fill(&mut random, &mut indices);
        indices
    });
    superior_given(advantages, mean_block, draws, studentised)
}

/// [`superior`] on resamples drawn elsewhere: row numbers, as many as there are periods, for each.
///
/// # Errors
/// As [`superior`].
pub fn superior_given(
    advantages: &[Vec<f64>],
    mean_block: f64,
    draws: impl Iterator<Item = Vec<usize>>,
    studentised: bool,
) -> Result<Superior, Error> {
    let rows = advantages.first().map_or(0, Vec::len);
    if advantages.is_empty() {
        return Err(Error::Empty);
    }
    if rows < 8 {
        return Err(Error::OutOfRange { name: "the number of periods", value: rows as f64, range: "from 8" });
    }
    for series in advantages {
        if series.len() != rows {
            return Err(Error::LengthMismatch { left: rows, right: series.len() });
        }
        if let Some(value) = series.iter().find(|x| !x.is_finite()) {
            return Err(Error::OutOfRange { name: "an advantage", value: *value, range: "that is finite" });
        }
    }
    let n = rows as f64;
    let strategies: Vec<Strategy> = advantages.iter().map(|x| Strategy::new(x, mean_block)).collect();
    if strategies.iter().all(|s| s.deviation <= 0.0) {
        let range = "that differs from the benchmark for one strategy at least";
        return Err(Error::OutOfRange { name: "the largest deviation", value: 0.0, range });
    }
    let scale = |s: &Strategy| if studentised { s.deviation } else { 1.0 };
    let floor = if studentised { 0.0 } else { f64::NEG_INFINITY };
    let threshold = -(2.0 * n.ln().ln()).sqrt();
    let relevant: Vec<bool> =
        strategies.iter().map(|s| s.deviation > 0.0 && n.sqrt() * s.mean >= threshold * s.deviation).collect();
    let (mut best, mut statistic) = (0, f64::NEG_INFINITY);
    for (k, s) in strategies.iter().enumerate().filter(|(_, s)| s.deviation > 0.0) {
        let own = n.sqrt() * s.mean / scale(s);
        if own > statistic {
            (best, statistic) = (k, own);
        }
    }
    statistic = statistic.max(floor);

    let (mut exceeding, mut resamples) = ([0_u64; 3], 0_u64);
    for draw in draws {
        if draw.len() != rows || draw.iter().any(|r| *r >= rows) {
            return Err(Error::LengthMismatch { left: rows, right: draw.len() });
        }
        let runs: Vec<(usize, usize)> =
            draw.chunk_by(|a, b| *b == a + 1).map(|run| (run[0], run[0] + run.len())).collect();
        let mut top = [floor; 3];
        for (s, relevant) in strategies.iter().zip(&relevant).filter(|(s, _)| s.deviation > 0.0) {
            let mean = s.mean + runs.iter().map(|(from, to)| s.sums[*to] - s.sums[*from]).sum::<f64>() / n;
            let centres = [s.mean.max(0.0), if *relevant { s.mean } else { 0.0 }, s.mean];
            for (top, centre) in top.iter_mut().zip(centres) {
                *top = top.max(n.sqrt() * (mean - centre) / scale(s));
            }
        }
        for (count, top) in exceeding.iter_mut().zip(top) {
            // at the floor nothing speaks against the null, and every resample is as large
            *count += u64::from(top >= statistic);
        }
        resamples += 1;
    }
    if resamples == 0 {
        return Err(Error::Empty);
    }
    let [lower, consistent, upper] = exceeding.map(|c| (1.0 + c as f64) / (1.0 + resamples as f64));
    Ok(Superior { statistic, best, relevant, p: Tail { lower, consistent, upper }, resamples: resamples as usize })
}

struct Strategy {
    mean: f64,
    /// ω; 0 where the series does not vary.
    deviation: f64,
    /// Sums of the deviations from the mean before each period: a block's sum is the difference of two.
    sums: Vec<f64>,
}

impl Strategy {
    fn new(series: &[f64], mean_block: f64) -> Self {
        let n = series.len() as f64;
        let mean = series.iter().sum::<f64>() / n;
        let off: Vec<f64> = series.iter().map(|x| x - mean).collect();
        let plain = off.iter().map(|x| x * x).sum::<f64>() / n;
        let variance = plain + 2.0 * kernel_sum(&off, 1.0 - 1.0 / mean_block.max(1.0)) / n;
        // a constant series has no variance but for rounding
        let varies = plain > 1e-28 * mean * mean && variance > 0.0;
        let add = |sum: &mut f64, x: &f64| {
            *sum += x;
            Some(*sum)
        };
        let sums = std::iter::once(0.0).chain(off.iter().scan(0.0, add)).collect();
        Self { mean, deviation: if varies { variance.sqrt() } else { 0.0 }, sums }
    }
}

/// Σ over lags k ≥ 1 of w(k)·Σ_t x[t]·x[t + k] with the stationary bootstrap's kernel w(k) = (1 − k/n)·g^k + (k/n)·g^(n − k),
/// g the probability that a block goes on. In one pass from the end, because powers of g follow from each other: with
/// s = Σ g^k·x[t + k] and r = Σ k·g^k·x[t + k] for the first part, and Σ g^(n − u)·x[u] and Σ g^(n − u)·u·x[u] for the second.
fn kernel_sum(x: &[f64], g: f64) -> f64 {
    let n = x.len() as f64;
    let (mut s, mut r, mut around, mut around_u) = (0.0, 0.0, 0.0, 0.0);
    let mut sum = 0.0;
    for (t, value) in x.iter().enumerate().rev() {
        let at = t as f64;
        sum += value * (s - r / n + g.powf(at) * (around_u - at * around) / n);
        (s, r) = (g * (value + s), g * (value + s + r));
        let weight = g.powf(n - at);
        around += weight * value;
        around_u += weight * at * value;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_over_all_lags_is_that_of_its_definition() {
        let x: Vec<f64> = (0..60).map(|i| (f64::from(i) * 1.7).sin() + f64::from(i % 5) * 0.3 - 0.6).collect();
        for g in [0.0, 0.5, 0.9, 0.999] {
            let n = x.len() as f64;
            let lag = |k: usize| {
                let share = k as f64 / n;
                let weight = (1.0 - share) * f64::powf(g, k as f64) + share * f64::powf(g, n - k as f64);
                weight * x.iter().zip(&x[k..]).map(|(a, b)| a * b).sum::<f64>()
            };
            let slow: f64 = (1..x.len()).map(lag).sum();
            assert!((kernel_sum(&x, g) - slow).abs() < 1e-9 * slow.abs().max(1.0), "{g}: {slow}");
        }
    }
}
