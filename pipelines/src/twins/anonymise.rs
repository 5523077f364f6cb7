use super::Market;
use artifacts::Seed;
use artifacts::rows::Bar;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};

/// Names, numbers and symbols masked, each always by the same mask; prices of every symbol scaled to begin at a close of 100, volumes at
/// 1000. Returns and the order of things stay.
///
/// A name is a word with a capital letter that no text of the market writes small; a number is a run of digits with its points and commas.
/// Names of observations stay, since settings speak of them.
pub fn anonymised(market: &Market, seed: Seed) -> Market {
    let mut twin = market.clone();
    let symbols: BTreeSet<String> = market
        .bars
        .iter()
        .map(|b| &b.symbol)
        .chain(market.news.iter().map(|n| &n.symbol))
        .chain(market.observations.iter().map(|o| &o.symbol))
        .cloned()
        .collect();
    let symbols = masks(symbols, "ASSET", seed.derive("symbols"));
    let mask = |symbol: &mut String| {
        if let Some(masked) = symbols.get(symbol) {
            symbol.clone_from(masked);
        }
    };
    let mut first: BTreeMap<String, (f64, Option<f64>)> = BTreeMap::new();
    for bar in &mut twin.bars {
        let (close, volume) = first.entry(bar.symbol.clone()).or_insert((bar.close, None));
        if volume.is_none() {
            *volume = bar.volume.filter(|v| *v > 0.0);
        }
        let (close, volume) = (*close, *volume);
        let price = |p: f64| p / close * 100.0;
        let Bar { open, high, low, .. } = bar.clone();
        (bar.open, bar.high, bar.low) = (open.map(price), high.map(price), low.map(price));
        bar.close = price(bar.close);
        bar.volume = bar.volume.map(|v| volume.map_or(v, |first| v / first * 1000.0));
        mask(&mut bar.symbol);
    }
    let small: BTreeSet<&str> = market.news.iter().flat_map(|n| words(&n.text)).filter(|w| !capital(w)).collect();
    let texts = || market.news.iter().flat_map(|n| words(&n.text));
    let names = texts().filter(|w| capital(w) && !small.contains(w.to_lowercase().as_str())).map(str::to_owned);
    // A name and its symbol are different words, so the symbol's own mask comes second.
    let names = masks(names.collect(), "Name", seed.derive("names"));
    let numbers = market.news.iter().flat_map(|n| numbers(&n.text)).map(str::to_owned).collect();
    let numbers = masks(numbers, "N", seed.derive("numbers"));
    for news in &mut twin.news {
        news.text = pieces(&news.text)
            .map(|piece| {
                symbols
                    .get(piece)
                    .or_else(|| names.get(piece))
                    .or_else(|| numbers.get(piece))
                    .map_or(piece, String::as_str)
            })
            .collect();
        mask(&mut news.symbol);
    }
    for observation in &mut twin.observations {
        mask(&mut observation.symbol);
    }
    // Masks order otherwise than what they stand for.
    twin.bars.sort_by(|a, b| (&a.symbol, a.event_at).cmp(&(&b.symbol, b.event_at)));
    twin.news.sort_by(|a, b| {
        (&a.symbol, a.available_at, a.event_at, &a.id).cmp(&(&b.symbol, b.available_at, b.event_at, &b.id))
    });
    twin.observations.sort_by(|a, b| {
        (&a.symbol, a.available_at, a.event_at, &a.name).cmp(&(&b.symbol, b.available_at, b.event_at, &b.name))
    });
    twin
}

/// A mask for each, numbered in an order that tells nothing.
fn masks(what: BTreeSet<String>, prefix: &str, seed: Seed) -> BTreeMap<String, String> {
    let mut numbers: Vec<usize> = (1..=what.len()).collect();
    numbers.shuffle(&mut seed.rng());
    what.into_iter().zip(numbers).map(|(word, n)| (word, format!("{prefix}{n}"))).collect()
}

fn capital(word: &str) -> bool {
    word.chars().any(char::is_uppercase)
}

/// A text cut into words, numbers and what is between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let class = |c: char| match c {
            c if c.is_alphabetic() => 1,
            c if c.is_ascii_digit() => 2,
            _ => 0,
        };
        let of = class(first);
        let digits = |i: usize, c: char| {
            of == 2 && matches!(c, '.' | ',') && rest[i + 1..].starts_with(|next: char| next.is_ascii_digit())
        };
        let end = rest.char_indices().find(|(i, c)| class(*c) != of && !digits(*i, *c)).map_or(rest.len(), |(i, _)| i);
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter(|p| p.starts_with(char::is_alphabetic))
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter(|p| p.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifacts::Timestamp;
    use artifacts::rows::News;

    #[test]
    fn names_numbers_and_symbols_get_one_mask_each_and_ordinary_words_stay() {
        let texts =
            ["Tesla rises 3.5 % to 1,250.00, says Reuters", "After Tesla, BTC fell 3.5 %", "after all: Bitcoin"];
        let news = |(i, text): (u32, &&str)| News {
            id: i.to_string(),
            symbol: "BTC".into(),
            event_at: Timestamp::from_seconds(i.into()),
            available_at: Timestamp::from_seconds(i.into()),
            text: (*text).to_owned(),
            source: "s".into(),
        };
        let bar = Bar {
            symbol: "BTC".into(),
            event_at: Timestamp::from_seconds(0),
            available_at: Timestamp::from_seconds(1),
            open: None,
            high: None,
            low: None,
            close: 95_000.0,
            volume: Some(4.0),
        };
        let market = Market { bars: vec![bar], news: (0..).zip(&texts).map(news).collect(), observations: Vec::new() };
        let twin = anonymised(&market, Seed(1));
        let all = twin.news.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join("\n");
        for secret in ["Tesla", "Reuters", "BTC", "Bitcoin", "3.5", "1,250"] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
        for kept in ["rises", "says", "After", "after all", "fell"] {
            assert!(all.contains(kept), "{kept} not in {all}");
        }
        let first = |i: usize| twin.news[i].text.split(' ').next().unwrap().to_owned();
        assert!(twin.news[1].text.contains(&first(0)), "the same name has the same mask: {all}");
        assert!(twin.news[1].text.contains("ASSET1"), "{all}");
        assert_eq!(
            (twin.bars[0].symbol.as_str(), twin.bars[0].close, twin.bars[0].volume),
            ("ASSET1", 100.0, Some(1000.0))
        );
    }
}
