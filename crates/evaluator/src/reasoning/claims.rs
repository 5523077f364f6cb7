//! How often agents say what their facts do not.

use super::record::{Record, verdict};
use artifacts::Timestamp;
use grounding::{Claim, Verdict, contradicts};
use stats::classification::wilson_interval;
use std::collections::BTreeMap;

/// So many of how many, with Wilson's interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    pub(crate) hits: u64,
    pub(crate) of: u64,
    pub(crate) interval: Option<(f64, f64)>,
}

impl Rate {
    pub(crate) fn of(hits: u64, of: u64, level: f64) -> Self {
        Self { hits, of, interval: wilson_interval(hits, of, level) }
    }

    pub(crate) fn value(&self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }
}

/// An agent without the round of a debate: `bull-2` is the bull.
pub(crate) fn agent_of(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((agent, round)) if round.bytes().all(|b| b.is_ascii_digit()) => agent,
        _ => name,
    }
}

/// The claims of one agent.
#[derive(Debug, Clone)]
pub(crate) struct AgentClaims {
    pub(crate) agent: String,
    pub(crate) claims: u64,
    /// Of each verdict, in the order of [`Verdict::ALL`].
    pub(crate) verdicts: Vec<Rate>,
    /// Claims that are not what their facts say; uncited ones are counted apart.
    pub(crate) hallucinated: Rate,
    /// Opinions whose score goes against their own rationale.
    pub(crate) contradictions: Rate,
}

/// Whether a verdict is a hallucination: something is stated that the cited fact does not say.
pub(crate) fn is_hallucination(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Supported | Verdict::Uncited)
}

/// The claims of every agent, and of all of them first.
pub(crate) fn by_agent(record: &Record, level: f64) -> Vec<AgentClaims> {
    let mut agents: Vec<&str> = record.opinions.iter().map(|o| agent_of(&o.agent)).collect();
    agents.extend(record.checked.iter().map(|c| agent_of(&c.agent)));
    agents.sort_unstable();
    agents.dedup();
    let of = |agent: Option<&str>| {
        let claims =
            || record.checked.iter().filter(move |c| agent.is_none_or(|a| agent_of(&c.agent) == a)).map(verdict);
        let total = claims().count() as u64;
        let count = |keep: &dyn Fn(Verdict) -> bool| claims().filter(|v| keep(*v)).count() as u64;
        let opinions = record.opinions.iter().filter(|o| agent.is_none_or(|a| agent_of(&o.agent) == a));
        let (against, opinions) = opinions.fold((0, 0), |(against, n), o| {
            let claims: Vec<Claim> = o
                .claims
                .iter()
                .zip(&o.cited)
                .map(|(text, fact)| Claim { text: text.clone(), fact: fact.clone() })
                .collect();
            (against + u64::from(contradicts(&o.rationale, &claims, o.score)), n + 1)
        });
        AgentClaims {
            agent: agent.unwrap_or("all").to_owned(),
            claims: total,
            verdicts: Verdict::ALL.iter().map(|kind| Rate::of(count(&|v| v == *kind), total, level)).collect(),
            hallucinated: Rate::of(count(&is_hallucination), total, level),
            contradictions: Rate::of(against, opinions, level),
        }
    };
    std::iter::once(of(None)).chain(agents.into_iter().map(|a| of(Some(a)))).collect()
}

/// Decisions whose side is not that of the trader's own score or of their own words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AgainstReasons {
    /// The position has the other sign than the trader's score.
    pub(crate) trader: Rate,
    /// The position goes against the decision's rationale.
    pub(crate) rationale: Rate,
}

pub(crate) fn against_reasons(record: &Record, level: f64) -> AgainstReasons {
    let scores: BTreeMap<(&str, Timestamp), f64> = record
        .opinions
        .iter()
        .filter(|o| agent_of(&o.agent) == "trader")
        .map(|o| ((o.symbol.as_str(), o.bar_at), o.score))
        .collect();
    let (mut trader, mut rationale) = ((0, 0), (0, 0));
    for decision in record.decisions.iter().filter(|d| d.position != 0.0) {
        if let Some(score) = scores.get(&(decision.symbol.as_str(), decision.bar_at)).filter(|s| **s != 0.0) {
            trader = (trader.0 + u64::from(score.signum() != decision.position.signum()), trader.1 + 1);
        }
        let against = contradicts(&decision.rationale, &[], decision.position);
        rationale = (rationale.0 + u64::from(against), rationale.1 + 1);
    }
    AgainstReasons { trader: Rate::of(trader.0, trader.1, level), rationale: Rate::of(rationale.0, rationale.1, level) }
}

/// How well the verifier found the errors of one kind that a simulation had put in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VerifierScore {
    pub(crate) kind: Verdict,
    /// Of the claims called this, how many were.
    pub(crate) precision: Rate,
    /// Of the errors of this kind, how many were called it.
    pub(crate) recall: Rate,
}

/// The verifier against the errors that are known; none where no simulation ran.
pub(crate) fn verifier_scores(record: &Record, level: f64) -> Option<Vec<VerifierScore>> {
    let injected = record.injected.as_ref()?;
    let key = |c: &artifacts::rows::CheckedClaim| (c.symbol.clone(), c.bar_at, c.agent.clone(), c.claim);
    let truth: BTreeMap<_, _> = injected.iter().map(|c| (key(c), verdict(c))).collect();
    let judged: Vec<(Verdict, Verdict)> = record
        .checked
        .iter()
        .map(|c| (truth.get(&key(c)).copied().unwrap_or(Verdict::Supported), verdict(c)))
        .collect();
    let count = |keep: &dyn Fn(&(Verdict, Verdict)) -> bool| judged.iter().filter(|p| keep(p)).count() as u64;
    let kinds = Verdict::ALL.into_iter().filter(|k| count(&|p| p.0 == *k || p.1 == *k) > 0);
    Some(
        kinds
            .map(|kind| {
                let both = count(&|p| *p == (kind, kind));
                VerifierScore {
                    kind,
                    precision: Rate::of(both, count(&|p| p.1 == kind), level),
                    recall: Rate::of(both, count(&|p| p.0 == kind), level),
                }
            })
            .collect(),
    )
}
