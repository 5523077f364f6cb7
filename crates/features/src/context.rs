use crate::Error;
use artifacts::rows::{News, Observation};
use artifacts::{AsOf, Timed, Timeline, Timestamp};

/// The texts and observations of one symbol, readable only as of a moment.
#[derive(Debug, Clone)]
pub struct Context {
    news: Timeline<News>,
    observations: Timeline<Observation>,
}

impl Context {
    /// Those of `symbol`.
    ///
    /// # Errors
    /// A row that could be known before it happened.
    pub fn new(symbol: &str, news: &[News], observations: &[Observation]) -> Result<Self, Error> {
        Ok(Self {
            news: Timeline::new(news.iter().filter(|n| n.symbol == symbol).cloned().collect())?,
            observations: Timeline::new(observations.iter().filter(|o| o.symbol == symbol).cloned().collect())?,
        })
    }

    /// Texts that became known after `known_at` (from the beginning, where that is none) and until `now`.
    pub fn new_news(&self, known_at: Option<Timestamp>, now: Timestamp) -> &[News] {
        newer(&self.news, known_at, now)
    }

    /// Observations that became known after `known_at` and until `now`.
    pub fn new_observations(&self, known_at: Option<Timestamp>, now: Timestamp) -> &[Observation] {
        newer(&self.observations, known_at, now)
    }
}

fn newer<T: Timed>(all: &Timeline<T>, known_at: Option<Timestamp>, now: Timestamp) -> &[T] {
    let before = known_at.map_or(0, |t| AsOf::len(&all.as_of(t)));
    all.as_of(now).rows().get(before..).unwrap_or_default()
}
