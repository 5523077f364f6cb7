use crate::Error;
use crate::finite::ratio;

/// Expected calibration error, in [0, 1]: Σ_b n_b/n · |share right in b − mean confidence in b| over `bins` bins of equal
/// width on [0, 1] (Naeini, Cooper and Hauskrecht, AAAI 2015; Guo et al., ICML 2017). Each answer is its confidence (the
/// probability of the class it names) and whether it is right; a bin holds its upper edge. 0 is perfectly calibrated; a
/// constant answer at its own accuracy is too, so it says nothing about skill. None without answers.
///
/// # Errors
/// A confidence outside [0, 1], or no bins.
///
/// ```
/// use stats::classification::calibration_error;
/// // always 90 % sure, right 3 times in 4
/// let answers = [(0.9, true), (0.9, true), (0.9, true), (0.9, false)];
/// assert!((calibration_error(&answers, 10)?.unwrap() - 0.15).abs() < 1e-12);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn calibration_error(answers: &[(f64, bool)], bins: usize) -> Result<Option<f64>, Error> {
    let bins = reliability(answers, bins)?;
    let gap: f64 = bins.iter().map(|bin| (bin.hits as f64 - bin.confidence).abs()).sum();
    Ok((!answers.is_empty()).then(|| gap / answers.len() as f64))
}

/// The answers of one interval of confidence.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct ReliabilityBin {
    /// How many there are.
    pub count: u64,
    /// How many of them are right.
    pub hits: u64,
    /// The sum of their confidences: as many as should be right.
    pub confidence: f64,
}

impl ReliabilityBin {
    /// Mean confidence; none in an empty bin.
    pub fn mean_confidence(&self) -> Option<f64> {
        ratio(self.confidence, self.count as f64)
    }

    /// Share right; none in an empty bin.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.hits as f64, self.count as f64)
    }
}

/// The bins of [`calibration_error`], from the least confident to the most.
///
/// # Errors
/// As [`calibration_error`].
pub fn reliability(answers: &[(f64, bool)], bins: usize) -> Result<Vec<ReliabilityBin>, Error> {
    if bins == 0 {
        return Err(Error::OutOfRange { name: "bins", value: 0.0, range: "of 1 or more" });
    }
    let mut found = vec![ReliabilityBin::default(); bins];
    for (confidence, right) in answers {
        if !(0.0..=1.0).contains(confidence) {
            return Err(Error::OutOfRange { name: "confidence", value: *confidence, range: "between 0 and 1" });
        }
        let bin = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        if let Some(bin) = found.get_mut(bin) {
            bin.count += 1;
            bin.hits += u64::from(*right);
            bin.confidence += confidence;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_do_not_cancel_each_other() {
        // Sure and wrong beside unsure and right: right on average, in no bin.
        let answers = [(1.0, false), (0.2, true)];
        assert!((calibration_error(&answers, 10).unwrap().unwrap() - 0.9).abs() < 1e-12);
        assert!((calibration_error(&answers, 1).unwrap().unwrap() - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_confidence_that_is_no_probability_is_refused() {
        assert!(calibration_error(&[(f64::NAN, true)], 10).is_err());
        assert!(calibration_error(&[(1.1, true)], 10).is_err());
        assert_eq!(calibration_error(&[], 10), Ok(None));
    }
}
