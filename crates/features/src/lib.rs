//! Features of market data: each has a name, a version, a hash of its definition, inputs and a warm-up, and **one fold** makes its values
//! from a file and from a live stream.
//!
//! ```text
//! bars, news, observations ──in order of availability──> Fold: (state, event) -> values ──> features.parquet
//! ```
//!
//! * A feature is data: a [`Definition`] in TOML ([`FeaturesConfig`]); [`builtin`] has the usual ones.
//! * A value is an [`artifacts::rows::Observation`] with the times of its bar: known when the bar is. What is still warming up, or not defined,
//!   is left out.
//! * [`run`] makes the values of a market folder, partition by partition; a partition whose rows and whose state before it did not change
//!   is not computed again.
//! * [`follow()`] reads a growing event log with the same fold; its file equals that of [`run`] byte for byte.
//!
//! ```
//! use artifacts::{Timestamp, rows::Bar};
//! use features::{Compute, Definition, Event, Fold, Input};
//! let fold = Fold::new(&[Definition::new("sma_2", Compute::Sma { input: Input::default(), bars: 2, shown: Default::default() })])?;
//! let (mut state, mut values) = (fold.start("X")?, Vec::new());
//! for (minute, close) in [1.0, 3.0, 5.0].into_iter().enumerate() {
//!     let event_at = Timestamp::from_seconds(60 * minute as i64);
//!     let bar = Bar { symbol: "X".into(), event_at, available_at: event_at.plus_seconds(60), open: None, high: None, low: None, close, volume: None };
//!     fold.update(&mut state, Event::Bar(&bar), &mut values)?;
//! }
//! assert_eq!(values.iter().map(|v| v.value).collect::<Vec<_>>(), [2.0, 4.0]);
//! # Ok::<(), features::Error>(())
//! ```

pub mod builtin;
mod config;
mod context;
mod coverage;
mod definition;
mod error;
mod fold;
pub mod follow;
mod page;
mod partition;
mod running;
mod stage;

pub use config::{FeaturesConfig, Span};
pub use context::Context;
pub use definition::{BandOutput, BarColumn, Compute, Definition, Input, MacdOutput, MoodOutput, Shown};
pub use error::Error;
pub use fold::{Event, Fold, State};
pub use follow::{Follower, follow};
pub use stage::{DEFINITIONS, FEATURES, Inputs, PARTITIONS, run};

/// Raised when values change for the same input.
pub const STAGE_VERSION: u32 = 2;
