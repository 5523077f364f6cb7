use super::Ema;
use crate::Error;
use crate::finite::ratio;
use serde::{Deserialize, Serialize};

/// Relative strength index: 100 · G / (G + L), where G and L are Wilder's averages of the rises and of the falls (J. W. Wilder, New
/// Concepts in Technical Trading Systems, 1978; TA-Lib `RSI`). None where nothing moved; TA-Lib says 0 there.
///
/// ```
/// let mut rsi = stats::indicators::Rsi::new(2)?;
/// let found: Vec<_> = [1.0, 4.0, 3.0, 3.0].into_iter().map(|x| rsi.update(x)).collect();
/// assert_eq!(found, [None, None, Some(75.0), Some(75.0)]);
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rsi {
    last: Option<f64>,
    rises: Ema,
    falls: Ema,
}

impl Rsi {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Ok(Self { last: None, rises: Ema::wilder(period)?, falls: Ema::wilder(period)? })
    }

    /// The index with `x`, from value number `period + 1` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        let change = x - self.last.replace(x)?;
        let (rises, falls) = (self.rises.update(change.max(0.0)), self.falls.update((-change).max(0.0)));
        let (rises, falls) = (rises?, falls?);
        Some(100.0 * ratio(rises, rises + falls)?)
    }
}
