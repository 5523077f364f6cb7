use super::Ema;
use crate::Error;
use serde::{Deserialize, Serialize};

/// Average true range: Wilder's average of max(high, last close) − min(low, last close), from the second bar on (J. W. Wilder, 1978;
/// TA-Lib `ATR`).
///
/// ```
/// let mut atr = stats::indicators::Atr::new(1)?;
/// assert_eq!(atr.update(3.0, 1.0, 2.0), None);
/// assert_eq!(atr.update(6.0, 4.0, 5.0), Some(4.0));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Atr {
    last: Option<f64>,
    average: Ema,
}

impl Atr {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Ok(Self { last: None, average: Ema::wilder(period)? })
    }

    /// The average with this bar, from bar number `period + 1` on.
    pub fn update(&mut self, high: f64, low: f64, close: f64) -> Option<f64> {
        if !(high.is_finite() && low.is_finite() && close.is_finite()) {
            return None;
        }
        let last = self.last.replace(close)?;
        self.average.update(high.max(last) - low.min(last))
    }
}
