//! Labelled news written by a model, and the ladder that decides what of it is worth keeping. The filter is the product: a
//! candidate is kept only if it is well formed, in the right language, names neither its label nor its prompt, copies no
//! evaluation row, no training row and no earlier candidate, reads like the real rows, and the judges, who do not know
//! the intended label, find it: two of three where all are fit, otherwise those that are ([`Panel`]); and confident learning finds nothing wrong with what is left.
//!
//! Every candidate stays on record with prompt, raw answer, what each judge said and the verdict (`candidates.parquet`); the kept
//! ones are `synthetic.parquet`; `report.html` shows the funnel; `review.csv` is for a person to check. A model that cannot
//! write news has nearly everything refused: that is a result and not an error.
//!
//! [`run`] is the whole stage, [`generate`] its core on any [`providers::Provider`], [`verify`] the ladder for texts that are
//! there already.

mod config;
mod cut;
mod diversity;
mod error;
mod format;
mod generate;
mod grid;
mod journal;
mod judges;
mod known;
mod ladder;
mod leak;
mod page;
mod prompts;
mod quality;
mod review;
mod stage;
mod typical;

pub use config::{Ask, Config, Decide, Judging, Strategy, Style};
pub use cut::{Cut, first_sentence};
pub use diversity::{Diversity, Variety, compare};
pub use error::Error;
pub use generate::{RealRows, Synthesis, generate, generate_from, verify};
pub use grid::{ATTRIBUTES, BLOCK, Point, Value, point};
pub use journal::Journal;
pub use judges::{JUDGES, JudgeCheck, Judgement, Measured, Panel, Record, Rule, Threshold};
pub use ladder::RUNGS;
pub use review::{Review, read_review, review_file};
pub use stage::{Inputs, Rows, Writer, run, run_with};
