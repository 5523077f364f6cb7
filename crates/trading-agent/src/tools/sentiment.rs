use super::{Draft, Known, Tool, moment};
use crate::Error;
use crate::mood::Readings;
use artifacts::rows::{FactKind, News};
use serde::Serialize;

/// What the tuned model says about the texts: label probabilities, not prose.
#[derive(Debug, Clone)]
pub struct LlmSentiment<'a> {
    /// What it has read.
    pub readings: &'a Readings,
}

/// Arguments of [`LlmSentiment`].
#[derive(Debug, Clone, Serialize)]
pub struct LlmSentimentArguments {
    /// Older texts are left out.
    pub window_seconds: i64,
    /// After this many seconds a text counts half in the average.
    pub half_life_seconds: f64,
    /// Weight of an imaginary neutral text in the average.
    pub prior: f64,
    /// How many single texts at most.
    pub limit: usize,
}

/// Which side a score is on.
fn label(score: f64) -> &'static str {
    match score {
        s if s > 0.1 => " (positive)",
        s if s < -0.1 => " (negative)",
        _ => "",
    }
}

impl Tool for LlmSentiment<'_> {
    type Arguments = LlmSentimentArguments;
    const NAME: &'static str = "llm_sentiment";

    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let news = &known.news;
        let LlmSentimentArguments { window_seconds, half_life_seconds, prior, limit } = *arguments;
        let Some((average, ids)) = self.readings.decayed(news, window_seconds, half_life_seconds, prior) else {
            return Ok(Vec::new());
        };
        let window = news.within(window_seconds);
        let Some(last) = window.last() else { return Ok(Vec::new()) };
        let fact = |name: &str, item: &News, value: f64, of: &str, relevance: f64| Draft {
            kind: FactKind::Sentiment,
            name: name.to_owned(),
            event_at: item.event_at,
            available_at: item.available_at,
            value: Some(value),
            unit: String::new(),
            text: format!("sentiment of {of}: {value:+.2}{}", label(value)),
            relevance,
        };
        let texts = if ids.len() == 1 { "1 text".to_owned() } else { format!("{} texts, on average", ids.len()) };
        let mut facts = vec![fact("llm_sentiment_average", last, average, &texts, 3.0)];
        let read = window.iter().rev().filter_map(|item| Some((item, self.readings.of(&item.id)?)));
        for (place, (item, score)) in read.take(limit).enumerate() {
            let of = format!("the news of {}", moment(item.event_at));
            facts.push(fact("llm_sentiment", item, score, &of, 2.0 / (1.0 + place as f64)));
        }
        Ok(facts)
    }
}
