use super::{Ema, Seeding};
use crate::Error;
use serde::{Deserialize, Serialize};

/// Moving average convergence/divergence: line = EMA(fast) − EMA(slow), signal = EMA of the line, histogram = line − signal (G. Appel).
///
/// With [`Seeding::Mean`] as TA-Lib `MACD`: the fast average is seeded with the `fast` values before the slow one begins, so that both
/// begin together. With [`Seeding::First`] as pandas and `ta`. TA-Lib tells the line only together with the signal; here it comes as soon as
/// it is known.
///
/// ```
/// use stats::indicators::{Macd, Seeding};
/// let mut macd = Macd::new(1, 2, 1, Seeding::Mean)?;
/// assert_eq!(macd.update(1.0), None);
/// assert_eq!(macd.update(2.0).map(|v| v.line), Some(0.5));
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Macd {
    fast: Ema,
    slow: Ema,
    signal: Ema,
    /// Values that the fast average leaves out so that both begin together.
    skip: usize,
}

/// One step of the MACD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MacdValue {
    /// Fast average − slow average.
    pub line: f64,
    /// Average of the line.
    pub signal: Option<f64>,
}

impl MacdValue {
    /// Line − signal.
    pub fn histogram(&self) -> Option<f64> {
        Some(self.line - self.signal?)
    }
}

impl Macd {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0, or a fast period that is not under the slow one.
    pub fn new(fast: usize, slow: usize, signal: usize, seeding: Seeding) -> Result<Self, Error> {
        if fast >= slow {
            return Err(Error::OutOfRange { name: "fast period", value: fast as f64, range: "under the slow period" });
        }
        let skip = if seeding == Seeding::Mean { slow - fast } else { 0 };
        let ema = |n| Ema::new(n, seeding);
        Ok(Self { fast: ema(fast)?, slow: ema(slow)?, signal: ema(signal)?, skip })
    }

    /// The line from value number `slow` on, the signal `signal − 1` values later.
    pub fn update(&mut self, x: f64) -> Option<MacdValue> {
        if !x.is_finite() {
            return None;
        }
        let slow = self.slow.update(x);
        let fast = if self.skip > 0 {
            self.skip -= 1;
            None
        } else {
            self.fast.update(x)
        };
        let line = fast? - slow?;
        Some(MacdValue { line, signal: self.signal.update(line) })
    }
}
