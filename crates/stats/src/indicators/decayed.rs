use crate::Error;
use crate::finite::{finite, ratio};
use serde::{Deserialize, Serialize};

/// Values at irregular times, each weighted by 0.5^(age / half-life), in constant memory.
///
/// Times are seconds on any clock and must not go back; a value with an earlier time counts as arriving now.
///
/// ```
/// let mut mood = stats::indicators::Decayed::new(10.0)?;
/// mood.add(0.0, 1.0);
/// mood.add(10.0, -1.0);
/// assert_eq!(mood.sum(10.0), Some(-0.5));
/// assert_eq!(mood.weight(20.0), Some(0.75));
/// assert_eq!(mood.mean(20.0, 0.25), Some(-0.25));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decayed {
    half_life: f64,
    sum: f64,
    weight: f64,
    at: Option<f64>,
}

impl Decayed {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A half-life that is not above 0.
    pub fn new(half_life: f64) -> Result<Self, Error> {
        if !(half_life.is_finite() && half_life > 0.0) {
            return Err(Error::OutOfRange { name: "half-life", value: half_life, range: "above 0" });
        }
        Ok(Self { half_life, sum: 0.0, weight: 0.0, at: None })
    }

    fn left(&self, now: f64) -> f64 {
        self.at.map_or(1.0, |at| 0.5_f64.powf((now - at).max(0.0) / self.half_life))
    }

    /// A value that became known at `now`.
    pub fn add(&mut self, now: f64, x: f64) {
        if !(now.is_finite() && x.is_finite()) {
            return;
        }
        let left = self.left(now);
        self.sum = self.sum * left + x;
        self.weight = self.weight * left + 1.0;
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
    }

    /// The weighted sum at `now`; None before the first value.
    pub fn sum(&self, now: f64) -> Option<f64> {
        self.at?;
        finite(self.sum * self.left(now))
    }

    /// The sum of the weights at `now`: how many fresh values they are worth. None before the first value.
    pub fn weight(&self, now: f64) -> Option<f64> {
        self.at?;
        finite(self.weight * self.left(now))
    }

    /// The weighted mean at `now` together with `prior` imaginary zeros, so that few or old values say little. None before the first value.
    pub fn mean(&self, now: f64, prior: f64) -> Option<f64> {
        ratio(self.sum(now)?, self.weight(now)? + prior)
    }
}
