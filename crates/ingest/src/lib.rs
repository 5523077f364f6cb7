//! The stage that brings foreign data in: labelled sentences ([`sentiment`]), exercises of other tasks ([`tasks`]), and
//! prices, news and numbers ([`market`]).
//!
//! A table that nobody here has seen comes in by flags (`ingest --source FILE --map text=Body,label=Mood
//! --labels 0=negative,1=positive,2=neutral`) or by a mapping file that says the same ([`sentiment::Mapping`]); no code.
//!
//! Each is a function from a configuration, a data folder and an output folder to a manifest. Sources are files here or
//! on the Hub (`hf://datasets/…`), as Parquet, CSV, JSON lines or the layouts of particular data sets. Every row that is
//! not kept is written to `rejected.parquet` with its reason.

mod error;
mod labels;
mod locate;
pub mod market;
pub mod sentiment;
mod table;
pub mod tasks;

pub use error::Error;
pub use labels::known_labels;
pub use market::MarketConfig;
pub use sentiment::SentimentConfig;
pub use table::Encoding;
pub use tasks::TaskConfig;

use artifacts::{Progress, Seed};

/// What a run needs besides its configuration.
#[derive(Clone)]
pub struct Options<'a> {
    /// The run's seed.
    pub seed: Seed,
    /// Run even if nothing changed.
    pub force: bool,
    /// Who is told how far it is.
    pub progress: &'a dyn Progress,
    /// Where `hf://` sources come from.
    pub hub: hub::HubConfig,
}
