use crate::finite::at_least;

/// Counts of values in intervals of equal width.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Histogram {
    /// The limits of the intervals, ascending, one more than there are counts.
    pub edges: Vec<f64>,
    /// Values in `[edges[i], edges[i + 1])`; the last interval includes its upper limit.
    pub counts: Vec<u64>,
}

/// Histogram with `bins` intervals from the smallest to the largest value. Equal values get one interval around
/// them, of width 1 where numbers are that fine. None without values, with one that is not finite, or without bins.
///
/// ```
/// let h = stats::distribution::histogram(&[0.0, 1.0, 1.5, 4.0], 2).unwrap();
/// assert_eq!((h.edges, h.counts), (vec![0.0, 2.0, 4.0], vec![3, 1]));
/// ```
#[must_use]
pub fn histogram(values: &[f64], bins: usize) -> Option<Histogram> {
    let values = at_least(1, values)?;
    if bins == 0 {
        return None;
    }
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high - low <= 1e-12 * high.abs().max(low.abs()) {
        let half = 0.5_f64.max(1e-9 * low.abs());
        return Some(Histogram { edges: vec![low - half, low + half], counts: vec![values.len() as u64] });
    }
    // parts first, and no product alone: a range near f64::MAX must not overflow
    let width = high / bins as f64 - low / bins as f64;
    let edges = (0..=bins).map(|i| if i == bins { high } else { width.mul_add(i as f64, low) }).collect();
    let mut counts = vec![0; bins];
    for value in values {
        let bin = (((value / width) - (low / width)) as usize).min(bins - 1);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    Some(Histogram { edges, counts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_is_counted_once(values in prop::collection::vec(-1e6..1e6, 1..200), bins in 1_usize..40) {
            let h = histogram(&values, bins).unwrap();
            prop_assert_eq!(h.counts.iter().sum::<u64>(), values.len() as u64);
            prop_assert_eq!(h.edges.len(), h.counts.len() + 1);
            prop_assert!(h.edges.windows(2).all(|e| e[0] < e[1]));
        }
    }

    #[test]
    fn equal_values_make_one_interval() {
        assert_eq!(histogram(&[3.0; 4], 10).unwrap().counts, vec![4]);
        assert_eq!(histogram(&[f64::NAN], 10), None);
    }

    #[test]
    fn a_range_wider_than_the_largest_number_has_finite_edges() {
        let h = histogram(&[1.7e308, -3.6e307], 20).unwrap();
        assert!(h.edges.iter().all(|edge| edge.is_finite()) && h.counts.iter().sum::<u64>() == 2, "{h:?}");
    }
}
