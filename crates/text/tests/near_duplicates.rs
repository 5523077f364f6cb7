//! The fast ways to near duplicates against comparing all pairs.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use text::{all_near_duplicates, jaccard, near_duplicates, ngram_hashes, similar_pairs, similar_to};

/// The slow twin: every pair, compared.
fn every_pair(texts: &[String], gram: usize, threshold: f64) -> Vec<(usize, usize, u64)> {
    let sets: Vec<Vec<u64>> = texts.iter().map(|text| ngram_hashes(text, gram)).collect();
    let mut pairs = Vec::new();
    for (a, x) in sets.iter().enumerate().filter(|(_, set)| !set.is_empty()) {
        for (b, y) in sets.iter().enumerate().skip(a + 1).filter(|(_, set)| !set.is_empty()) {
            let similarity = jaccard(x, y);
            if similarity >= threshold {
                pairs.push((a, b, similarity.to_bits()));
            }
        }
    }
    pairs
}

/// Texts of few words, so that many resemble each other and some are equal or empty.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(vec!["lãi", "profit", "rose", "fell", "may", "in", "a", "giảm", "5.1%"]);
    prop::collection::vec(prop::collection::vec(word, 0..9).prop_map(|words| words.join("")), 0..40)
}

proptest! {
    #[test]
    fn the_join_finds_exactly_the_pairs_that_comparing_all_finds(
        texts in texts(), gram in 1usize..6, threshold in 0.05f64..=1.0,
    ) {
        let (found, _) = similar_pairs(&texts, gram, threshold);
        let found: Vec<_> = found.iter().map(|p| (p.a, p.b, p.similarity.to_bits())).collect();
        prop_assert_eq!(found, every_pair(&texts, gram, threshold));
    }

    #[test]
    fn a_threshold_that_is_a_pairs_own_similarity_finds_the_pair(texts in texts()) {
        for (a, b, bits) in every_pair(&texts, 3, 0.01) {
            let (found, _) = similar_pairs(&texts, 3, f64::from_bits(bits));
            prop_assert!(found.iter().any(|p| (p.a, p.b) == (a, b)), "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_text_is_the_one_that_comparing_all_finds(
        known in texts(), asked in texts(), threshold in 0.05f64..=1.0,
    ) {
        let found = similar_to(&asked, &known, 3, threshold);
        for (text, found) in asked.iter().zip(found) {
            let own = ngram_hashes(text, 3);
            let mut best: Option<(usize, f64)> = None;
            for (b, other) in known.iter().enumerate().filter(|(_, k)| !k.is_empty() && !text.is_empty()) {
                let similarity = jaccard(&own, &ngram_hashes(other, 3));
                if similarity >= threshold && best.is_none_or(|(_, most)| similarity > most) {
                    best = Some((b, similarity));
                }
            }
            prop_assert_eq!(found.map(|p| (p.b, p.similarity.to_bits())), best.map(|(b, s)| (b, s.to_bits())));
        }
    }

    #[test]
    fn signatures_never_join_what_the_exact_clusters_keep_apart(texts in texts(), seed in any::<u64>()) {
        let exact = all_near_duplicates(&texts, 0.7).representative;
        let signed = near_duplicates(&texts, 0.7, seed).representative;
        for (own, first) in signed.iter().enumerate() {
            prop_assert_eq!(exact[own], exact[*first]);
        }
    }
}

#[test]
fn texts_without_characters_stay_alone_and_equal_ones_are_together() {
    let texts = ["", "abcdef", "", "abcdef"];
    assert_eq!(all_near_duplicates(&texts, 0.7).representative, [0, 1, 2, 1]);
    assert_eq!(near_duplicates(&texts, 0.7, 1).representative, [0, 1, 2, 1]);
    assert_eq!(all_near_duplicates(&texts, 0.7).sizes(), [1, 2, 1]);
}

#[test]
fn many_near_copies_of_one_text_cost_few_comparisons() {
    let texts: Vec<String> = (0..2500)
        .map(|i| format!("edited transcript of the earnings call or presentation of company {i} in the second quarter"))
        .collect();
    for (name, clusters) in [("exact", all_near_duplicates(&texts, 0.7)), ("minhash", near_duplicates(&texts, 0.7, 1))]
    {
        assert!(clusters.representative.iter().all(|first| *first == 0), "{name}");
        // All pairs would be 3.1 million.
        assert!(clusters.compared < 700_000, "{name}: {}", clusters.compared);
    }
}
