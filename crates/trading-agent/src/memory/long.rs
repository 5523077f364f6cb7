use crate::Error;
use crate::agents::MemoryConfig;
use crate::tools::{Draft, Known, clip};
use artifacts::Timestamp;
use artifacts::rows::FactKind;
use retrieval::{Case, Embedder, Memory, RetrievalConfig};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A past decision whose outcome is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The bar that it was made on.
    pub bar_at: Timestamp,
    /// Its close.
    pub close: f64,
    /// The position.
    pub position: f64,
    /// The direction that the score pointed to, before limits.
    pub direction: f64,
    /// How sure the agents were.
    pub confidence: f64,
    /// What was known, in words.
    pub situation: String,
    /// Bars since.
    pub age: usize,
}

/// The agents' own decisions with what came of them. A decision is remembered from the moment on at which its outcome is
/// known, never before; the oldest are forgotten first.
pub struct LongMemory {
    memory: Memory,
    config: MemoryConfig,
}

impl LongMemory {
    /// A memory that holds what a checkpoint has kept.
    ///
    /// # Errors
    /// The embedder fails, or the cases contradict themselves.
    pub fn restore(config: &MemoryConfig, cases: Vec<Case>, embedder: Arc<dyn Embedder>) -> Result<Self, Error> {
        let ranking =
            RetrievalConfig { half_life_seconds: Some(config.half_life_seconds), ..RetrievalConfig::default() };
        Ok(Self { memory: Memory::restore(cases, config.capacity, embedder, &ranking)?, config: config.clone() })
    }

    /// Everything remembered, for a checkpoint.
    pub fn cases(&self) -> Vec<Case> {
        self.memory.cases()
    }

    /// Remembers a decision whose outcome has become known at `t`.
    ///
    /// # Errors
    /// The embedder fails.
    pub fn remember(&mut self, pending: &Pending, close: f64, t: Timestamp) -> Result<(), Error> {
        let outcome = close / pending.close - 1.0;
        let text = format!("position {:+.2}. {}", pending.position, pending.situation);
        self.memory.remember(Case {
            id: pending.bar_at.to_string(),
            event_at: pending.bar_at,
            available_at: t,
            text,
            outcome: Some(outcome),
            outcome_known_at: Some(t),
        })?;
        Ok(())
    }

    /// Decisions made in situations like this one, with what came of them.
    ///
    /// # Errors
    /// The embedder fails.
    pub fn recall(&self, situation: &str, t: Timestamp) -> Result<Vec<Draft>, Error> {
        let found = self.memory.recall(situation, t, self.config.k)?;
        let draft = |(place, found): (usize, retrieval::Found<'_>)| {
            let percent = found.outcome? * 100.0;
            let (bars, held) = (self.config.horizon_bars, lead(&found.case.text));
            let text = format!("after the past decision for a {held}: {percent:+.2} % over {bars} bars");
            Some(Draft {
                kind: FactKind::PastCase,
                name: "past_decision".into(),
                event_at: found.case.event_at,
                available_at: found.case.available_at,
                value: Some(percent),
                unit: "%".into(),
                text,
                // Above the single numbers, which the trader has heard the analysts on: nobody else tells it this.
                relevance: 2.4 / (1.0 + 0.2 * place as f64),
            })
        };
        Ok(found.into_iter().enumerate().filter_map(draft).collect())
    }
}

/// The first sentence of a remembered text: the position.
fn lead(text: &str) -> &str {
    text.find(". ").map_or(text, |at| &text[..at])
}

/// What is known at a moment in the words that memories are found by: mood, trend, newest text.
pub fn situation(known: &Known<'_>, mood: Option<f64>, trend: Option<f64>) -> String {
    let side = |value: Option<f64>, words: [&'static str; 3]| match value {
        Some(v) if v > 0.2 => words[2],
        Some(v) if v < -0.2 => words[0],
        Some(_) => words[1],
        None => "unknown",
    };
    let mood = side(mood, ["negative", "neutral", "positive"]);
    let trend = side(trend, ["falling", "sideways", "rising"]);
    let news = known.news.latest().map_or_else(String::new, |item| clip(&item.text, 200));
    format!("mood {mood}, trend {trend}. {news}")
}
