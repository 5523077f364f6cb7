//! What agents may look up. A tool sees [`Known`], what could be known at one moment, and nothing else; what it finds are
//! facts with the time from which each could be known.

mod cases;
mod features;
mod mark;
mod news;
mod prices;
mod search;
mod sentiment;
mod web;
mod words;

pub use cases::{SimilarCases, SimilarCasesArguments, cases_of};
pub use features::{GetFeatures, GetFeaturesArguments};
pub use mark::Mark;
pub use news::{GetNews, GetNewsArguments};
pub use prices::{CalculateVolatility, CalculateVolatilityArguments, GetPriceData, GetPriceDataArguments, volatility};
pub use search::{NewsWords, SearchNews, SearchNewsArguments};
pub use sentiment::{LlmSentiment, LlmSentimentArguments};
pub use web::{WebPage, WebSearch, WebSearchArguments, WebTool};
pub use words::{clip, moment, number};

use crate::{Error, Market};
use artifacts::rows::{Bar, FactKind, News, Observation};
use artifacts::{AsOf, Timestamp};
use serde::Serialize;

/// Everything about one symbol that could be known at one moment.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// The prices.
    pub bars: AsOf<'a, Bar>,
    /// The texts.
    pub news: AsOf<'a, News>,
    /// The other numbers.
    pub observations: AsOf<'a, Observation>,
}

impl Known<'_> {
    /// The moment.
    pub fn t(&self) -> Timestamp {
        self.bars.t()
    }
}

impl Market {
    /// What could be known at `t`: the only way from here to any row.
    pub fn as_of(&self, t: Timestamp) -> Known<'_> {
        Known { bars: self.bars.as_of(t), news: self.news.as_of(t), observations: self.observations.as_of(t) }
    }
}

/// A fact as a tool finds it; the desk gives it an id.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What kind of thing it states.
    pub kind: FactKind,
    /// What it is about.
    pub name: String,
    /// When it happened.
    pub event_at: Timestamp,
    /// When it could be known.
    pub available_at: Timestamp,
    /// The number it states, if it states one.
    pub value: Option<f64>,
    /// The unit of the number.
    pub unit: String,
    /// In words.
    pub text: String,
    /// How much it matters where not all facts have room; higher stays longer.
    pub relevance: f64,
}

/// Something that agents may look up.
pub trait Tool {
    /// What is asked for.
    type Arguments: Serialize;

    /// The name in traces.
    const NAME: &'static str;

    /// What is found, all of it known at the moment of `known`.
    ///
    /// # Errors
    /// What the tool asks in turn fails.
    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error>;
}
