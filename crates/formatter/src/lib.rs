//! Rows of any task to rows ready to train on: messages, the model's own chat template, tokens, supervision mask.
//!
//! Labelled texts ([`artifacts::rows::Example`]) ask for their sentiment; exercises of other tasks
//! ([`artifacts::rows::TaskExample`]) for what their task says, in one of several wordings: train on one, evaluate on another. A
//! user's own wordings come from a file ([`templates`]).
//!
//! Every row passes the preflight of [`chat::ChatTokenizer::doctor`]. A row that does not (too long for the model,
//! control tokens in its text) goes to `rejected.parquet` with the reason. An answer is never cut. An input is only where the
//! settings say so ([`TooLong::ShortenInput`]), and then `shortened.parquet` says which and by how much; by default nothing is,
//! since an evaluation row that the model cannot read in full measures the cut, not the model. Refused rows are counted by
//! language in the manifest, so that a smaller evaluation set is seen. The order of rows is kept; the trainer shuffles.

mod config;
mod error;
mod examples;
mod exercise;
mod fit;
mod page;
mod run;
mod split;
pub mod templates;

pub use config::{Config, FALLBACK_TOKENS, TooLong};
pub use error::Error;
pub use examples::{Shown, as_html, as_markdown};
pub use exercise::Tokens;
pub use run::{Inputs, Preflight, STAGE_VERSION, check, run};
pub use split::{Figures, format_row};
