//! The row types: what crosses the walls between stages. A change of a column is a new version.

mod agents;
mod answers;
mod backtest;
mod evaluation;
mod features;
mod market;
mod preparation;
mod profile;
mod quality;
mod sweep;
mod synthesis;
mod text;
mod training;
mod trials;

/// What is wrong with a value that has a range; a mean may leave it by rounding.
fn within(name: &str, value: Option<f64>, low: f64, high: f64) -> Result<(), String> {
    match value.filter(|v| !(low - 1e-9..=high + 1e-9).contains(v)) {
        Some(value) => Err(format!("{name} is {value}; it lies in [{low}, {high}]")),
        None => Ok(()),
    }
}

pub use agents::{CheckedClaim, Cost, Event, Fact, FactKind, Opinion, Trace};
pub use answers::{Answer, Generation, Nearest};
pub use backtest::{Decision, EquityPoint, Fill, Order, OrderStatus, PortfolioPoint, Trade};
pub use evaluation::{Metric, Outcome, Prediction};
pub use features::{FeatureDefinition, FeaturePartition};
pub use market::{Bar, News, Observation};
pub use preparation::{
    CleaningSample, CleaningStep, Conflict, FormattedTask, Shortened, TaskExample, TaskKind, TickerMention,
};
pub use profile::{AlertKind, AlertLevel, DataAlert, LabelScore, ProfileFigure};
pub use quality::QualityFinding;
pub use sweep::{SweepRow, WalkForwardRow};
pub use synthesis::{Candidate, Recorded, Verdict};
pub use text::{Example, Language, Rejected, Sentiment};
pub use training::{Formatted, Step};
pub use trials::{PeriodReturn, Trial};
