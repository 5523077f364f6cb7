//! ROUGE-L against Google's rouge-score: `goldens/make_rouge.py` made the numbers.
#![allow(clippy::unwrap_used, reason = "tests")]

#[test]
fn rouge_l_agrees_with_rouge_score() {
    let pairs: Vec<(String, String, f64)> = serde_json::from_str(include_str!("../goldens/rouge.json")).unwrap();
    assert_eq!(pairs.len(), 60);
    let mut between = 0;
    for (answer, reference, expected) in pairs {
        if answer.trim().is_empty() && reference.trim().is_empty() {
            continue; // rouge-score gives 0 here; an empty answer to an empty reference is right
        }
        let found = text::rouge_l(&answer, &reference);
        assert!((found - expected).abs() < 1e-12, "{answer:?} {reference:?}: {found}, expected {expected}");
        between += usize::from(found > 0.0 && found < 1.0);
    }
    assert!(between > 30);
}
