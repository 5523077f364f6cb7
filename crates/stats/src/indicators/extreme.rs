use super::Window;
use crate::Error;
use serde::{Deserialize, Serialize};

/// The highest of the last n values (TA-Lib `MAX`).
///
/// ```
/// let mut max = stats::indicators::RollingMax::new(2)?;
/// assert_eq!([max.update(3.0), max.update(1.0), max.update(2.0)], [None, Some(3.0), Some(2.0)]);
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollingMax(Window);

/// The lowest of the last n values (TA-Lib `MIN`).
///
/// ```
/// let mut min = stats::indicators::RollingMin::new(2)?;
/// assert_eq!([min.update(3.0), min.update(1.0), min.update(2.0)], [None, Some(1.0), Some(1.0)]);
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollingMin(Window);

impl RollingMax {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Window::new(period).map(Self)
    }

    /// The highest with `x`, from value number `period` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        self.0.push(x);
        self.0.is_full().then(|| self.0.iter().fold(f64::NEG_INFINITY, f64::max))
    }
}

impl RollingMin {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Window::new(period).map(Self)
    }

    /// The lowest with `x`, from value number `period` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        self.0.push(x);
        self.0.is_full().then(|| self.0.iter().fold(f64::INFINITY, f64::min))
    }
}
