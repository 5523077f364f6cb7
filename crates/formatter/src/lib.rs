//! Labelled texts to rows ready to train on: messages, the model's own chat template, tokens, supervision mask.
//!
//! Every row passes the preflight of [`chat::ChatTokenizer::doctor`]. A row that does not (too long for the model,
//! control tokens in its text) goes to `rejected.parquet` with the reason; nothing is ever cut. That holds for
//! evaluation rows too: a row that the model cannot read in full measures the cut, not the model. They are counted by
//! language in the manifest, so that a smaller evaluation set is seen. The order of rows is kept; the trainer shuffles.

mod config;
mod error;
mod examples;
mod run;
mod split;

pub use config::{Config, FALLBACK_TOKENS};
pub use error::Error;
pub use examples::{Shown, as_html, as_markdown};
pub use run::{Inputs, Preflight, STAGE_VERSION, check, run};
pub use split::{Figures, format_row};
