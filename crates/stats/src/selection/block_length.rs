use crate::finite::at_least;

/// Mean block lengths that make a bootstrap's variance estimate best, in rows.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct BlockLength {
    /// For the stationary bootstrap.
    pub stationary: f64,
    /// For the circular block bootstrap.
    pub circular: f64,
}

/// Automatic block length (Politis and White, Econometric Reviews 23, 2004, with the correction of Patton, Politis and
/// White, ibid. 28, 2009): from the autocovariances up to the lag after which `max(5, ⌊log10 n⌋)` in a row are
/// insignificant, under a flat-top window. At most ⌈min(3√n, n/3)⌉; may be below 1, which means independent rows.
/// None below 8 values or where they do not vary.
///
/// ```
/// // a slow wave needs long blocks
/// let wave: Vec<f64> = (0..400).map(|i| (f64::from(i) / 30.0).sin()).collect();
/// assert!(stats::selection::block_length(&wave).unwrap().stationary > 20.0);
/// ```
#[must_use]
pub fn block_length(values: &[f64]) -> Option<BlockLength> {
    let values = at_least(8, values)?;
    let n = values.len();
    let size = n as f64;
    let mean = values.iter().sum::<f64>() / size;
    let off: Vec<f64> = values.iter().map(|x| x - mean).collect();
    let longest = (3.0 * size.sqrt()).min(size / 3.0).ceil();
    let quiet = 5_usize.max(size.log10() as usize);
    // as many lags as the search may need, but never the series' end itself
    let lags = (size.sqrt().ceil() as usize + quiet).min(n - 2);
    let bound = 2.0 * (size.log10() / size).sqrt();

    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut covariances = Vec::with_capacity(lags + 1);
    let mut insignificant = Vec::with_capacity(lags + 1);
    for lag in 0..=lags {
        let cross = dot(&off[lag..], &off[..n - lag]);
        let (late, early) = (&off[lag + 1..], &off[..n - lag - 1]);
        covariances.push(cross / size);
        insignificant.push(cross.abs() / (dot(late, late) * dot(early, early)).sqrt() < bound);
    }
    if covariances.first().is_none_or(|v| *v <= 1e-28 * mean * mean || *v <= 0.0) {
        return None;
    }
    let last = (quiet..=lags).find(|i| insignificant[i - quiet..*i].iter().all(|q| *q)).map(|i| i - quiet);
    let window = last.map_or(lags, |m| (2 * m.max(1)).min(lags));
    let (mut curvature, mut spectrum) = (0.0, covariances[0]);
    for (k, covariance) in covariances.iter().enumerate().take(window + 1).skip(1) {
        let share = k as f64 / window as f64;
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        curvature += 2.0 * weight * k as f64 * covariance;
        spectrum += 2.0 * weight * covariance;
    }
    let length = |d: f64| {
        let found = (2.0 * curvature.powi(2) / d).cbrt() * size.cbrt();
        // a spectrum of 0 asks for endless blocks
        if found.is_nan() { longest } else { found.min(longest) }
    };
    Some(BlockLength { stationary: length(2.0 * spectrum.powi(2)), circular: length(4.0 / 3.0 * spectrum.powi(2)) })
}
