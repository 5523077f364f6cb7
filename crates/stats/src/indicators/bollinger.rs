use super::{Spread, Window, period};
use crate::Error;
use crate::finite::ratio;
use serde::{Deserialize, Serialize};

/// Bollinger's bands: mean of the last n values ± k population standard deviations (TA-Lib `BBANDS` with a simple average; J. Bollinger,
/// Bollinger on Bollinger Bands, 2001).
///
/// ```
/// let mut bands = stats::indicators::Bollinger::new(2, 2.0)?;
/// bands.update(1.0);
/// let band = bands.update(3.0).unwrap();
/// assert_eq!((band.lower, band.middle, band.upper, band.percent()), (0.0, 2.0, 4.0, Some(0.75)));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bollinger {
    window: Window,
    deviations: f64,
}

/// The bands around one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The value itself.
    pub value: f64,
    /// Mean − k deviations.
    pub lower: f64,
    /// The mean.
    pub middle: f64,
    /// Mean + k deviations.
    pub upper: f64,
}

impl Band {
    /// Where the value lies: 0 at the lower band, 1 at the upper (%b). None where the bands meet.
    pub fn percent(&self) -> Option<f64> {
        ratio(self.value - self.lower, self.upper - self.lower)
    }

    /// Distance of the bands as a share of the mean (bandwidth).
    pub fn width(&self) -> Option<f64> {
        ratio(self.upper - self.lower, self.middle)
    }
}

impl Bollinger {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period under 2, or a number of deviations that is not above 0.
    pub fn new(n: usize, deviations: f64) -> Result<Self, Error> {
        if !(deviations.is_finite() && deviations > 0.0) {
            return Err(Error::OutOfRange { name: "deviations", value: deviations, range: "above 0" });
        }
        Ok(Self { window: Window::new(period(n, 2)?)?, deviations })
    }

    /// The bands with `x`, from value number `period` on.
    pub fn update(&mut self, x: f64) -> Option<Band> {
        if !x.is_finite() {
            return None;
        }
        self.window.push(x);
        let middle = self.window.mean()?;
        let reach = self.deviations * self.window.deviation(Spread::Population.taken())?;
        Some(Band { value: x, lower: middle - reach, middle, upper: middle + reach })
    }
}
