//! Log-odds against numbers made by `goldens/make_log_odds.py`.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use stats::distribution::log_odds;

#[derive(serde::Deserialize)]
struct Case {
    prior: f64,
    inside: Vec<u64>,
    outside: Vec<u64>,
    difference: Vec<f64>,
    z: Vec<f64>,
}

#[test]
fn log_odds_are_those_of_the_paper_s_equations() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../goldens/log_odds.json")).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let found = log_odds(&case.inside, &case.outside, case.prior).unwrap();
        assert_eq!(found.len(), case.z.len());
        for ((odds, z), difference) in found.iter().zip(&case.z).zip(&case.difference) {
            // The same formula in another order of operations.
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-10 * b.abs().max(1.0);
            assert!(close(odds.z, *z) && close(odds.difference, *difference), "{odds:?} for {difference}, {z}");
        }
    }
}
