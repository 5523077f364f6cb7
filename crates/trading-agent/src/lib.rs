//! From bars, news and other numbers to one position in [-1, 1] per bar, with no way to look ahead.
//!
//! The agent is a hybrid: the language model reads each text by itself and says how good the news is
//! ([`mood`]), numeric features say what prices and indicators do ([`technical`]), and [`decision`] weighs them. Whatever it
//! reads for a bar comes through [`artifacts::Timeline::as_of`] at the bar's close, so a row that became known later cannot be
//! reached. `tests/lookahead.rs` proves it by cutting off and by poisoning the future.

pub mod decision;
mod error;
pub mod mood;
mod stage;
pub mod technical;

pub use decision::{AgentConfig, Market, decide};
pub use error::Error;
pub use stage::{Inputs, run};
