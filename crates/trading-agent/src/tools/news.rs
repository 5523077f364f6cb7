use super::{Draft, Known, Tool, clip};
use crate::Error;
use artifacts::rows::{FactKind, News};
use serde::Serialize;

/// The newest texts.
#[derive(Debug, Clone)]
pub struct GetNews {
    /// Longest wording of one.
    pub characters: usize,
}

/// Arguments of [`GetNews`].
#[derive(Debug, Clone, Serialize)]
pub struct GetNewsArguments {
    /// Older texts are left out.
    pub age_seconds: i64,
    /// How many at most.
    pub limit: usize,
}

pub(super) fn fact(item: &News, characters: usize, relevance: f64) -> Draft {
    Draft {
        kind: FactKind::News,
        name: item.source.clone(),
        event_at: item.event_at,
        available_at: item.available_at,
        value: None,
        unit: String::new(),
        text: clip(&item.text, characters),
        relevance,
    }
}

impl Tool for GetNews {
    type Arguments = GetNewsArguments;
    const NAME: &'static str = "get_news";

    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let recent = known.news.within(arguments.age_seconds);
        let newest = &recent[recent.len().saturating_sub(arguments.limit)..];
        // The newest matters most.
        Ok(newest
            .iter()
            .rev()
            .enumerate()
            .map(|(place, item)| fact(item, self.characters, 3.0 / (1.0 + place as f64)))
            .collect())
    }
}
