//! What is found at `t` depends on nothing that became known after `t`.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::Timestamp;
use common::{at, case};
use proptest::prelude::*;
use retrieval::{Bm25, Bm25Weights, Case, Embedder, HashedEmbedder, Library, RetrievalConfig};
use std::collections::BTreeMap;
use std::sync::Arc;

const WORDS: [&str; 14] = [
    "rates", "rise", "fall", "bank", "exchange", "hacked", "profit", "loss", "warns", "beats", "fund", "approved",
    "halts", "quiet",
];

/// Everything a search shows, bit by bit.
type Shown = Vec<(String, u64, u32, u64, Option<u64>)>;

fn library(cases: Vec<Case>, config: &RetrievalConfig) -> Library {
    Library::new(cases, Arc::new(HashedEmbedder::new(64)), config).unwrap()
}

fn shown(library: &Library, query: &str, t: Timestamp, k: usize) -> Shown {
    let found = library.similar_as_of(query, t, k).unwrap();
    let row = |f: &retrieval::Found<'_>| {
        let outcome = f.outcome.map(f64::to_bits);
        (f.case.id.clone(), f.score.to_bits(), f.cosine.to_bits(), f.lexical.to_bits(), outcome)
    };
    found.iter().map(row).collect()
}

prop_compose! {
    fn any_text()(words in proptest::collection::vec(0..WORDS.len(), 1..12)) -> String {
        words.into_iter().map(|w| WORDS[w]).collect::<Vec<_>>().join(" ")
    }
}

prop_compose! {
    /// Few distinct times and texts, so that there are ties.
    fn any_cases()(
        rows in proptest::collection::vec((0i64..20, 0i64..4, any_text(), proptest::option::of((-1.0f64..1.0, 0i64..15))), 0..30)
    ) -> Vec<Case> {
        rows.into_iter().enumerate().map(|(i, (event, delay, text, outcome))| Case {
            id: format!("c{i:02}"),
            event_at: at(event),
            available_at: at(event + delay),
            text,
            outcome: outcome.map(|o| o.0),
            outcome_known_at: outcome.map(|o| at(event + delay + o.1)),
        }).collect()
    }
}

fn any_config() -> impl Strategy<Value = RetrievalConfig> {
    (1usize..40, proptest::option::of(1.0f64..50.0), proptest::option::of(1.0f64..20.0), 0usize..3).prop_map(
        |(depth, half_life_seconds, max_age_seconds, side)| RetrievalConfig {
            depth,
            half_life_seconds,
            max_age_seconds,
            dense_weight: if side == 1 { 0.0 } else { 1.0 },
            lexical_weight: if side == 2 { 0.0 } else { 1.0 },
            ..RetrievalConfig::default()
        },
    )
}

proptest! {
    #[test]
    fn cutting_off_what_came_later_changes_nothing(
        cases in any_cases(), config in any_config(), query in any_text(), t in 0i64..25, k in 1usize..8,
    ) {
        let mut before: Vec<Case> = cases.iter().filter(|c| c.available_at <= at(t)).cloned().collect();
        for case in &mut before {
            if case.outcome_known_at.is_some_and(|known| known > at(t)) {
                (case.outcome, case.outcome_known_at) = (None, None);
            }
        }
        prop_assert_eq!(shown(&library(cases, &config), &query, at(t), k), shown(&library(before, &config), &query, at(t), k));
    }

    #[test]
    fn poisoning_what_came_later_changes_nothing(
        cases in any_cases(), config in any_config(), query in any_text(), t in 0i64..25, k in 1usize..8,
    ) {
        let mut poisoned = cases.clone();
        for case in &mut poisoned {
            if case.available_at > at(t) {
                // What would win every ranking and turn every statistic.
                case.text = format!("{query} {query}");
                (case.outcome, case.outcome_known_at) = (Some(1e9), Some(case.available_at));
            } else if case.outcome_known_at.is_some_and(|known| known > at(t)) {
                case.outcome = Some(1e9);
            }
        }
        for i in 0..20 {
            poisoned.push(Case { outcome: Some(9.0), outcome_known_at: Some(at(t + 1)), ..case(&format!("a{i}"), t + 1, &query) });
        }
        prop_assert_eq!(shown(&library(cases, &config), &query, at(t), k), shown(&library(poisoned, &config), &query, at(t), k));
    }

    #[test]
    fn the_order_in_which_cases_are_given_does_not_matter(
        cases in any_cases(), config in any_config(), query in any_text(), t in 0i64..25,
    ) {
        let mut turned = cases.clone();
        turned.reverse();
        prop_assert_eq!(shown(&library(cases, &config), &query, at(t), 9), shown(&library(turned, &config), &query, at(t), 9));
    }

    #[test]
    fn the_library_is_its_slow_twin(
        cases in any_cases(), config in any_config(), query in any_text(), t in 0i64..25, k in 1usize..8,
    ) {
        let fast = library(cases.clone(), &config);
        let found = fast.similar_as_of(&query, at(t), k).unwrap();
        let twin = twin(&cases, &config, &query, at(t), k);
        prop_assert_eq!(found.len(), twin.len());
        for (fast, (id, score)) in found.iter().zip(twin) {
            prop_assert!((fast.score - score).abs() < 1e-12, "{} {} against {} {}", fast.case.id, fast.score, id, score);
            prop_assert_eq!(&fast.case.id, &id);
        }
    }
}

/// Everything anew for each search, from the cases known at `t`. Its sums run in the order of the fast path: two texts that
/// are equally near must not be parted by rounding on one side only (each sum has a test of its own).
fn twin(cases: &[Case], config: &RetrievalConfig, query: &str, t: Timestamp, k: usize) -> Vec<(String, f64)> {
    let known: Vec<&Case> = cases.iter().filter(|c| c.available_at <= t).collect();
    let embedder = HashedEmbedder::new(64);
    let embed = |text: &str| embedder.embed(&[text]).unwrap().remove(0);
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mean = known.iter().map(|c| words(&c.text).len()).sum::<usize>() as f64 / known.len() as f64;
    let bm25 = |text: &str| -> f64 {
        let own = words(text);
        let score = |word: &String| {
            let n = known.iter().filter(|c| words(&c.text).contains(word)).count() as f64;
            let tf = own.iter().filter(|w| *w == word).count() as f64;
            let idf = (1.0 + (known.len() as f64 - n + 0.5) / (n + 0.5)).ln();
            idf * tf / (tf + config.k1 * (1.0 - config.b + config.b * own.len() as f64 / mean))
        };
        words(query).iter().map(score).fold(0.0, |sum, s| sum + s)
    };
    let q = embed(query);
    let cos = |text: &str| -> f64 {
        let mut sums = [0.0f32; 8];
        for (place, (a, b)) in embed(text).iter().zip(&q).enumerate() {
            sums[place % 8] += a * b;
        }
        let [s0, s1, s2, s3, s4, s5, s6, s7] = sums;
        let cosine = f64::from(((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7)));
        if cosine < 1e-6 { 0.0 } else { cosine }
    };
    let age = |c: &Case| t.seconds_since(c.available_at);
    let fresh: Vec<&&Case> = known.iter().filter(|c| config.max_age_seconds.is_none_or(|m| age(c) <= m)).collect();
    let mut fused: BTreeMap<&str, f64> = BTreeMap::new();
    for (weight, score) in [(config.dense_weight, &cos as &dyn Fn(&str) -> f64), (config.lexical_weight, &bm25)] {
        let mut order: Vec<(f64, &str)> =
            fresh.iter().map(|c| (score(&c.text), c.id.as_str())).filter(|s| s.0 > 0.0).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        for (rank, (_, id)) in order.into_iter().take(config.depth.max(k)).enumerate() {
            if weight > 0.0 {
                *fused.entry(id).or_default() += weight / (config.rrf_k + 1.0 + rank as f64);
            }
        }
    }
    let decayed = fused.into_iter().map(|(id, score)| {
        let case = known.iter().find(|c| c.id == id).unwrap();
        (id.to_owned(), score * config.half_life_seconds.map_or(1.0, |h| 0.5f64.powf(age(case) / h)))
    });
    let mut decayed: Vec<(String, f64)> = decayed.collect();
    decayed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    decayed.truncate(k);
    decayed
}

/// The planted leak: document frequencies, mean length and count of the whole sample.
fn full_sample_bm25(texts: &[&str], query: &str, known: usize) -> Vec<f64> {
    let mut index = Bm25::new(Bm25Weights::default());
    for text in texts {
        index.push(text);
    }
    let mut scores = index.scores(query, texts.len());
    scores.truncate(known);
    scores
}

fn as_of_bm25(texts: &[&str], query: &str, known: usize) -> Vec<f64> {
    let mut index = Bm25::new(Bm25Weights::default());
    for text in texts {
        index.push(text);
    }
    index.scores(query, known)
}

#[test]
fn the_check_that_passes_here_catches_a_retriever_with_full_sample_frequencies() {
    let texts = ["rates rise again", "bank warns", "rates fall", "bank hacked", "bank closed", "bank bank bank"];
    let changes = |scores: fn(&[&str], &str, usize) -> Vec<f64>| {
        (1..texts.len())
            .any(|known| scores(&texts, "bank rates", known) != scores(&texts[..known], "bank rates", known))
    };
    assert!(!changes(as_of_bm25));
    assert!(changes(full_sample_bm25));
    // And not in the last digits only: with the later frequencies another case comes first.
    let first = |scores: Vec<f64>| (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
    let texts = ["bank rates", "bank rates", "bank", "rates", "rates", "rates", "bank", "bank", "bank", "bank", "bank"];
    let query = "bank rates";
    let honest = as_of_bm25(&texts[2..], query, 4);
    let leaky = full_sample_bm25(&texts[2..], query, 4);
    assert_ne!(first(honest), first(leaky));
}

#[test]
fn an_outcome_is_shown_from_the_moment_it_was_known() {
    let cases = vec![Case { outcome: Some(0.5), outcome_known_at: Some(at(10)), ..case("a", 1, "rates rise") }];
    let library = library(cases, &RetrievalConfig::default());
    let outcome = |t: i64| library.similar_as_of("rates", at(t), 1).unwrap().first().map(|f| f.outcome);
    assert_eq!([0, 1, 9, 10].map(outcome), [None, Some(None), Some(None), Some(Some(0.5))]);
    let with_outcome = |t: i64| library.similar_where("rates", at(t), 1, |_, o| o.is_some()).unwrap().len();
    assert_eq!([9, 10].map(with_outcome), [0, 1]);
}

#[test]
fn a_case_that_contradicts_itself_is_refused() {
    let refused = |case: Case| {
        let made = Library::new(vec![case], Arc::new(HashedEmbedder::default()), &RetrievalConfig::default());
        made.unwrap_err().to_string()
    };
    let a = case("a", 5, "x");
    for (case, expected) in [
        (Case { outcome: Some(1.0), ..a.clone() }, "no outcome_known_at"),
        (Case { outcome_known_at: Some(at(9)), ..a.clone() }, "no outcome"),
        (Case { outcome: Some(f64::NAN), outcome_known_at: Some(at(9)), ..a.clone() }, "NaN"),
        (Case { outcome: Some(1.0), outcome_known_at: Some(at(4)), ..a.clone() }, "before the case itself"),
        (Case { available_at: at(4), ..a.clone() }, "earlier than event_at"),
    ] {
        let message = refused(case);
        assert!(message.contains("`a`") && message.contains(expected), "{message}");
    }
    let twice = Library::new(vec![a.clone(), a], Arc::new(HashedEmbedder::default()), &RetrievalConfig::default());
    assert!(twice.unwrap_err().to_string().contains("twice"));
}

#[test]
fn a_setting_out_of_range_is_named_with_its_value() {
    for (config, expected) in [
        (RetrievalConfig { k1: -1.0, ..Default::default() }, "k1 is -1"),
        (RetrievalConfig { b: 1.5, ..Default::default() }, "b is 1.5"),
        (RetrievalConfig { depth: 0, ..Default::default() }, "depth is 0"),
        (RetrievalConfig { half_life_seconds: Some(0.0), ..Default::default() }, "half_life_seconds is Some(0.0)"),
        (RetrievalConfig { dense_weight: 0.0, lexical_weight: 0.0, ..Default::default() }, "dense_weight is 0"),
    ] {
        let made = Library::new(Vec::new(), Arc::new(HashedEmbedder::default()), &config);
        let message = made.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn an_empty_library_and_an_empty_query_find_nothing() {
    let none = library(Vec::new(), &RetrievalConfig::default());
    assert!(none.similar_as_of("rates", at(9), 5).unwrap().is_empty());
    let one = library(vec![case("a", 1, "rates rise")], &RetrievalConfig::default());
    assert!(one.similar_as_of("", at(9), 5).unwrap().is_empty());
    assert!(one.similar_as_of("rates", at(9), 0).unwrap().is_empty());
}
