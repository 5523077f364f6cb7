//! From values to places, and round numbers to label them with.

use crate::format;

/// A linear scale from values to places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// `low` is placed at `from`, `high` at `to`; `low` must be below `high`.
    pub(crate) fn new(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self { low, high, from, to }
    }

    /// The place of a value. Halves, so that a range near the largest number does not overflow.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        self.from + (self.to - self.from) * share
    }
}

/// Lowest and highest finite value, widened so that low < high; (0, 1) where there is none.
pub(crate) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| v.is_finite())
        // what is larger would overflow the arithmetic of the ticks
        .map(|v| v.clamp(-1e300, 1e300))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let least = 1e-9 * low.abs().max(high.abs());
    if high - low > least && high - low > 1e-290 {
        return (low, high);
    }
    let half = if low == 0.0 && high == 0.0 { 1.0 } else { 0.05 * low.abs().max(high.abs()).max(1e-280) };
    (low - half, high + half)
}

/// Round numbers from at or below `low` to at or above `high`, about `count` of them: steps of 1, 2, 2.5 or 5 times a
/// power of ten. The first and last are the limits to draw.
pub(crate) fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let rough = (high - low) / count.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|m| m * power).find(|s| *s >= rough * 0.999).unwrap_or(rough);
    let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
    let steps = (last - first).clamp(1.0, 50.0) as u32;
    (0..=steps).map(|i| (first + f64::from(i)) * step).collect()
}

/// The ticks as texts, all with as many decimals as their step needs.
pub(crate) fn tick_labels(ticks: &[f64]) -> Vec<String> {
    let largest = ticks.iter().fold(0_f64, |m, t| m.max(t.abs()));
    let step = match ticks {
        [a, b, ..] => (b - a).abs(),
        _ => largest,
    };
    let (divisor, suffix) = match largest {
        l if l >= 1e15 || (l > 0.0 && l < 1e-4) => {
            return ticks.iter().map(|t| if *t == 0.0 { "0".to_owned() } else { format!("{t:.2e}") }).collect();
        }
        l if l >= 1e10 => (1e9, " bn"),
        l if l >= 1e7 => (1e6, " m"),
        _ => (1.0, ""),
    };
    let exact = |digits: i32| {
        let scaled = step / divisor * 10_f64.powi(digits);
        (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1e-6)
    };
    let digits = (0..=8).find(|d| exact(*d)).unwrap_or(8) as usize;
    let text = |t: &f64| {
        let t = t / divisor;
        let t = if t.abs() < step / divisor * 1e-6 { 0.0 } else { t };
        format::grouped(&format!("{t:.digits$}")) + suffix
    };
    ticks.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_range() {
        let found = ticks(-0.13, 0.92, 5);
        assert_eq!(tick_labels(&found), ["-0.25", "0.00", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(tick_labels(&ticks(93_812.0, 96_441.0, 4)), ["93,000", "94,000", "95,000", "96,000", "97,000"]);
        assert_eq!(tick_labels(&ticks(0.0, 2.5e10, 3)), ["0 bn", "10 bn", "20 bn", "30 bn"]);
    }

    #[test]
    fn constant_missing_and_extreme_values_still_have_a_range() {
        for values in [&[][..], &[0.0], &[5.0, 5.0], &[f64::NAN], &[f64::MAX, f64::MIN], &[1e-300], &[1.0, 1.0 + 1e-15]]
        {
            let (low, high) = range(values.iter().copied());
            assert!(low < high && (high - low).is_finite(), "{values:?}: {low}..{high}");
            let ticks = ticks(low, high, 5);
            assert!(ticks.len() >= 2 && ticks.iter().all(|t| t.is_finite()), "{values:?}: {ticks:?}");
            assert_eq!(tick_labels(&ticks).len(), ticks.len());
        }
    }
}
