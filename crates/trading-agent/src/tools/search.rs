use super::news::fact;
use super::{Draft, Known, Tool};
use crate::Error;
use artifacts::AsOf;
use artifacts::rows::News;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Older texts that share rare words with a question.
#[derive(Debug, Clone)]
pub struct SearchNews<'a> {
    /// Longest wording of one.
    pub characters: usize,
    /// The words of the texts; texts that it does not hold are not found.
    pub words: &'a NewsWords,
}

/// Arguments of [`SearchNews`].
#[derive(Debug, Clone, Serialize)]
pub struct SearchNewsArguments {
    /// In words.
    pub query: String,
    /// Younger texts are left out: [`super::GetNews`] brings them.
    pub older_than_seconds: i64,
    /// How many at most.
    pub limit: usize,
}

/// So many of the latest texts are searched; what lies further back is for `similar_cases`.
const SEARCHED: usize = 2_000;

/// Which texts of one market hold a word, by their places in the order in which they became known. It grows with what is known
/// and holds nothing that is not.
#[derive(Debug, Clone, Default)]
pub struct NewsWords {
    /// For each word the places of the texts with it, in order.
    places: BTreeMap<String, Vec<usize>>,
    /// For each text how many different words it has.
    sizes: Vec<usize>,
}

impl NewsWords {
    /// Reads the texts that have become known since the last time. Always of the same market.
    pub fn grow(&mut self, known: &AsOf<'_, News>) {
        for item in known.rows().get(self.sizes.len()..).unwrap_or_default() {
            let (place, words) = (self.sizes.len(), content_words(&item.text));
            self.sizes.push(words.len());
            for word in words {
                self.places.entry(word).or_default().push(place);
            }
        }
    }

    /// The texts from place `from` up to and without `to` that hold a word.
    fn with(&self, word: &str, from: usize, to: usize) -> &[usize] {
        let all = self.places.get(word).map_or(&[][..], Vec::as_slice);
        let (first, end) = (all.partition_point(|p| *p < from), all.partition_point(|p| *p < to));
        all.get(first..end).unwrap_or_default()
    }
}

fn content_words(text: &str) -> BTreeSet<String> {
    text::words(text).filter(|word| !text::is_stop_word(word)).map(|word| word.to_lowercase()).collect()
}

impl Tool for SearchNews<'_> {
    type Arguments = SearchNewsArguments;
    const NAME: &'static str = "search_news";

    /// Each shared word counts ln(1 + n / (1 + texts with it)), with n and the texts those known by now and no others.
    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let before = known.t().plus_seconds(-arguments.older_than_seconds);
        let rows = known.news.rows();
        let from = rows.len().saturating_sub(SEARCHED);
        let searched = (rows.len() - from) as f64;
        let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
        for word in content_words(&arguments.query) {
            let with = self.words.with(&word, from, rows.len());
            let rarity = (1.0 + searched / (1.0 + with.len() as f64)).ln();
            for place in with {
                *shared.entry(*place).or_default() += rarity;
            }
        }
        let scored = shared.into_iter().filter_map(|(place, shared)| {
            let (item, size) = (rows.get(place)?, *self.words.sizes.get(place)?);
            Some((shared / (1.0 + size as f64).sqrt(), item)).filter(|(_, item)| item.available_at <= before)
        });
        let mut found: Vec<(f64, &News)> = scored.collect();
        found.sort_by(|a, b| {
            b.0.total_cmp(&a.0).then(b.1.available_at.cmp(&a.1.available_at)).then(a.1.id.cmp(&b.1.id))
        });
        found.truncate(arguments.limit);
        Ok(found.into_iter().map(|(_, item)| fact(item, self.characters, 0.7)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Market;
    use artifacts::rows::Bar;
    use artifacts::{Timeline, Timestamp};

    fn item(hour: i64, text: &str) -> News {
        let at = Timestamp::from_seconds(hour * 3600);
        let (id, symbol, source) = (format!("n{hour}"), "X".into(), "wire".into());
        News { id, symbol, event_at: at, available_at: at, text: text.into(), source }
    }

    fn bar(hour: i64) -> Bar {
        let at = Timestamp::from_seconds(hour * 3600);
        let none = || None;
        Bar {
            symbol: "X".into(),
            event_at: at,
            available_at: at,
            open: none(),
            high: none(),
            low: none(),
            close: 1.0,
            volume: none(),
        }
    }

    #[test]
    fn a_search_finds_the_same_whether_the_words_grew_with_time_or_were_read_at_once() {
        let texts = [
            "Miners sell reserves",
            "A quiet day for miners",
            "An exchange was hacked and reserves are gone",
            "Reserves of the exchange were found",
            "The exchange is hacked again",
        ];
        let news: Vec<News> = (0_i64..).zip(texts).map(|(hour, text)| item(hour, text)).collect();
        let market = Market {
            bars: Timeline::new((0..5).map(bar).collect()).unwrap(),
            news: Timeline::new(news).unwrap(),
            observations: Timeline::new(Vec::new()).unwrap(),
        };
        let arguments = SearchNewsArguments { query: "hacked exchange".into(), older_than_seconds: 3600, limit: 2 };
        let mut growing = NewsWords::default();
        let mut all = NewsWords::default();
        all.grow(&market.as_of(Timestamp::from_seconds(4 * 3600)).news);
        for hour in 0..5 {
            let known = market.as_of(Timestamp::from_seconds(hour * 3600));
            growing.grow(&known.news);
            assert_eq!(growing.sizes.len(), known.news.len(), "nothing is read before it is known");
            let search = |words| SearchNews { characters: 80, words }.call(&arguments, &known).unwrap();
            let found = search(&growing);
            assert_eq!(found, search(&all), "what is read too early does not count either");
            if hour == 4 {
                let texts: Vec<&str> = found.iter().map(|f| f.text.as_str()).collect();
                assert_eq!(
                    texts,
                    ["An exchange was hacked and reserves are gone", "Reserves of the exchange were found"]
                );
            }
        }
    }
}
