use super::period;
use crate::Error;
use serde::{Deserialize, Serialize};

/// How an exponential average begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seeding {
    /// With the simple mean of the first `period` values, as TA-Lib.
    #[default]
    Mean,
    /// With the first value, as pandas' `ewm(span=period, adjust=False)`.
    First,
}

/// Exponential moving average: y ← y + (x − y) · 2 / (period + 1). Under both seedings values come from number `period` on
/// (pandas: `min_periods=period`).
///
/// ```
/// use stats::indicators::{Ema, Seeding};
/// let mut ema = Ema::new(3, Seeding::Mean)?;
/// let found: Vec<_> = [1.0, 2.0, 3.0, 6.0].into_iter().map(|x| ema.update(x)).collect();
/// assert_eq!(found, [None, None, Some(2.0), Some(4.0)]);
/// # Ok::<(), stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ema {
    period: usize,
    weight: f64,
    seeding: Seeding,
    seen: usize,
    /// While seeding with a mean: the sum so far.
    value: f64,
}

impl Ema {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A period of 0.
    pub fn new(n: usize, seeding: Seeding) -> Result<Self, Error> {
        Ok(Self::weighted(period(n, 1)?, 2.0 / (n as f64 + 1.0), seeding))
    }

    /// Wilder's average, y ← y + (x − y) / period, as in the RSI and the ATR.
    ///
    /// # Errors
    /// A period of 0.
    pub fn wilder(n: usize) -> Result<Self, Error> {
        Ok(Self::weighted(period(n, 1)?, 1.0 / n as f64, Seeding::Mean))
    }

    fn weighted(period: usize, weight: f64, seeding: Seeding) -> Self {
        Self { period, weight, seeding, seen: 0, value: 0.0 }
    }

    /// The average with `x`, from value number `period` on.
    pub fn update(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        self.seen = self.seen.saturating_add(1);
        match self.seeding {
            Seeding::Mean if self.seen <= self.period => {
                self.value += x;
                if self.seen == self.period {
                    self.value /= self.period as f64;
                }
            }
            Seeding::First if self.seen == 1 => self.value = x,
            _ => self.value += (x - self.value) * self.weight,
        }
        (self.seen >= self.period).then_some(self.value)
    }
}
