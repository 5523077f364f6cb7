use super::Window;
use crate::Error;
use crate::finite::finite;
use serde::{Deserialize, Serialize};

/// Simple return over `period` values: x\[t\] / x\[t−period\] − 1, a share. None where either is not above 0.
///
/// ```
/// let mut r = stats::indicators::SimpleReturn::new(1)?;
/// assert_eq!((r.update(100.0), r.update(150.0)), (None, Some(0.5)));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimpleReturn(Window);

/// Logarithmic return over `period` values: ln(x\[t\] / x\[t−period\]). None where either is not above 0.
///
/// ```
/// let mut r = stats::indicators::LogReturn::new(1)?;
/// r.update(1.0);
/// assert_eq!(r.update(1f64.exp()), Some(1.0));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogReturn(Window);

fn quotient(window: &mut Window, x: f64) -> Option<f64> {
    let before = window.push(x)?;
    (before > 0.0 && x > 0.0).then(|| x / before)
}

impl SimpleReturn {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Window::new(period).map(Self)
    }

    /// The return up to `x`, from the second value on (for a period of 1).
    pub fn update(&mut self, x: f64) -> Option<f64> {
        finite(quotient(&mut self.0, x)? - 1.0)
    }
}

impl LogReturn {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(period: usize) -> Result<Self, Error> {
        Window::new(period).map(Self)
    }

    /// The return up to `x`, from the second value on (for a period of 1).
    pub fn update(&mut self, x: f64) -> Option<f64> {
        finite(quotient(&mut self.0, x)?.ln())
    }
}
