//! The answer's grammar, bounded so that an answer of it ends within the tokens that it may have.

use super::config::AgentsConfig;
use grounding::Answer;

/// Characters of an answer's frame, and of one claim's.
const FRAME: usize = 90;
const CLAIM: usize = 30;

/// The bounds written into [`Answer::LARK`]: claims after the first, characters after the first of a claim and of the rationale.
const BOUNDS: [&str; 3] = ["(\", \" claim){0,3}", "{0,119}", "{0,159}"];

/// [`Answer::LARK`] with fewer and shorter claims where the answer has few tokens.
pub(crate) fn fitting(config: &AgentsConfig) -> String {
    let room = ((config.answer_tokens as f64 * config.characters_per_token) as usize).saturating_sub(FRAME);
    let rationale = (room / 4).clamp(24, 160);
    let rest = room.saturating_sub(rationale);
    let claims = (rest / (CLAIM + 60)).clamp(1, 4);
    let text = (rest / claims).saturating_sub(CLAIM).clamp(24, 120);
    let [more, claim_text, rationale_text] = BOUNDS;
    Answer::LARK
        .replace(more, &format!("(\", \" claim){{0,{}}}", claims - 1))
        .replace(claim_text, &format!("{{0,{}}}", text - 1))
        .replace(rationale_text, &format!("{{0,{}}}", rationale - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_still_has_the_bounds_that_are_tightened_here() {
        for bound in BOUNDS {
            assert_eq!(Answer::LARK.matches(bound).count(), 1, "{bound}");
        }
    }

    #[test]
    fn few_tokens_give_few_and_short_claims_and_many_tokens_the_grammar_as_it_is() {
        let of = |answer_tokens| fitting(&AgentsConfig { answer_tokens, ..AgentsConfig::default() });
        assert!(of(64).contains("claim){0,0}") && of(64).contains("{0,46}"), "{}", of(64));
        assert_eq!(of(400), Answer::LARK);
    }
}
