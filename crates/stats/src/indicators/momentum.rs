use super::Window;
use crate::Error;
use crate::finite::{finite, ratio};
use serde::{Deserialize, Serialize};

/// Change over `period` values: x\[t\] − x\[t−period\] (TA-Lib `MOM`).
///
/// ```
/// let mut momentum = stats::indicators::Momentum::new(2)?;
/// assert_eq!([momentum.update(1.0), momentum.update(7.0), momentum.update(4.0)], [None, None, Some(3.0)]);
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Momentum(Window);

/// Change over `period` values as a share of the earlier one: x\[t\] / x\[t−period\] − 1 (TA-Lib `ROCP`). None where that is 0.
///
/// ```
/// let mut rate = stats::indicators::RateOfChange::new(1)?;
/// assert_eq!([rate.update(2.0), rate.update(3.0)], [None, Some(0.5)]);
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateOfChange(Window);

impl Momentum {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Window::new(period).map(Self)
    }

    /// The change up to `x`, from value number `period + 1` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        finite(x - self.0.push(x)?)
    }
}

impl RateOfChange {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Window::new(period).map(Self)
    }

    /// The change up to `x`, from value number `period + 1` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        let before = self.0.push(x)?;
        ratio(x - before, before)
    }
}
