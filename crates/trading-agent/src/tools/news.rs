use super::{Draft, Known, Tool, clip};
use crate::Error;
use artifacts::rows::{FactKind, News};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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

fn fact(item: &News, characters: usize, relevance: f64) -> Draft {
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

/// Older texts that share rare words with a question.
#[derive(Debug, Clone)]
pub struct SearchNews {
    /// Longest wording of one.
    pub characters: usize,
}

/// Arguments of [`SearchNews`].
#[derive(Debug, Clone, Serialize)]
pub struct SearchNewsArguments {
    /// In words.
    pub query: String,
    /// Younger texts are left out: [`GetNews`] brings them.
    pub older_than_seconds: i64,
    /// How many at most.
    pub limit: usize,
}

/// So many of the latest texts are searched; what lies further back is for `similar_cases`.
const SEARCHED: usize = 2_000;

fn content_words(text: &str) -> BTreeSet<String> {
    text::words(text).filter(|word| !text::is_stop_word(word)).map(|word| word.to_lowercase()).collect()
}

impl Tool for SearchNews {
    type Arguments = SearchNewsArguments;
    const NAME: &'static str = "search_news";

    /// Each shared word counts ln(1 + n / (1 + texts with it)), with n and the texts those known by now and no others.
    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let query = content_words(&arguments.query);
        let before = known.t().plus_seconds(-arguments.older_than_seconds);
        let searched = known.news.last(SEARCHED);
        let bags: Vec<(&News, BTreeSet<String>)> = searched.iter().map(|n| (n, content_words(&n.text))).collect();
        let mut with: BTreeMap<&str, u32> = BTreeMap::new();
        for (_, bag) in &bags {
            for word in query.intersection(bag) {
                *with.entry(word).or_default() += 1;
            }
        }
        let rarity = |word: &String| {
            let seen = f64::from(with.get(word.as_str()).copied().unwrap_or(0));
            (1.0 + bags.len() as f64 / (1.0 + seen)).ln()
        };
        let mut found: Vec<(f64, &News)> = bags
            .iter()
            .filter(|(item, _)| item.available_at <= before)
            .map(|(item, bag)| {
                let shared: f64 = query.intersection(bag).map(rarity).sum();
                (shared / (1.0 + bag.len() as f64).sqrt(), *item)
            })
            .filter(|(score, _)| *score > 0.0)
            .collect();
        found.sort_by(|a, b| {
            b.0.total_cmp(&a.0).then(b.1.available_at.cmp(&a.1.available_at)).then(a.1.id.cmp(&b.1.id))
        });
        found.truncate(arguments.limit);
        Ok(found.into_iter().map(|(_, item)| fact(item, self.characters, 0.7)).collect())
    }
}
