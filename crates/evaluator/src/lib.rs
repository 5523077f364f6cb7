//! How good a model is before and after tuning, on the same rows, in three ways:
//!
//! * **generated**: the model writes its answer and a strict parser reads it. An answer that is not exactly one label is
//!   unparseable: wrong, and never a class. This is what a user of the model gets.
//! * **scored**: the model may only choose among the three labels; each label's tokens and end token are scored as in training.
//!   This does not punish a base model for not knowing the format, so a gain here is a gain in sense and not in manners.
//! * **calibrated**: as scored, but what counts is how much the text raises a label's likelihood, a token, above what the model gives
//!   it where there is no text.
//!
//! Beside both models stand the commonest label and a classifier trained on the same rows. Every figure has an interval; slices,
//! other forms of the same rows, calibration, leakage and the worst errors are in the report. Both models read exactly the
//! prompt tokens that `formatter` wrote; what prompts share is computed once.
//!
//! Writes `answers.parquet` (from which all figures can be computed again), `predictions.parquet`, `metrics.parquet`,
//! `nearest.parquet`, the report as HTML, Markdown and notebook, and `lm_eval/` in the form of lm-evaluation-harness; [`run`] is
//! the whole stage. Tasks with free text as answer are [`generative`]; how trading agents reason is [`reasoning`].

mod answering;
mod baselines;
mod calibrate;
mod compare;
mod config;
mod error;
mod figures;
mod forms;
pub mod generative;
mod harness;
mod leakage;
mod metrics;
mod model;
mod page;
mod questions;
pub mod reasoning;
mod replies;
mod results;
mod slices;
mod stage;
mod track;
mod unread;

pub use calibrate::{Calibration, HeldOut, Sureness};
pub use compare::{Comparison, compare};
pub use config::{Config, RobustnessConfig};
pub use error::Error;
pub use figures::Figures;
pub use forms::Form;
pub use leakage::Leakage;
pub use stage::{Inputs, run};
pub use track::{Track, Way};
