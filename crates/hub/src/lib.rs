//! Names on the Hugging Face Hub to local files, and local folders back to the Hub.
//!
//! A [`Source`] is what a user writes: a local path, `hf://datasets/ORG/NAME/file.parquet` or `hf://ORG/NAME`. A [`Hub`]
//! is made from an explicit [`HubConfig`]; binaries build that from the environment with
//! [`HubConfig::from_environment`], libraries never look at it. Files come through the cache that all Hub clients
//! share (`HF_HOME`), so that a second run needs no network.
//!
//! ```
//! use hub::{Source, RepoKind};
//! let Source::Hub(at) = Source::parse("hf://datasets/org/news@v2/data/train.parquet")? else { unreachable!() };
//! assert_eq!((at.kind, at.repo.as_str(), at.revision.as_deref(), at.path.as_str()),
//!     (RepoKind::Dataset, "org/news", Some("v2"), "data/train.parquet"));
//! # Ok::<(), hub::Error>(())
//! ```

mod client;
mod config;
mod error;
mod glob;
mod pieces;
mod source;
pub mod testing;

pub use client::Hub;
pub use config::HubConfig;
pub use error::Error;
pub use glob::matches;
pub use source::{HubPath, RepoKind, Source};
