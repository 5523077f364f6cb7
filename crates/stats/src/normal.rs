//! The standard normal distribution, to about 15 digits.

use std::f64::consts::{PI, SQRT_2};

/// Density at `z`: exp(-z²/2) / √(2π).
///
/// ```
/// assert!((stats::normal::density(0.0) - 0.398_942_280_401_432_7).abs() < 1e-15);
/// ```
#[must_use]
pub fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// Probability of a value below `z`: Φ(z) = erfc(-z/√2) / 2.
///
/// ```
/// assert!((stats::normal::cdf(1.96) - 0.975_002_104_851_779_5).abs() < 1e-15);
/// ```
#[must_use]
pub fn cdf(z: f64) -> f64 {
    if z < 0.0 { 0.5 * erfc(-z / SQRT_2) } else { 1.0 - 0.5 * erfc(z / SQRT_2) }
}

/// The `z` below which a value lies with probability `p`; none unless 0 < p < 1.
///
/// By bisection on [`cdf`] in the lower half, where small probabilities keep their digits; the upper half by symmetry.
///
/// ```
/// assert!((stats::normal::quantile(0.05).unwrap() + 1.644_853_626_951_472_7).abs() < 1e-14);
/// ```
#[must_use]
pub fn quantile(p: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    if p > 0.5 {
        return quantile(1.0 - p).map(|z| -z);
    }
    let (mut low, mut high) = (-39.0, 0.0);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return Some(middle);
        }
        if cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// erfc(x) for x ≥ 0 (Abramowitz and Stegun 7.1.6 and 7.1.14).
fn erfc(x: f64) -> f64 {
    if x < 2.0 {
        // erf(x) = 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!: all terms positive, nothing cancels
        let (mut term, mut sum, mut n) = (x, x, 1.0);
        while term > sum * 1e-17 {
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
            n += 1.0;
        }
        return 1.0 - 2.0 / PI.sqrt() * (-x * x).exp() * sum;
    }
    // e^(-x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), from the inside out
    let fraction = (1..=120).rev().fold(x, |inner, k| x + f64::from(k) / 2.0 / inner);
    (-x * x).exp() / PI.sqrt() / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_keeps_its_digits() {
        // values of scipy.stats.norm.cdf
        for (z, p) in
            [(-1.0, 0.158_655_253_931_457_05), (-3.0, 0.001_349_898_031_630_094_6), (-8.0, 6.220_960_574_271_785e-16)]
        {
            assert!((cdf(z) / p - 1.0).abs() < 1e-12, "{z}: {}", cdf(z));
        }
    }

    #[test]
    fn the_quantile_undoes_the_distribution() {
        for p in [1e-12, 0.01, 0.3, 0.5, 0.77, 0.999] {
            assert!((cdf(quantile(p).unwrap()) / p - 1.0).abs() < 1e-12, "{p}");
        }
        assert_eq!(quantile(0.0), None);
        assert_eq!(quantile(1.0), None);
        assert_eq!(quantile(f64::NAN), None);
    }
}
