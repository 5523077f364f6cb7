//! The look-ahead proof: cutting off the future, or poisoning it, changes no decision made before.
#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp, clippy::cast_possible_wrap, reason = "tests")]

use artifacts::rows::{Bar, Decision, News, Observation};
use artifacts::{Timeline, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;
use trading_agent::decision::Gauge;
use trading_agent::mood::Moods;
use trading_agent::{AgentConfig, Market, decide};

const STEP: i64 = 600;

fn bar(i: usize, close: f64) -> Bar {
    let event_at = Timestamp::from_seconds(i as i64 * STEP);
    let (available_at, symbol) = (event_at.plus_seconds(STEP), "X".to_owned());
    Bar { symbol, event_at, available_at, open: None, high: None, low: None, close, volume: None }
}

fn news(id: usize, at: i64, delay: i64) -> News {
    let event_at = Timestamp::from_seconds(at);
    News {
        id: format!("n{id}"),
        symbol: "X".into(),
        event_at,
        available_at: event_at.plus_seconds(delay),
        text: format!("text {}", id % 7),
        source: "test".into(),
    }
}

fn observation(at: i64, value: f64) -> Observation {
    let event_at = Timestamp::from_seconds(at);
    Observation { symbol: "X".into(), name: "index".into(), event_at, available_at: event_at.plus_seconds(STEP), value }
}

fn moods() -> Moods {
    Moods::from_scores(
        (0..7).map(|i| (format!("text {i}"), f64::from(i) / 3.0 - 1.0)).chain([("poison".into(), 1.0)]).collect(),
    )
}

fn config() -> AgentConfig {
    let observations = BTreeMap::from([("index".to_owned(), Gauge { center: 50.0, scale: 50.0, weight: 0.5 })]);
    AgentConfig { momentum_bars: 3, volatility_bars: 5, dead_band: 0.0, observations, ..AgentConfig::default() }
}

fn decisions(bars: Vec<Bar>, news: Vec<News>, observations: Vec<Observation>) -> Vec<Decision> {
    let market = Market {
        bars: Timeline::new(bars).unwrap(),
        news: Timeline::new(news).unwrap(),
        observations: Timeline::new(observations).unwrap(),
    };
    decide(&config(), &market, &moods())
}

proptest! {
    #[test]
    fn truncating_or_poisoning_the_future_leaves_every_earlier_decision_as_it_was(
        closes in prop::collection::vec(50.0..150.0_f64, 16..40),
        stamps in prop::collection::vec((0..20_000_i64, 0..3_000_i64), 1..40),
        values in prop::collection::vec((0..20_000_i64, 0.0..100.0_f64), 1..20),
        cut in 1..12_usize,
    ) {
        let bars: Vec<_> = closes.iter().enumerate().map(|(i, &c)| bar(i, c)).collect();
        let texts: Vec<_> = stamps.iter().enumerate().map(|(i, &(at, delay))| news(i, at, delay)).collect();
        let numbers: Vec<_> = values.iter().map(|&(at, v)| observation(at, v)).collect();
        let whole = decisions(bars.clone(), texts.clone(), numbers.clone());
        let t = bars[cut].available_at;
        let past: Vec<_> = whole.iter().filter(|d| d.decided_at <= t).cloned().collect();
        prop_assert_eq!(past.len(), cut + 1);

        let known = |a: Timestamp| a <= t;
        let truncated = decisions(
            bars.iter().filter(|b| known(b.available_at)).cloned().collect(),
            texts.iter().filter(|n| known(n.available_at)).cloned().collect(),
            numbers.iter().filter(|o| known(o.available_at)).cloned().collect(),
        );
        prop_assert_eq!(&truncated, &past);

        let poisoned = decisions(
            bars.iter().map(|b| if known(b.available_at) { b.clone() } else { Bar { close: 1e9, ..b.clone() } }).collect(),
            texts.iter().map(|n| if known(n.available_at) { n.clone() } else { News { text: "poison".into(), ..n.clone() } }).collect(),
            numbers.iter().map(|o| if known(o.available_at) { o.clone() } else { Observation { value: -1e9, ..o.clone() } }).collect(),
        );
        prop_assert_eq!(&poisoned[..past.len()], &past[..]);
        // The poison would have worked, had it been seen.
        prop_assert!(poisoned[past.len()..] != whole[past.len()..]);
    }

    #[test]
    fn every_position_is_between_minus_one_and_one(closes in prop::collection::vec(0.01..1e6_f64, 1..60), stamps in prop::collection::vec((0..40_000_i64, 0..3_000_i64), 0..60)) {
        let bars = closes.iter().enumerate().map(|(i, &c)| bar(i, c)).collect();
        let texts = stamps.iter().enumerate().map(|(i, &(at, delay))| news(i, at, delay)).collect();
        for decision in decisions(bars, texts, Vec::new()) {
            prop_assert!((-1.0..=1.0).contains(&decision.position));
        }
    }
}

#[test]
fn good_news_buys_bad_news_sells_and_no_news_does_nothing() {
    let at = |id: usize| {
        let mut d = decisions(vec![bar(0, 100.0)], vec![news(id, 0, 60)], Vec::new());
        d.remove(0)
    };
    assert!(at(6).position > 0.3, "{:?}", at(6));
    assert!(at(0).position < -0.3, "{:?}", at(0));
    assert_eq!(decisions(vec![bar(0, 100.0)], Vec::new(), Vec::new())[0].position, 0.0);
}
