//! What holds for every text.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use text::{
    collapse_whitespace, comparison_key, detect_language, detokenise, jaccard, near_duplicates, nfc, ngram_hashes,
    repair_dos_boxes, repair_encoding, restore_placeholders, text_id, words,
};

proptest! {
    #[test]
    fn cleaning_steps_settle_after_one_pass(text in "\\PC{0,60}") {
        for step in [collapse_whitespace as fn(&str) -> String, nfc] {
            let once = step(&text);
            prop_assert_eq!(step(&once), once);
        }
    }

    #[test]
    fn detokenising_words_and_punctuation_settles(text in "([a-z]{1,5}|[,.;:!?%()\"]| ){0,30}") {
        let once = detokenise(&text);
        prop_assert_eq!(detokenise(&once), once);
    }

    #[test]
    fn no_step_ever_panics(text in any::<String>()) {
        let _ = (repair_encoding(&text), repair_dos_boxes(&text), restore_placeholders(&text), detokenise(&text));
        let _ = (detect_language(&text), words(&text).count(), text_id("vi", &text));
    }

    #[test]
    fn ascii_needs_no_repair(text in "[ -~]{0,40}") {
        prop_assert_eq!(repair_encoding(&text), text.clone());
        prop_assert_eq!(repair_dos_boxes(&text), text);
    }

    #[test]
    fn keys_do_not_depend_on_spacing_or_case(text in "[a-zA-Zàđệ ]{0,30}") {
        let loud = text.to_uppercase().replace(' ', "  ");
        prop_assert_eq!(comparison_key(&text), comparison_key(&loud));
    }

    #[test]
    fn the_key_of_a_key_is_the_key(text in "[a-z0-9 ,.%đệ]{0,40}") {
        let key = comparison_key(&text);
        prop_assert_eq!(comparison_key(&key), key);
    }

    #[test]
    fn similarity_is_symmetric_and_bounded(a in "[ab]{0,30}", b in "[ab]{0,30}") {
        let (x, y) = (ngram_hashes(&a, 3), ngram_hashes(&b, 3));
        let similarity = jaccard(&x, &y);
        prop_assert_eq!(similarity.to_bits(), jaccard(&y, &x).to_bits());
        prop_assert!((0.0..=1.0).contains(&similarity));
        prop_assert_eq!(jaccard(&x, &x).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn clustering_finds_what_comparing_all_pairs_finds(texts in prop::collection::vec("[abc]{8,24}", 0..24), copies in 0usize..6) {
        let mut texts = texts;
        for i in 0..copies.min(texts.len()) {
            let near = format!("{}{}x", texts[i], texts[i]);
            texts.push(near.clone());
            texts.push(format!("{near}y"));
        }
        let clusters = near_duplicates(&texts, 0.8, 3).representative;
        let sets: Vec<_> = texts.iter().map(|t| ngram_hashes(t, 5)).collect();
        for i in 0..texts.len() {
            prop_assert_eq!(clusters[clusters[i]], clusters[i]);
            for j in 0..i {
                if jaccard(&sets[i], &sets[j]) >= 0.8 {
                    prop_assert_eq!(clusters[i], clusters[j], "{} and {}", texts[i], texts[j]);
                }
            }
        }
    }
}

#[test]
fn clusters_do_not_depend_on_the_order_of_the_machine() {
    let texts: Vec<String> = (0..200)
        .map(|i| format!("net sales of the whole group rose in the quarter to eur {} million in region {}", i, i / 40))
        .collect();
    let clusters = near_duplicates(&texts, 0.8, 42);
    assert_eq!(clusters, near_duplicates(&texts, 0.8, 42));
    assert!(clusters.shared().1 > 100, "{:?}", clusters.shared());
}
