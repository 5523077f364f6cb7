//! Approximate search: how much it finds, and that it too depends on nothing that came later.
#![cfg(feature = "hnsw")]
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use common::{at, case, splitmix};
use retrieval::{Case, HashedEmbedder, HnswConfig, HnswSegments, Library, RetrievalConfig};
use std::sync::Arc;

/// Vectors of length 1 around a few hundred centres, as texts on a few hundred topics are.
fn vectors(count: usize, dimensions: usize) -> Vec<Vec<f32>> {
    let unit = |x: u64| (splitmix(x) >> 40) as f32 / (1 << 24) as f32 - 0.5;
    let centre = |c: u64, d: u64| unit(c * 1_000_003 + d);
    (0..count as u64)
        .map(|i| {
            let c = splitmix(i ^ 0x5eed) % 300;
            let v: Vec<f32> = (0..dimensions as u64).map(|d| centre(c, d) + 0.7 * unit((i + 1) << 20 | d)).collect();
            let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
            v.into_iter().map(|x| x / length).collect()
        })
        .collect()
}

fn exact(vectors: &[Vec<f32>], query: &[f32], known: usize, k: usize) -> Vec<usize> {
    let dot = |v: &[f32]| v.iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
    let mut all: Vec<(f32, usize)> = vectors[..known].iter().enumerate().map(|(i, v)| (dot(v), i)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.into_iter().take(k).map(|(_, i)| i).collect()
}

#[test]
fn nine_of_ten_true_neighbours_are_found_as_of_any_moment() {
    let all = vectors(4_000, 48);
    let slices: Vec<&[f32]> = all.iter().map(Vec::as_slice).collect();
    let index = HnswSegments::build(&slices, &HnswConfig { segment: 1_000, ..HnswConfig::default() });
    let (mut hit, mut asked) = (0, 0);
    for q in 0..60 {
        let known = 500 + q * 58;
        let truth = exact(&all, &all[q * 7 + 3], known, 10);
        let found = index.nearest(&all[q * 7 + 3], known, 10);
        assert!(found.iter().all(|i| *i < known));
        hit += truth.iter().filter(|i| found.contains(i)).count();
        asked += truth.len();
    }
    assert!(hit * 10 >= asked * 9, "{hit} of {asked}");
}

#[test]
fn later_vectors_change_nothing_and_equal_vectors_give_equal_graphs() {
    let all = vectors(3_000, 32);
    let config = HnswConfig { segment: 500, ..HnswConfig::default() };
    let build = |n: usize| HnswSegments::build(&all[..n].iter().map(Vec::as_slice).collect::<Vec<_>>(), &config);
    let (whole, again) = (build(3_000), build(3_000));
    for known in [1, 499, 500, 777, 1_500, 2_999] {
        let before = build(known);
        for q in [0, 100, 2_900] {
            let found = whole.nearest(&all[q], known, 10);
            assert_eq!(found, before.nearest(&all[q], known, 10), "as of {known}");
            assert_eq!(found, again.nearest(&all[q], known, 10));
        }
    }
}

#[test]
fn a_strict_filter_falls_back_to_comparing_all() {
    let words = ["rates", "bank", "gold", "oil", "profit", "loss", "hacked", "fund"];
    let cases: Vec<Case> = (0..600i64)
        .map(|i| {
            let text: Vec<&str> = (0..5).map(|w| words[(splitmix(i as u64 * 5 + w) % 8) as usize]).collect();
            case(&format!("c{i:03}"), i, &text.join(" "))
        })
        .collect();
    let config = RetrievalConfig { depth: 20, lexical_weight: 0.0, ..RetrievalConfig::default() };
    let plain = Library::new(cases.clone(), Arc::new(HashedEmbedder::new(64)), &config).unwrap();
    let hnsw = HnswConfig { segment: 100, ..HnswConfig::default() };
    let fast = Library::new(cases, Arc::new(HashedEmbedder::new(64)), &config).unwrap().approximate(&hnsw);
    let keep = |past: &retrieval::Past, _: Option<f64>| past.id.ends_with('7');
    let exact = plain.similar_where("bank hacked gold", at(555), 10, keep).unwrap();
    assert_eq!(exact, fast.similar_where("bank hacked gold", at(555), 10, keep).unwrap());
    assert_eq!(exact.len(), 10);
}

/// Takes minutes: `cargo test -p retrieval --features hnsw --test approximate -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement of minutes"]
fn recall_and_speed_at_a_hundred_thousand() {
    use std::time::Instant;
    let all = vectors(100_100, 384);
    let (all, queries) = all.split_at(100_000);
    let slices: Vec<&[f32]> = all.iter().map(Vec::as_slice).collect();
    let start = Instant::now();
    let index = HnswSegments::build(&slices, &HnswConfig::default());
    println!("built in {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let found: Vec<_> = queries.iter().map(|q| index.nearest(q, all.len(), 10)).collect();
    let fast = start.elapsed().as_secs_f64();
    // One segment that is never full: every vector is compared.
    let exact = HnswSegments::build(&slices, &HnswConfig { segment: usize::MAX, ..HnswConfig::default() });
    let start = Instant::now();
    let truth: Vec<_> = queries.iter().map(|q| exact.nearest(q, all.len(), 10)).collect();
    let slow = start.elapsed().as_secs_f64();
    let hits: usize = truth.iter().zip(&found).map(|(t, f)| t.iter().filter(|i| f.contains(i)).count()).sum();
    let each = |seconds: f64| seconds * 1e3 / queries.len() as f64;
    println!("recall@10 {:.3}; {:.2} ms a query, exact {:.2} ms", hits as f64 / 1_000.0, each(fast), each(slow));
    assert!(hits >= 900);
}
