use crate::normal;

/// Wilson's score interval for a share of `successes` among `trials` at confidence `level` (0.95): the bounds, in
/// [0, 1] (Wilson, JASA 22, 1927). Assumes independent trials; unlike p ± z·se it holds near 0 and 1.
/// None without trials, with more successes than trials, or for a level outside (0, 1).
///
/// ```
/// use stats::classification::wilson_interval;
/// let (low, high) = wilson_interval(8, 10, 0.95).unwrap();
/// assert!((low - 0.490_162).abs() < 1e-6 && (high - 0.943_318).abs() < 1e-6);
/// ```
#[must_use]
pub fn wilson_interval(successes: u64, trials: u64, level: f64) -> Option<(f64, f64)> {
    if trials == 0 || successes > trials || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let z = normal::quantile(0.5 + level / 2.0)?;
    let (n, p) = (trials as f64, successes as f64 / trials as f64);
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    Some(((middle - half).max(0.0), (middle + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_success_still_leaves_room_above_zero() {
        let (low, high) = wilson_interval(0, 20, 0.95).unwrap();
        assert!(low.abs() < 1e-12 && high > 0.1);
        assert_eq!(wilson_interval(0, 0, 0.95), None);
        assert_eq!(wilson_interval(3, 2, 0.95), None);
    }
}
