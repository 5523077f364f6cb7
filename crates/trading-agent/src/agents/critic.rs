//! What speaks against a proposal: its own words, and its facts. Asks no model.

use super::message::View;
use artifacts::rows::CheckedClaim;

const UP: [&str; 14] = [
    "buy", "long", "rise", "rises", "rising", "higher", "up", "upward", "bullish", "gain", "gains", "climb", "rally",
    "positive",
];
const DOWN: [&str; 14] = [
    "sell", "short", "fall", "falls", "falling", "lower", "down", "downward", "bearish", "loss", "losses", "drop",
    "decline", "negative",
];
const NEGATIONS: [&str; 7] = ["not", "no", "never", "neither", "nor", "without", "but"];

/// Scores nearer to 0 than this say neither up nor down.
const CLEAR: f64 = 0.1;

/// Which way a rationale points: 1, -1, or 0 where it names both ways, neither, or denies something.
///
/// ```
/// use trading_agent::agents::critic::direction;
/// assert_eq!(direction("The mood is positive and the price rises."), 1);
/// assert_eq!(direction("The trend is not positive."), 0);
/// ```
pub fn direction(rationale: &str) -> i8 {
    let words: Vec<String> = text::words(rationale).map(|word| word.to_lowercase()).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(&NEGATIONS) {
        return 0;
    }
    i8::from(has(&UP)) - i8::from(has(&DOWN))
}

/// The objections to a view, one sentence each; none where it may stand.
pub fn objections<'a>(view: &View, checked: impl Iterator<Item = &'a CheckedClaim>) -> Vec<String> {
    let mut reasons = Vec::new();
    let points = direction(&view.rationale);
    if f64::from(points) * view.score < -CLEAR {
        let way = if points > 0 { "up" } else { "down" };
        reasons.push(format!("the rationale points {way} but the score is {:+.2}.", view.score));
    }
    for claim in checked.filter(|c| c.verdict != "supported") {
        let said = if claim.expected.is_empty() { String::new() } else { format!("; expected {}", claim.expected) };
        reasons.push(format!("claim {} is {}{said}.", claim.claim + 1, claim.verdict));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::Role;

    #[test]
    fn a_rationale_against_its_score_and_an_unsupported_claim_are_objected_to() {
        let mut view = View::neutral(Role::Trader, "The price will fall.");
        view.score = 0.6;
        assert_eq!(objections(&view, std::iter::empty()), ["the rationale points down but the score is +0.60."]);
        view.score = -0.6;
        assert!(objections(&view, std::iter::empty()).is_empty());
        let claim = CheckedClaim {
            symbol: "BTC".into(),
            bar_at: artifacts::Timestamp::default(),
            agent: "trader".into(),
            claim: 1,
            text: String::new(),
            cited: "F2".into(),
            verdict: "wrong-number".into(),
            expected: "0.5".into(),
        };
        assert_eq!(objections(&view, [&claim].into_iter()), ["claim 2 is wrong-number; expected 0.5."]);
    }
}
