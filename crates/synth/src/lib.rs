//! Labelled news written by the local model, and the ladder that decides what of it is worth keeping. The filter is the product:
//! a candidate is kept only if it is well formed, in the right language, does not name its label, copies neither an earlier
//! candidate nor a real row (training or evaluation), and a classifier trained on real rows agrees with its label.
//!
//! Every candidate stays on record with prompt, raw answer and verdict (`candidates.parquet`); the kept ones are
//! `synthetic.parquet`; `report.html` shows the funnel. A model that cannot write news has nearly everything refused: that is
//! a result and not an error.
//!
//! [`run`] is the whole stage, [`generate`] its core on any [`providers::Provider`].

mod config;
mod cut;
mod diversity;
mod error;
mod format;
mod generate;
mod known;
mod ladder;
mod leak;
mod page;
mod prompts;
mod stage;
mod typical;

pub use config::{Config, Strategy};
pub use cut::{Cut, first_sentence};
pub use diversity::distinct_2;
pub use error::Error;
pub use generate::{Generated, RealRows, Synthesis, generate};
pub use ladder::{JudgeCheck, RUNGS};
pub use stage::{Inputs, run};
