//! Fewer points, the same picture.

/// Keeps of each column of one unit the first, lowest, highest and last point, in order. A point that is not finite is
/// kept: it interrupts the line.
pub(crate) fn thin(points: Vec<(f64, f64)>, columns: f64) -> Vec<(f64, f64)> {
    if (points.len() as f64) < 4.0 * columns {
        return points;
    }
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let finite = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite();
    for column in points.chunk_by(|a, b| finite(a) && finite(b) && a.0.floor() as i64 == b.0.floor() as i64) {
        let place = |found: Option<(usize, &(f64, f64))>| found.map_or(0, |(i, _)| i);
        let low = place(column.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)));
        let high = place(column.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1)));
        let mut places = vec![0, low, high, column.len() - 1];
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().filter_map(|i| column.get(i)));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_survives() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|i| (f64::from(i) / 1000.0, 0.0)).collect();
        points[51_234].1 = 9.0;
        let kept = thin(points, 100.0);
        assert!(kept.len() < 500 && kept.iter().any(|p| p.1 > 8.0), "{}", kept.len());
    }
}
