//! What is in the labelled texts, before anything is trained on them: labels, lengths, sources, duplicates, refused rows
//! and languages, for each language; how far the splits differ; which words tell the classes apart; and typed alerts
//! for what would spoil a result.
//!
//! The first file is the reference (the training rows); files of the same name count as one split. One `report.html`
//! (and `report.md`), all figures as [`artifacts::rows::Metric`] rows, all alerts as JSON. Memory: the texts of all
//! rows, because near duplicates are looked for between any two of them.

mod alert;
mod alerts;
mod analysis;
mod config;
mod distinctive;
mod duplicates;
mod error;
mod group;
mod metrics;
mod page;
mod run;
mod shift;
mod yardstick;

pub use alert::{Alert, Level};
pub use alerts::alerts;
pub use analysis::{Analysis, LanguageAnalysis, Split, analyse};
pub use config::Config;
pub use distinctive::{DistinctiveWord, distinctive_words};
pub use duplicates::Duplicates;
pub use error::Error;
pub use group::{Group, Lengths};
pub use run::{Inputs, STAGE_VERSION, run};
pub use shift::{Aspect, Shift};
pub use yardstick::Yardstick;
