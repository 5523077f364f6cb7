//! Whether agents are as sure as they are right.

use super::claims::agent_of;
use super::outcome::Outcome;
use super::record::Record;
use super::{Error, ReasoningConfig};
use artifacts::Timestamp;
use stats::classification::{ReliabilityBin, calibration_error, reliability};
use std::collections::BTreeMap;

/// The calibration of one agent's confidence, taken as the probability that its direction is right.
#[derive(Debug, Clone)]
pub(crate) struct Sureness {
    pub(crate) who: String,
    pub(crate) calls: u64,
    pub(crate) confidence: Option<f64>,
    pub(crate) right: Option<f64>,
    /// Expected calibration error.
    pub(crate) error: Option<f64>,
    /// Mean of (confidence - right)²: 0.25 for always saying one half.
    pub(crate) brier: Option<f64>,
    pub(crate) bins: Vec<ReliabilityBin>,
}

/// Of the decisions first, then of every agent's opinions. Calls without a direction or without a movement are left out.
pub(crate) fn sureness(
    config: &ReasoningConfig,
    record: &Record,
    outcomes: &[Outcome<'_>],
) -> Result<Vec<Sureness>, Error> {
    let moved: BTreeMap<(&str, Timestamp), f64> = outcomes
        .iter()
        .filter_map(|o| Some(((o.decision.symbol.as_str(), o.decision.bar_at), o.main.filter(|m| *m != 0.0)?)))
        .collect();
    let call = |symbol: &str, at: Timestamp, side: f64, confidence: f64| {
        let moved = moved.get(&(symbol, at))?;
        (side != 0.0).then_some((confidence, (side > 0.0) == (*moved > 0.0)))
    };
    let decisions: Vec<(f64, bool)> =
        record.decisions.iter().filter_map(|d| call(&d.symbol, d.bar_at, d.position, d.confidence?)).collect();
    let mut found = vec![of("decision", &decisions, config)?];
    let mut by_agent: BTreeMap<&str, Vec<(f64, bool)>> = BTreeMap::new();
    for o in &record.opinions {
        by_agent.entry(agent_of(&o.agent)).or_default().extend(call(&o.symbol, o.bar_at, o.score, o.confidence));
    }
    for (agent, calls) in by_agent {
        found.push(of(agent, &calls, config)?);
    }
    Ok(found)
}

fn of(who: &str, calls: &[(f64, bool)], config: &ReasoningConfig) -> Result<Sureness, Error> {
    let mean = |f: &dyn Fn(&(f64, bool)) -> f64| {
        (!calls.is_empty()).then(|| calls.iter().map(f).sum::<f64>() / calls.len() as f64)
    };
    let hit = |call: &(f64, bool)| f64::from(u8::from(call.1));
    Ok(Sureness {
        who: who.to_owned(),
        calls: calls.len() as u64,
        confidence: mean(&|c| c.0),
        right: mean(&hit),
        error: calibration_error(calls, config.calibration_bins)?,
        brier: mean(&|c| (c.0 - hit(c)).powi(2)),
        bins: reliability(calls, config.calibration_bins)?,
    })
}
