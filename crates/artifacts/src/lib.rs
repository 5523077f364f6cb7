//! The contract between stages: typed rows in Parquet files, with schema versions, lineage and a look-ahead firewall.
//!
//! Stages never import each other. One writes rows of a type defined in [`rows`], the next reads them back with
//! [`Reader`]; the [`manifest`] beside the files says from what and how they were made, and [`stage`] uses it to skip
//! work whose inputs did not change.
//!
//! ```
//! use artifacts::{read_all, write_all, rows::Rejected};
//! # let dir = tempfile::tempdir()?;
//! let path = dir.path().join("rejected.parquet");
//! write_all(&path, &[Rejected::new("news.csv", 41, "", "bullish?", "unknown-label", "known labels are negative, neutral, positive")])?;
//! assert_eq!(read_all::<Rejected>(&path)?[0].row, 41);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod as_of;
mod atomic;
mod column;
mod error;
mod footer;
pub mod manifest;
mod progress;
mod reader;
mod row;
pub mod rows;
pub mod runtime;
mod seed;
pub mod settings;
pub mod stage;
mod time;
mod writer;

pub use as_of::{AsOf, Timed, Timeline};
pub use atomic::{AtomicFile, remove_stale_temporaries, write_bytes};
pub use column::{Column, ColumnError};
pub use error::{Error, one_line};
pub use manifest::{Manifest, hash_path};
pub use progress::{NoProgress, Progress, Ticker};
pub use reader::{Reader, read_all};
pub use row::{Checks, Row};
pub use seed::Seed;
pub use stage::{OpenStage, Outcome, RunOptions, StageSpec};
pub use time::Timestamp;
pub use writer::{Writer, write_all};

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
