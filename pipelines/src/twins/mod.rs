//! Twins of a market: the same market but for one thing, to learn what a strategy lives on.
//!
//! | twin | changed | a strategy that keeps its figures on it |
//! |---|---|---|
//! | [`shuffled_text`] | which text belongs to which row | does not read its news |
//! | [`flipped_news`] | good words against bad ones | does not understand its news |
//! | [`inverted_indicators`] | prices and numbers upside down | does not look at its numbers |
//! | [`anonymised`] | names and numbers in texts, symbols, price levels | did not live on what its model remembers (as it should be) |
//! | [`date_shifted`] | all times, by whole weeks | did not live on remembered dates (as it should be) |
//!
//! Every twin is a pure function of the market and a seed, and again a valid market.

mod anonymise;
mod flip;

pub use crate::audit::Market;
pub use anonymise::anonymised;
pub use flip::{flip, flipped_news};

use artifacts::rows::{Bar, Observation};
use artifacts::{Seed, Timestamp};
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// A way to change a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the function of the same name")]
pub enum Change {
    ShuffledText,
    FlippedNews,
    InvertedIndicators,
    Anonymised,
    DateShifted,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 5] =
        [Self::ShuffledText, Self::FlippedNews, Self::InvertedIndicators, Self::Anonymised, Self::DateShifted];

    /// Its name, for folders and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShuffledText => "shuffled-text",
            Self::FlippedNews => "flipped-news",
            Self::InvertedIndicators => "inverted-indicators",
            Self::Anonymised => "anonymised",
            Self::DateShifted => "date-shifted",
        }
    }

    /// The twin of a market.
    pub fn apply(self, market: &Market, seed: Seed) -> Market {
        let seed = seed.derive(&format!("twins/{}", self.name()));
        match self {
            Self::ShuffledText => shuffled_text(market, seed),
            Self::FlippedNews => flipped_news(market),
            Self::InvertedIndicators => inverted_indicators(market),
            Self::Anonymised => anonymised(market, seed),
            Self::DateShifted => date_shifted(market, seed),
        }
    }
}

/// Texts change places among the rows of the same source; times, ids and symbols stay.
pub fn shuffled_text(market: &Market, seed: Seed) -> Market {
    let mut twin = market.clone();
    let mut by_source: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, news) in market.news.iter().enumerate() {
        by_source.entry(&news.source).or_default().push(i);
    }
    for (source, places) in by_source {
        let mut from = places.clone();
        from.shuffle(&mut seed.derive(source).rng());
        for (to, from) in places.into_iter().zip(from) {
            if let (Some(row), Some(other)) = (twin.news.get_mut(to), market.news.get(from)) {
                row.text.clone_from(&other.text);
            }
        }
    }
    twin
}

/// Prices mirrored in log space around the first close of their symbol, p' = p0² / p, and every number around the first of its name and
/// symbol, v' = 2 v0 − v. Volumes and texts stay. Twice applied gives the market again, but for rounding.
pub fn inverted_indicators(market: &Market) -> Market {
    let mut twin = market.clone();
    let mut first: BTreeMap<String, f64> = BTreeMap::new();
    for bar in &mut twin.bars {
        let origin = *first.entry(bar.symbol.clone()).or_insert(bar.close);
        let mirror = |p: f64| origin / p * origin;
        let Bar { open, high, low, .. } = bar.clone();
        (bar.open, bar.high, bar.low) = (open.map(mirror), low.map(mirror), high.map(mirror));
        bar.close = mirror(bar.close);
    }
    let mut first: BTreeMap<(String, String), f64> = BTreeMap::new();
    for Observation { symbol, name, value, .. } in &mut twin.observations {
        let origin = *first.entry((symbol.clone(), name.clone())).or_insert(*value);
        *value = 2.0 * origin - *value;
    }
    twin
}

/// All times later by the same whole number of weeks, between one year and ten: days of the week and times of the day stay. Dates within
/// texts are not changed.
pub fn date_shifted(market: &Market, seed: Seed) -> Market {
    let weeks: i64 = seed.rng().random_range(52..=520);
    let shift = |t: &mut Timestamp| *t = t.plus_seconds(weeks * 7 * 24 * 3600);
    let mut twin = market.clone();
    for bar in &mut twin.bars {
        shift(&mut bar.event_at);
        shift(&mut bar.available_at);
    }
    for news in &mut twin.news {
        shift(&mut news.event_at);
        shift(&mut news.available_at);
    }
    for observation in &mut twin.observations {
        shift(&mut observation.event_at);
        shift(&mut observation.available_at);
    }
    twin
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifacts::rows::News;
    use artifacts::{Checks, write_all};

    fn market() -> Market {
        let at = |hour: i64| Timestamp::from_seconds(1_740_355_200 + 3600 * hour);
        let bar = |symbol: &str, hour: i64, close: f64| Bar {
            symbol: symbol.into(),
            event_at: at(hour),
            available_at: at(hour + 1),
            open: Some(close * 0.99),
            high: Some(close * 1.02),
            low: Some(close * 0.97),
            close,
            volume: Some(5.0),
        };
        let texts = [
            "Bitcoin surges to 95,000 as Tesla buys; a record gain",
            "Losses at Tesla: the stock PLUNGES 12 % in weak trading",
            "Optimism returns to the market",
            "Rally ends in panic, says Reuters",
        ];
        let news = (0_u32..).zip(&texts).map(|(i, text)| News {
            id: format!("n{i}"),
            symbol: "BTC".into(),
            event_at: at(i.into()),
            available_at: at(i.into()),
            text: (*text).into(),
            source: "wire".into(),
        });
        let observation = |hour: i64, value: f64| Observation {
            symbol: "BTC".into(),
            name: "index".into(),
            event_at: at(hour),
            available_at: at(hour + 1),
            value,
        };
        Market {
            bars: vec![bar("BTC", 0, 95_000.0), bar("BTC", 1, 99_000.0), bar("TSLA", 0, 300.0), bar("TSLA", 1, 280.0)],
            news: news.collect(),
            observations: vec![observation(0, 50.0), observation(1, 62.0)],
        }
    }

    #[test]
    fn every_twin_is_a_valid_market_made_again_from_the_same_seed_and_unlike_the_original() {
        let market = market();
        for change in Change::ALL {
            let twin = change.apply(&market, Seed(7));
            assert_eq!(twin, change.apply(&market, Seed(7)), "{}", change.name());
            assert_ne!(twin, market, "{}", change.name());
            assert_eq!((twin.bars.len(), twin.news.len(), twin.observations.len()), (4, 4, 2));
            let dir = tempfile::tempdir().unwrap();
            twin.write(dir.path()).unwrap();
            assert_eq!(Market::read(dir.path()).unwrap(), twin, "{}", change.name());
        }
    }

    #[test]
    fn shuffling_keeps_the_texts_and_moves_them_within_their_source_only() {
        let mut market = market();
        market.news[3].source = "other".into();
        let twin = shuffled_text(&market, Seed(3));
        let texts = |m: &Market| {
            let mut texts: Vec<_> = m.news.iter().map(|n| n.text.clone()).collect();
            texts.sort();
            texts
        };
        assert_eq!(texts(&twin), texts(&market));
        assert_eq!(twin.news[3], market.news[3]);
        assert_eq!((&twin.bars, &twin.observations), (&market.bars, &market.observations));
    }

    #[test]
    fn inverting_turns_every_return_and_every_change_around_and_twice_is_the_market_again() {
        let market = market();
        let twin = inverted_indicators(&market);
        let returns = |m: &Market| (m.bars[1].close / m.bars[0].close).ln();
        assert!((returns(&twin) + returns(&market)).abs() < 1e-12);
        assert!(twin.bars.iter().all(|b| b.check().is_ok()));
        assert!((twin.observations[1].value - 38.0).abs() < 1e-12);
        let back = inverted_indicators(&twin);
        for (a, b) in back.bars.iter().zip(&market.bars) {
            assert!((a.close / b.close - 1.0).abs() < 1e-12 && (a.high.unwrap() / b.high.unwrap() - 1.0).abs() < 1e-12);
        }
        assert_eq!(back.observations, market.observations);
    }

    #[test]
    fn shifting_moves_every_time_by_the_same_whole_weeks() {
        let market = market();
        let twin = date_shifted(&market, Seed(1));
        let moved = twin.bars[0].event_at.seconds_since(market.bars[0].event_at);
        assert!(moved > 0.0 && moved % (7.0 * 86_400.0) == 0.0);
        for (a, b) in twin.news.iter().zip(&market.news) {
            assert!((a.available_at.seconds_since(b.available_at) - moved).abs() < 1e-9);
        }
        let dir = tempfile::tempdir().unwrap();
        write_all(&dir.path().join("o.parquet"), &twin.observations).unwrap();
        let later = twin.observations[1].available_at.seconds_since(market.observations[1].available_at);
        assert!((later - moved).abs() < 1e-9);
    }
}
