//! The verifier against authors whose every error is known.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;
mod score;

use artifacts::Seed;
use artifacts::rows::Fact;
use common::{Prompt, gold, made, prompts, shared, stock};
use grounding::{Answer, author, corrupt};
use score::Score;

fn with_author(prompts: &[Prompt], seed: u64) -> Score {
    let write = |facts: &[(String, &Fact)], seed: u64| -> Answer { author(facts, 0.3, seed) };
    Score::of(prompts, seed, write)
}

#[test]
fn on_the_made_market_each_kind_is_found_with_precision_095_and_recall_09() {
    let mut score = Score::default();
    let prompts = prompts("FXT", 3_600, &made());
    for seed in 0..2 {
        score.add(&with_author(&prompts, seed));
    }
    score.demand("made market", 5_000);
}

#[test]
fn on_gold_and_the_djia_each_kind_is_found_with_precision_095_and_recall_09() {
    let Some(data) = shared() else { return };
    let mut score = Score::default();
    let bitcoin = prompts("BTC", 600, &gold(&data));
    for seed in 0..6 {
        score.add(&with_author(&bitcoin, seed));
    }
    for symbol in ["AAPL", "BA", "JPM", "MSFT", "KO", "CVX"] {
        score.add(&with_author(&prompts(symbol, 86_400, &stock(&data, symbol)), 7));
    }
    score.demand("gold.csv and DJIA", 5_000);
}

#[test]
fn equal_seeds_give_equal_answers_and_no_errors_are_found_in_honest_ones() {
    let prompts = prompts("FXT", 3_600, &made());
    let (mut claims, mut alarms) = (0, 0);
    for (n, prompt) in prompts.iter().enumerate().step_by(3) {
        let facts: Vec<(String, &Fact)> = prompt.iter().map(|(number, fact)| (number.clone(), fact)).collect();
        let seed = Seed(3).derive(&n.to_string()).0;
        let answer = author(&facts, 0.3, seed);
        assert_eq!(answer, author(&facts, 0.3, seed));
        assert_eq!(Answer::parse(&answer.to_json()).unwrap(), answer);
        let (same, injected) = corrupt(&answer, &facts, 0.0, seed);
        assert_eq!((&same, injected.len()), (&answer, 0));
        let by_number = facts.iter().cloned().collect();
        let verifier = grounding::Verifier::new(&by_number);
        claims += answer.claims.len();
        alarms += answer.claims.iter().filter(|c| verifier.verify(c).verdict != grounding::Verdict::Supported).count();
    }
    assert!(claims > 1_500 && alarms * 100 <= claims, "{alarms} of {claims}");
}
