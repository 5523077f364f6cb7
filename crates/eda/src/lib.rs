//! What is in labelled texts, before anything is trained on them: alerts for what would spoil a result (as rows), lengths in
//! characters, words, syllables and model tokens, duplicates, distinctive words, probable label errors, clusters, and every
//! figure of one side against the other: training against held-out rows, English against Vietnamese, real against synthetic,
//! source against source.
//!
//! [`run`] reads rows that `ingest` or `synth` wrote, [`profile`] any table with a column of texts. Both write one report (HTML,
//! Markdown, notebook), `profile.parquet`, `alerts.parquet` and `label_scores.parquet`.
//!
//! Rows stream through a [`Profiler`], whose memory does not grow with them: repeated texts are counted exactly up to a
//! number of different texts and estimated from a uniform sample of them beyond; everything that needs the texts
//! themselves looks at a uniform sample, which is all of them in a small data set. Each figure says which it is.

mod alerts;
mod analysis;
mod classify;
mod clusters;
mod comparison;
mod compounds;
mod config;
mod error;
mod facts;
mod group;
mod key_table;
mod lengths;
mod marks;
mod near;
mod ngrams;
mod page;
mod profiler;
mod rows;
mod run;
mod sample;
mod table;
mod tokens;
mod vocabulary;

pub use alerts::alerts;
pub use analysis::{Analysis, Findings, analyse};
pub use classify::Yardstick;
pub use clusters::Cluster;
pub use comparison::{Comparison, Difference, Dimension, Measure};
pub use compounds::Compounds;
pub use config::{Config, Limits};
pub use error::Error;
pub use group::Group;
pub use key_table::Repeats;
pub use lengths::Lengths;
pub use marks::{Mark, Marks};
pub use near::NearCopies;
pub use ngrams::Distinctive;
pub use profiler::{Profile, Profiler, Record, Subject};
pub use run::{Inputs, STAGE_VERSION, Tables, profile, run, run_with_tokenizer, stem};
pub use sample::{Occurrence, SampleText};
pub use table::Columns;
pub use tokens::Tokens;
