//! The row types: what crosses the walls between stages. A change of a column is a new version.

mod backtest;
mod evaluation;
mod market;
mod text;
mod training;

pub use backtest::{Decision, EquityPoint, Fill};
pub use evaluation::{Metric, Outcome, Prediction};
pub use market::{Bar, News, Observation};
pub use text::{Candidate, Example, Language, Rejected, Sentiment, Verdict};
pub use training::{Formatted, Step};
