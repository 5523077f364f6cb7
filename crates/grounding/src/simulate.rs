//! An author who is always right and a liar whose every error is known: to measure the verifier, and to run agents without a model.

mod draw;
mod error;
mod form;
mod wording;

use crate::{Answer, Claim, Verdict};
use artifacts::rows::Fact;
use draw::Draws;

/// At most so many claims does the author make.
const CLAIMS: usize = 4;

/// An error that [`corrupt`] put into an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Injected {
    /// The claim's place in the answer.
    pub claim: usize,
    /// What is wrong with it.
    pub kind: Verdict,
}

/// An honest author: up to four facts, each put into words that it supports, and a rationale that agrees with the stance, from -1
/// (sell) to 1 (buy). Equal arguments give equal answers.
pub fn author(facts: &[(String, &Fact)], stance: f64, seed: u64) -> Answer {
    let mut draws = Draws::new(seed, "grounding/author");
    let mut left: Vec<&(String, &Fact)> =
        facts.iter().filter(|(_, f)| f.value.is_some() || !f.text.trim().is_empty()).collect();
    let mut claims = Vec::new();
    while claims.len() < CLAIMS && !left.is_empty() {
        let (number, fact) = left.remove(draws.below(left.len()));
        claims.push(Claim { text: wording::sentence(fact, &mut draws), fact: number.clone() });
    }
    let score = if stance.is_finite() { stance.clamp(-1.0, 1.0) } else { 0.0 };
    let score = (score * 100.0).round() / 100.0;
    let confidence = ((0.5 + 0.4 * score.abs() + 0.1 * (draws.share() - 0.5)) * 100.0).round() / 100.0;
    let rationale = match score {
        s if s > 0.05 => draws.one(&[
            "Taken together the facts are bullish, so I buy.",
            "The weight of the evidence is positive.",
            "More speaks for higher prices than against.",
            "The outlook is positive on these facts.",
        ]),
        s if s < -0.05 => draws.one(&[
            "Taken together the facts are bearish, so I sell.",
            "The weight of the evidence is negative.",
            "More speaks for lower prices than against.",
            "The outlook is negative on these facts.",
        ]),
        _ => draws.one(&[
            "The facts are mixed; no position is warranted.",
            "Neutral: the facts cancel each other.",
            "There is no edge in these facts.",
        ]),
    };
    Answer { score, confidence, claims, rationale: rationale.to_owned() }
}

/// The same answer with known errors: each claim gets one with probability `rate`, of a kind that is drawn among the six
/// that can be put into it. Errors are made by a scan of the text that has nothing in common with the verifier.
pub fn corrupt(answer: &Answer, facts: &[(String, &Fact)], rate: f64, seed: u64) -> (Answer, Vec<Injected>) {
    let mut draws = Draws::new(seed, "grounding/corrupt");
    let (mut answer, mut injected) = (answer.clone(), Vec::new());
    for (n, claim) in answer.claims.iter_mut().enumerate() {
        if draws.share() >= rate {
            continue;
        }
        let first = draws.below(error::KINDS.len());
        let kinds = error::KINDS.iter().cycle().skip(first).take(error::KINDS.len());
        for kind in kinds {
            if let Some(spoiled) = error::spoil(claim, *kind, facts, &mut draws) {
                injected.push(Injected { claim: n, kind: *kind });
                *claim = spoiled;
                break;
            }
        }
    }
    (answer, injected)
}
