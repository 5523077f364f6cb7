//! From bars, news and other numbers to one position in [-1, 1] per bar, with no way to look ahead.
//!
//! Two strategies share what they may know. The **hybrid** is one pass: the language model reads each text by itself and says how
//! good the news is ([`mood`]), numeric features say what prices and indicators do ([`technical`]), and [`decision`] weighs
//! them. The [`agents`] are a team that looks facts up with [`tools`], argues over them with citations, and has the hybrid as one
//! voice. Whatever either reads for a bar comes through [`artifacts::Timeline::as_of`] at the bar's close, so a row that became
//! known later cannot be reached. `tests/lookahead.rs` proves it by cutting off and by poisoning the future.

pub mod agents;
pub mod decision;
mod error;
pub mod memory;
pub mod mood;
pub mod prompts;
mod services;
mod stage;
pub mod technical;
pub mod tools;

pub use agents::Strategy;
pub use decision::{AgentConfig, Gauge, Market, decide};
pub use error::Error;
pub use services::{Open, Services, Tape};
pub use stage::{Inputs, estimate, run, run_with};
