//! Which way facts point: what the simulated reasoner believes.

use super::Role;
use crate::AgentConfig;
use artifacts::rows::{Fact, FactKind};

/// How far bull and bear lean from what the facts say.
const LEAN: f64 = 0.25;

/// What one fact says, from -1 (down) to 1 (up); none where it has no direction.
fn reading(config: &AgentConfig, fact: &Fact) -> Option<f64> {
    let value = fact.value?;
    match fact.kind {
        FactKind::Sentiment | FactKind::Opinion => Some(value.clamp(-1.0, 1.0)),
        FactKind::Price if fact.name.starts_with("momentum") => Some(value.clamp(-1.0, 1.0)),
        // One per cent is a strong move.
        FactKind::Price if fact.name.starts_with("return") => Some(value.tanh()),
        FactKind::PastCase => Some(value.tanh()),
        // The relative strength index lies around 50.
        FactKind::Observation if fact.name.starts_with("rsi") => Some(((value - 50.0) / 50.0).clamp(-1.0, 1.0)),
        FactKind::Observation => {
            let gauge = config.observations.get(&fact.name)?;
            Some(((value - gauge.center) / gauge.scale).clamp(-1.0, 1.0) * gauge.weight.signum())
        }
        FactKind::Price | FactKind::News => None,
    }
}

/// The mean of what the facts say, with the lean of a side that argues.
pub(super) fn stance(config: &AgentConfig, role: Role, facts: &[(String, &Fact)]) -> f64 {
    let readings: Vec<f64> = facts.iter().filter_map(|(_, fact)| reading(config, fact)).collect();
    let mean = if readings.is_empty() { 0.0 } else { readings.iter().sum::<f64>() / readings.len() as f64 };
    let lean = match role {
        Role::Bull => LEAN,
        Role::Bear => -LEAN,
        _ => 0.0,
    };
    (mean + lean).clamp(-1.0, 1.0)
}
