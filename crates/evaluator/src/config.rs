use crate::Error;
use serde::{Deserialize, Serialize};

/// The evaluator's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the chat template prints as today's date; the same as the formatter's, or the prompts would differ.
    pub date: String,
    /// Tokens a model may write. A label needs up to ten with the smallest vocabularies; more only costs time.
    pub max_new_tokens: usize,
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// Bins of the calibration error.
    pub calibration_bins: usize,
    /// How many of the worst errors the report shows.
    pub worst: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            date: "26 Jul 2024".into(),
            max_new_tokens: 12,
            resamples: 2000,
            confidence: 0.95,
            calibration_bins: 10,
            worst: 10,
        }
    }
}

impl Config {
    /// Whether every setting means something.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        if self.max_new_tokens == 0 {
            return refuse("max_new_tokens", "0".into(), "1 or more");
        }
        if self.resamples == 0 {
            return refuse("resamples", "0".into(), "1 or more");
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return refuse("confidence", self.confidence.to_string(), "between 0 and 1");
        }
        if self.calibration_bins == 0 {
            return refuse("calibration_bins", "0".into(), "1 or more");
        }
        Ok(())
    }
}
