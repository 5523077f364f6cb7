use super::Error;
use serde::{Deserialize, Serialize};

/// Settings of the evaluation of reasoning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReasoningConfig {
    /// A direction is right if the close moves that way over so many bars.
    pub horizon: usize,
    /// Over how many bars the information of the positions is followed.
    pub horizons: Vec<usize>,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// Resamples of the stationary bootstrap.
    pub resamples: usize,
    /// Mean length of its blocks, in decisions; at least the horizon is used.
    pub mean_block: f64,
    /// Bins of the calibration error.
    pub calibration_bins: usize,
    /// Bars of the volatility that regimes are told by.
    pub volatility_bars: usize,
    /// Bars of the trend that regimes are told by.
    pub trend_bars: usize,
    /// How many of the best and of the worst decisions are shown.
    pub shown: usize,
    /// From which figures on something is worth changing.
    pub limits: Limits,
}

/// Where a figure becomes a proposal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Share of claims that are not what their facts say.
    pub hallucination: f64,
    /// Share of opinions that go against their own rationale.
    pub contradiction: f64,
    /// Calibration error of the confidence.
    pub calibration_error: f64,
    /// Mean change of position a bar.
    pub turnover: f64,
    /// Share of bars on which runs with other seeds disagree about the side.
    pub disagreement: f64,
    /// Difference between the hit rates of two regimes.
    pub regime_gap: f64,
}

impl Default for ReasoningConfig {
    fn default() -> Self {
        Self {
            horizon: 1,
            horizons: vec![1, 2, 3, 6, 12],
            confidence: 0.95,
            resamples: 1000,
            mean_block: 6.0,
            calibration_bins: 10,
            volatility_bars: 24,
            trend_bars: 12,
            shown: 10,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hallucination: 0.05,
            contradiction: 0.02,
            calibration_error: 0.1,
            turnover: 0.2,
            disagreement: 0.2,
            regime_gap: 0.1,
        }
    }
}

impl ReasoningConfig {
    /// Whether every setting means something.
    ///
    /// # Errors
    /// One that does not.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        let counts = [
            ("horizon", self.horizon, 1),
            ("resamples", self.resamples, 1),
            ("calibration_bins", self.calibration_bins, 1),
            ("volatility_bars", self.volatility_bars, 2),
            ("trend_bars", self.trend_bars, 1),
        ];
        if let Some((name, value, least)) = counts.into_iter().find(|(_, value, least)| value < least) {
            return refuse(name, value.to_string(), if least == 1 { "1 or more" } else { "2 or more" });
        }
        if self.horizons.is_empty() || self.horizons.contains(&0) || !self.horizons.is_sorted_by(|a, b| a < b) {
            return refuse("horizons", format!("{:?}", self.horizons), "ascending numbers of bars, 1 or more");
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return refuse("confidence", self.confidence.to_string(), "between 0 and 1");
        }
        if !(self.mean_block >= 1.0 && self.mean_block.is_finite()) {
            return refuse("mean_block", self.mean_block.to_string(), "1 or more");
        }
        let Limits { hallucination, contradiction, calibration_error, turnover, disagreement, regime_gap } =
            self.limits;
        let limits = [
            ("limits.hallucination", hallucination),
            ("limits.contradiction", contradiction),
            ("limits.calibration_error", calibration_error),
            ("limits.turnover", turnover),
            ("limits.disagreement", disagreement),
            ("limits.regime_gap", regime_gap),
        ];
        match limits.into_iter().find(|(_, v)| !(*v > 0.0 && v.is_finite())) {
            Some((name, value)) => refuse(name, value.to_string(), "above 0"),
            None => Ok(()),
        }
    }
}
