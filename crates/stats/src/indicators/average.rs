use super::Window;
use crate::Error;
use serde::{Deserialize, Serialize};

/// Simple moving average: Σ x / n over the last n values (TA-Lib `SMA`, pandas `rolling(n).mean()`).
///
/// ```
/// let mut sma = stats::indicators::Sma::new(2)?;
/// assert_eq!([sma.update(1.0), sma.update(3.0), sma.update(5.0)], [None, Some(2.0), Some(4.0)]);
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sma(Window);

impl Sma {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Window::new(period).map(Self)
    }

    /// The average with `x`, from value number `period` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        self.0.push(x);
        self.0.mean()
    }
}
