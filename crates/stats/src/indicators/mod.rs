//! Technical indicators as folds: each takes one value at a time, so a file and a live stream give the same numbers.
//!
//! `update` returns None until enough values are known, and where the figure is not defined (a deviation of 0 to divide by). An
//! input that is not finite is not counted at all: it returns None and leaves the state as it was. Every state is small, knows
//! nothing of later values and can be stored with serde. Conventions are those of TA-Lib (Wilder's smoothing, averages seeded with a
//! simple mean); where pandas does otherwise, the choice has a name. `tests/indicators.rs` holds them to TA-Lib, `ta` and pandas.

mod atr;
mod bollinger;
mod decayed;
mod deviation;
mod ema;
mod macd;
mod momentum;
mod returns;
mod rolling;
mod rsi;
mod window;

pub use atr::Atr;
pub use bollinger::{Band, Bollinger};
pub use decayed::Decayed;
pub use deviation::{RollingStd, Spread, ZScore};
pub use ema::{Ema, Seeding};
pub use macd::{Macd, MacdValue};
pub use momentum::{Momentum, RateOfChange};
pub use returns::{LogReturn, SimpleReturn};
pub use rolling::{RollingMax, RollingMin, Sma};
pub use rsi::Rsi;
pub use window::Window;

use crate::Error;

/// The period, if it is at least `least`.
fn period(period: usize, least: usize) -> Result<usize, Error> {
    let range = if least <= 1 { "of 1 or more" } else { "of 2 or more" };
    if period < least { Err(Error::OutOfRange { name: "period", value: period as f64, range }) } else { Ok(period) }
}
