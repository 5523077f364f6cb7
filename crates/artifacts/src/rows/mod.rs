//! The row types: what crosses the walls between stages. A change of a column is a new version.

mod answers;
mod backtest;
mod evaluation;
mod market;
mod preparation;
mod profile;
mod synthesis;
mod text;
mod training;

pub use answers::{Answer, Generation, Nearest};
pub use backtest::{Decision, EquityPoint, Fill};
pub use evaluation::{Metric, Outcome, Prediction};
pub use market::{Bar, News, Observation};
pub use preparation::{
    CleaningSample, CleaningStep, Conflict, FormattedTask, Shortened, TaskExample, TaskKind, TickerMention,
};
pub use profile::{AlertKind, AlertLevel, DataAlert, LabelScore, ProfileFigure};
pub use synthesis::{Candidate, Recorded, Verdict};
pub use text::{Example, Language, Rejected, Sentiment};
pub use training::{Formatted, Step};
