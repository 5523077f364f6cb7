use crate::Error;

/// Brier's score, in [0, 2]: the mean over rows of Σ_k (p_k − y_k)², with y the true class as 0 and 1 (Brier, Monthly Weather
/// Review 78, 1950; as scikit-learn's `brier_score_loss` of several classes). 0 is certain and right, 2 certain and wrong;
/// always saying 1/K gives 1 − 1/K. None without rows.
///
/// # Errors
/// Not one truth for each row of probabilities, a class that a row does not have, a probability outside [0, 1].
///
/// ```
/// use stats::classification::brier_score;
/// let score = brier_score(&[vec![0.7, 0.2, 0.1], vec![0.0, 0.0, 1.0]], &[0, 2])?;
/// assert!((score.unwrap() - (0.09 + 0.04 + 0.01) / 2.0).abs() < 1e-15);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn brier_score<P: AsRef<[f64]>>(probabilities: &[P], truth: &[usize]) -> Result<Option<f64>, Error> {
    if probabilities.len() != truth.len() {
        return Err(Error::LengthMismatch { left: probabilities.len(), right: truth.len() });
    }
    let mut sum = 0.0;
    for (row, &class) in probabilities.iter().zip(truth) {
        let row = row.as_ref();
        if class >= row.len() {
            return Err(Error::UnknownClass { class, classes: row.len() });
        }
        for (k, &p) in row.iter().enumerate() {
            if !(0.0..=1.0).contains(&p) {
                return Err(Error::OutOfRange { name: "probability", value: p, range: "between 0 and 1" });
            }
            sum += (p - f64::from(u8::from(k == class))).powi(2);
        }
    }
    Ok((!truth.is_empty()).then(|| sum / truth.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_probability_or_no_class_is_refused() {
        assert!(brier_score(&[[0.5, 0.5]], &[2]).is_err());
        assert!(brier_score(&[[1.5, -0.5]], &[0]).is_err());
        assert!(brier_score(&[[f64::NAN, 0.0]], &[1]).is_err());
        assert!(brier_score(&[[1.0, 0.0]], &[0, 1]).is_err());
        assert_eq!(brier_score::<[f64; 2]>(&[], &[]), Ok(None));
        assert_eq!(brier_score(&[[0.0, 1.0]], &[0]), Ok(Some(2.0)));
    }
}
