//! Self-BLEU and distinct-n against nltk: goldens/make_self_bleu.py.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;

#[test]
fn self_bleu_and_distinct_runs_equal_those_of_nltk() {
    let sets: Vec<Value> = serde_json::from_str(include_str!("../goldens/self_bleu.json")).unwrap();
    assert!(sets.len() >= 6);
    for set in sets {
        let texts: Vec<&str> = set["texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
        let (ours, theirs) = (text::self_bleu(&texts).unwrap(), set["self_bleu"].as_f64().unwrap());
        assert!((ours - theirs).abs() < 1e-12, "{texts:?}: {ours} {theirs}");
        for (n, theirs) in set["distinct"].as_array().unwrap().iter().enumerate() {
            let ours = text::distinct(texts.iter().copied(), n + 1);
            assert_eq!(ours, theirs.as_f64(), "{texts:?}");
        }
    }
}
