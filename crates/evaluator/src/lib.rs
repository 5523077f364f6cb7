//! How good a model is before and after tuning, on the same rows, in two ways:
//!
//! * **generated**: the model writes its answer and a strict parser reads it. An answer that is not exactly one label is
//!   unparseable: wrong, and never a class. This is what a user of the model gets.
//! * **scored**: the model may only choose among the three labels; each label's tokens and end token are scored as in training.
//!   This does not punish a base model for not knowing the format, so a gain here is a gain in sense and not in manners.
//!
//! Both models read exactly the prompt tokens that `formatter` wrote. Writes `predictions.parquet`, `metrics.parquet`,
//! `report.html` and `report.md`; [`run`] is the whole stage.

mod compare;
mod config;
mod error;
mod figures;
mod page;
mod predict;
mod questions;
mod stage;

pub use compare::{Comparison, compare};
pub use config::Config;
pub use error::Error;
pub use figures::{Figures, Way};
pub use stage::{Inputs, run};
