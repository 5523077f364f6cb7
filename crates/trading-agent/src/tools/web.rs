use super::{Draft, Known, Tool, clip};
use crate::Error;
use artifacts::Timestamp;
use artifacts::rows::FactKind;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};

/// A page as a search engine gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPage {
    /// Where it is from, such as a site's name.
    pub source: String,
    /// What it says.
    pub text: String,
    /// When it was published, if the engine knows.
    pub published_at: Option<Timestamp>,
}

/// A search engine. What it finds is never trusted to be old enough: [`WebTool`] checks each page.
pub trait WebSearch: Send + Sync {
    /// Pages about the query that were published at `before` or earlier, best first.
    ///
    /// # Errors
    /// The engine fails.
    fn search(&self, query: &str, before: Timestamp, limit: usize) -> Result<Vec<WebPage>, Error>;
}

/// A search engine behind a guard: a page without a date, or published after the moment, is refused and counted.
pub struct WebTool<'a> {
    engine: &'a dyn WebSearch,
    characters: usize,
    refused: AtomicU64,
}

/// Arguments of [`WebTool`].
#[derive(Debug, Clone, Serialize)]
pub struct WebSearchArguments {
    /// In words.
    pub query: String,
    /// How many at most.
    pub limit: usize,
}

impl<'a> WebTool<'a> {
    /// A guard around an engine; `characters`: the longest wording of one page.
    pub fn new(engine: &'a dyn WebSearch, characters: usize) -> Self {
        Self { engine, characters, refused: AtomicU64::new(0) }
    }

    /// Pages refused so far.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Tool for WebTool<'_> {
    type Arguments = WebSearchArguments;
    const NAME: &'static str = "web_search";

    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let t = known.t();
        let pages = self.engine.search(&arguments.query, t, arguments.limit)?;
        let mut facts = Vec::new();
        for page in pages.into_iter().take(arguments.limit) {
            let Some(published) = page.published_at.filter(|at| *at <= t) else {
                self.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            facts.push(Draft {
                kind: FactKind::News,
                name: page.source,
                event_at: published,
                available_at: published,
                value: None,
                unit: String::new(),
                text: clip(&page.text, self.characters),
                relevance: 0.6,
            });
        }
        Ok(facts)
    }
}
