//! Which way facts point: what the simulated reasoner believes.

use super::Role;
use crate::AgentConfig;
use crate::tools::Mark;
use artifacts::rows::{Fact, FactKind};

/// How far bull and bear lean from what the facts say.
const LEAN: f64 = 0.25;

/// What one fact says, from -1 (down) to 1 (up); none where it has no direction.
fn reading(config: &AgentConfig, fact: &Fact) -> Option<f64> {
    // A category says something only where a gauge is set for it.
    let mark = fact.kind == FactKind::Observation && Mark::of(&fact.name).is_some();
    let value = if mark { 1.0 } else { fact.value? };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Gauge;
    use artifacts::Timestamp;
    use std::collections::BTreeMap;

    #[test]
    fn a_category_is_bullish_only_where_a_gauge_says_so() {
        let at = Timestamp::from_seconds(0);
        let fact = Fact {
            id: "f".into(),
            symbol: "X".into(),
            bar_at: at,
            kind: FactKind::Observation,
            name: "mood=panic".into(),
            event_at: at,
            available_at: at,
            value: None,
            unit: String::new(),
            text: "mood is panic".into(),
        };
        let facts = [("F1".to_owned(), &fact)];
        let mut config = AgentConfig::default();
        assert!(stance(&config, Role::MarketAnalyst, &facts).abs() < 1e-12);
        let gauge = Gauge { center: 0.0, scale: 1.0, weight: -0.5 };
        config.observations = BTreeMap::from([("mood=panic".to_owned(), gauge)]);
        assert!((stance(&config, Role::MarketAnalyst, &facts) + 1.0).abs() < 1e-12);
    }
}
