use crate::Error;

/// softmax(scores / temperature): probabilities that sum to 1, from log-probabilities or any other scores.
///
/// ```
/// let p = stats::classification::softmax(&[-2000.0, -2001.0], 1.0);
/// assert!((p[0] / p[1] - 1_f64.exp()).abs() < 1e-9);
/// ```
pub fn softmax(scores: &[f64], temperature: f64) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exp: Vec<f64> = scores.iter().map(|s| ((s - top) / temperature).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.iter().map(|e| e / sum).collect()
}

/// The least and the greatest temperature that [`fit_temperature`] gives.
pub const TEMPERATURES: (f64, f64) = (1e-2, 1e2);

/// The temperature T for which softmax(scores / T) gives the truth the highest likelihood (Guo et al., ICML 2017): above 1
/// where the scores are too sure, below 1 where they are too timid. No answer changes by it. Fit it on rows that are not
/// evaluated.
///
/// The likelihood is concave in 1/T, so its slope Σ (s_truth − Σ_k p_k s_k) has one root, found by bisection within
/// [`TEMPERATURES`]; scores that are always right, or no better than chance, give the nearer end. None without rows.
///
/// # Errors
/// Not one truth for each row of scores, a class that a row does not have, a score that is not finite.
///
/// ```
/// use stats::classification::fit_temperature;
/// // Log-odds of 4 (98 % sure), right three times in four: T makes it log-odds of ln 3.
/// let scores = vec![vec![4.0, 0.0]; 4];
/// let t = fit_temperature(&scores, &[0, 0, 0, 1])?.unwrap();
/// assert!((4.0 / t - 3_f64.ln()).abs() < 1e-9);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn fit_temperature<S: AsRef<[f64]>>(scores: &[S], truth: &[usize]) -> Result<Option<f64>, Error> {
    if scores.len() != truth.len() {
        return Err(Error::LengthMismatch { left: scores.len(), right: truth.len() });
    }
    for (row, &class) in scores.iter().zip(truth) {
        let row = row.as_ref();
        if class >= row.len() {
            return Err(Error::UnknownClass { class, classes: row.len() });
        }
        if let Some(&value) = row.iter().find(|s| !s.is_finite()) {
            return Err(Error::OutOfRange { name: "score", value, range: "that is finite" });
        }
    }
    if truth.is_empty() {
        return Ok(None);
    }
    let slope = |inverse: f64| -> f64 {
        let one = |(row, &class): (&S, &usize)| {
            let row = row.as_ref();
            let expected: f64 = softmax(row, 1.0 / inverse).iter().zip(row).map(|(p, s)| p * s).sum();
            row.get(class).copied().unwrap_or(0.0) - expected
        };
        scores.iter().zip(truth).map(one).sum()
    };
    // Of ln(1/T).
    let (mut low, mut high) = (-TEMPERATURES.1.ln(), -TEMPERATURES.0.ln());
    if slope(low.exp()) <= 0.0 {
        return Ok(Some(TEMPERATURES.1));
    }
    if slope(high.exp()) >= 0.0 {
        return Ok(Some(TEMPERATURES.0));
    }
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return Ok(Some((-middle).exp()));
        }
        if slope(middle.exp()) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_are_always_right_or_know_nothing_give_an_end() {
        assert_eq!(fit_temperature(&[[3.0, 0.0], [0.0, 3.0]], &[0, 1]), Ok(Some(TEMPERATURES.0)));
        assert_eq!(fit_temperature(&[[3.0, 0.0], [3.0, 0.0]], &[0, 1]), Ok(Some(TEMPERATURES.1)));
        assert_eq!(fit_temperature::<[f64; 2]>(&[], &[]), Ok(None));
        assert!(fit_temperature(&[[0.0, f64::INFINITY]], &[0]).is_err());
        assert!(fit_temperature(&[[0.0, 1.0]], &[2]).is_err());
    }

    #[test]
    fn the_scale_of_the_scores_is_the_scale_of_the_temperature() {
        let scores: Vec<[f64; 3]> = (0..60).map(|i| [f64::from(i % 7), f64::from(i % 5), f64::from(i % 3)]).collect();
        // The highest score is right in four of five rows.
        let truth: Vec<usize> =
            scores.iter().zip(0..).map(|(s, i)| if i % 5 == 0 { i % 3 } else { usize::from(s[1] > s[0]) }).collect();
        let doubled: Vec<[f64; 3]> = scores.iter().map(|s| s.map(|s| 2.0 * s)).collect();
        let (a, b) =
            (fit_temperature(&scores, &truth).unwrap().unwrap(), fit_temperature(&doubled, &truth).unwrap().unwrap());
        assert!((b / a - 2.0).abs() < 1e-9, "{a} {b}");
    }
}
