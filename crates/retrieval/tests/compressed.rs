//! The compressed index gives the scores of the plain one.
#![cfg(feature = "tantivy")]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use common::{at, case, splitmix};
use retrieval::{Bm25, Bm25Weights, Case, HashedEmbedder, Library, RetrievalConfig, TantivyBm25};
use std::sync::Arc;

/// Words of a language: the k-th most frequent is about k times as rare as the first.
fn texts(count: u64, length: u64) -> Vec<String> {
    let word = |x: u64| {
        let unit = (splitmix(x) >> 11) as f64 / (1u64 << 53) as f64;
        format!("w{}", (20_000f64.powf(unit)) as u32)
    };
    let text = |i: u64| (0..=splitmix(i) % length).map(|j| word(i * 1_000 + j)).collect::<Vec<_>>().join(" ");
    (0..count).map(text).collect()
}

#[test]
fn the_scores_are_those_of_the_plain_index_to_the_last_bit() {
    let mut texts = texts(700, 40);
    texts.push(String::new());
    texts.push("Lãi suất tăng; w1 w1".into());
    let mut plain = Bm25::new(Bm25Weights::default());
    for text in &texts {
        plain.push(text);
    }
    let compressed = TantivyBm25::build(texts.iter().map(String::as_str), Bm25Weights::default()).unwrap();
    for query in ["w1 w5 w900", "lãi suất", "unseen", "", "w2 w2 w3"] {
        for known in [0, 1, 2, 130, 699, 702, 9_999] {
            assert_eq!(compressed.scores(query, known).unwrap(), plain.scores(query, known), "{query} {known}");
        }
    }
    let none = TantivyBm25::build([], Bm25Weights::default()).unwrap();
    assert!(none.scores("w1", 5).unwrap().is_empty());
}

#[test]
fn a_library_with_a_compressed_index_finds_the_same() {
    let cases =
        || -> Vec<Case> { texts(300, 12).iter().zip(0..).map(|(text, i)| case(&format!("c{i}"), i, text)).collect() };
    let library = || Library::new(cases(), Arc::new(HashedEmbedder::new(64)), &RetrievalConfig::default()).unwrap();
    let (plain, compressed) = (library(), library().compressed().unwrap());
    for t in [0, 10, 150, 400] {
        let found = compressed.similar_as_of("w1 w7 w30", at(t), 9).unwrap();
        assert_eq!(found, plain.similar_as_of("w1 w7 w30", at(t), 9).unwrap());
    }
}

/// `cargo test -p retrieval --features tantivy --test compressed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn memory_and_speed_at_three_hundred_thousand() {
    use std::time::Instant;
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap().trim().to_owned();
        line.split(' ').next().unwrap().parse::<f64>().unwrap() / 1024.0
    };
    let texts = texts(300_000, 80);
    let before = resident();
    let compressed = TantivyBm25::build(texts.iter().map(String::as_str), Bm25Weights::default()).unwrap();
    let middle = resident();
    let mut plain = Bm25::new(Bm25Weights::default());
    for text in &texts {
        plain.push(text);
    }
    let after = resident();
    println!("compressed {:.0} MiB, plain {:.0} MiB", middle - before, after - middle);
    let queries = ["w3 w40 w700 w9000", "w1 w2 w15000", "w100 w200 w300 w400"];
    for (name, search) in [
        ("plain", &(|q: &str| plain.scores(q, 250_000)) as &dyn Fn(&str) -> Vec<f64>),
        ("compressed", &|q: &str| compressed.scores(q, 250_000).unwrap()),
    ] {
        let start = Instant::now();
        let sum: f64 = (0..10).flat_map(|_| queries.iter().flat_map(|q| search(q))).sum();
        println!("{name}: {:.2} ms a query ({sum:.3})", start.elapsed().as_secs_f64() * 1e3 / 30.0);
    }
}
