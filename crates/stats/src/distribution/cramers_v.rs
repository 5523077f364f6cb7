use crate::Error;

/// Cramér's V, the association of two categorical variables, in [0, 1]: √(χ² / (n · (min(rows, columns) − 1))) of their
/// contingency table (Cramér, Mathematical Methods of Statistics, 1946, §21.9). No bias correction: small tables with
/// few rows overstate it. Empty rows and columns do not count. None where either variable has fewer than two values.
///
/// # Errors
/// Rows of different length.
///
/// ```
/// use stats::distribution::cramers_v;
/// assert_eq!(cramers_v(&[vec![5, 0], vec![0, 5]])?, Some(1.0));
/// assert_eq!(cramers_v(&[vec![2, 4], vec![3, 6]])?, Some(0.0));
/// assert_eq!(cramers_v(&[vec![2, 4]])?, None);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn cramers_v(table: &[Vec<u64>]) -> Result<Option<f64>, Error> {
    let width = table.first().map_or(0, Vec::len);
    if let Some(odd) = table.iter().find(|row| row.len() != width) {
        return Err(Error::LengthMismatch { left: width, right: odd.len() });
    }
    let row_sums: Vec<u64> = table.iter().map(|row| row.iter().sum()).collect();
    let column_sums: Vec<u64> = (0..width).map(|c| table.iter().filter_map(|row| row.get(c)).sum()).collect();
    let n = row_sums.iter().sum::<u64>() as f64;
    let used = |sums: &[u64]| sums.iter().filter(|s| **s > 0).count();
    let smaller = used(&row_sums).min(used(&column_sums));
    if smaller < 2 {
        return Ok(None);
    }
    let mut chi_squared = 0.0;
    for (row, row_sum) in table.iter().zip(&row_sums) {
        for (count, column_sum) in row.iter().zip(&column_sums) {
            let expected = *row_sum as f64 * *column_sum as f64 / n;
            if expected > 0.0 {
                chi_squared += (*count as f64 - expected).powi(2) / expected;
            }
        }
    }
    Ok(Some((chi_squared / (n * (smaller - 1) as f64)).sqrt().min(1.0)))
}
