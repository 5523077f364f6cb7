//! Back-testing: what a series of decisions would have earned, after costs, at prices that could be had.
//!
//! * [`run`] is the stage: bars and decisions in, equity, fills, metrics and a report out. [`simulate`] is its pure core.
//! * A decision fills at the first bar that begins after it was made (and after the bar it was made on was known): at
//!   that bar's open, or at its close where the source has closes only. The result says which ([`FillAt`]).
//! * Whatever *decides* (the momentum benchmark) reads prices through [`artifacts::Timeline`], which cannot hand out a
//!   bar before its `available_at`. Order sizes use the price of the fill itself, as orders by value do.
//! * The account is kept in cash and units, commission and slippage are paid on every change of units, and nothing is
//!   annualised without saying by how many periods.
//! * The strategy is set against buy-and-hold, momentum, and its own positions shifted in time (equal turnover, no skill).
//! * [`assessment`] reproduces the numbers of another, flawed backtester exactly, and names its flaws.

pub mod assessment;
mod benchmark;
mod config;
mod error;
mod input;
mod ledger;
mod measure;
mod price_file;
mod random;
mod schedule;
mod simulate;
mod stage;
mod summary;
mod trades;

pub use config::{Config, Missing};
pub use error::Error;
pub use input::{Input, load};
pub use measure::{Figures, measure, periods_per_year};
pub use price_file::{PriceFile, read_positions, read_prices};
pub use schedule::FillAt;
pub use simulate::{Simulation, simulate};
pub use stage::{STAGE_VERSION, run};
pub use trades::{Trade, trades};
