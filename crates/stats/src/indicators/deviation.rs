use super::{Window, period};
use crate::Error;
use crate::finite::ratio;
use serde::{Deserialize, Serialize};

/// Which standard deviation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Divided by n − 1 (pandas' default).
    #[default]
    Sample,
    /// Divided by n (TA-Lib `STDDEV`, Bollinger's bands).
    Population,
}

impl Spread {
    pub(super) fn taken(self) -> usize {
        usize::from(self == Self::Sample)
    }
}

/// Standard deviation of the last n values; fed with returns it is their volatility.
///
/// ```
/// use stats::indicators::{RollingStd, Spread};
/// let mut sd = RollingStd::new(2, Spread::Population)?;
/// sd.update(1.0);
/// assert_eq!(sd.update(3.0), Some(1.0));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollingStd {
    window: Window,
    spread: Spread,
}

impl RollingStd {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period under 2: one value has no spread.
    pub fn new(n: usize, spread: Spread) -> Result<Self, Error> {
        Ok(Self { window: Window::new(period(n, 2)?)?, spread })
    }

    /// The deviation with `x`, from value number `period` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        self.window.push(x);
        self.window.deviation(self.spread.taken())
    }
}

/// How unusual a value is among the last n, itself included: (x − mean) / sample standard deviation. None where they are all equal.
///
/// ```
/// let mut z = stats::indicators::ZScore::new(3)?;
/// z.update(1.0);
/// z.update(2.0);
/// assert_eq!(z.update(3.0), Some(1.0));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZScore(Window);

impl ZScore {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period under 2.
    pub fn new(n: usize) -> Result<Self, Error> {
        Window::new(period(n, 2)?).map(Self)
    }

    /// The score of `x`, from value number `period` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        self.0.push(x);
        ratio(x - self.0.mean()?, self.0.deviation(1)?)
    }
}
