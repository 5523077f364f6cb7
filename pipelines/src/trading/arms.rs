//! What is compared.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Settings of the comparison of trading strategies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TradingConfig {
    /// Each arm runs once with each of these seeds, unless nothing in it is random.
    pub seeds: Vec<u64>,
    /// Resamples of the intervals.
    pub resamples: usize,
    /// Share of the bars, from the first on, by which an arm may be chosen; the rest judges the choice.
    pub choose_share: f64,
    /// The arms; the first is what the others are compared with.
    pub arms: Vec<TradingArm>,
}

/// One strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradingArm {
    /// The name of its folder.
    pub name: String,
    /// What is different about it.
    pub what: String,
    /// Whether the tuned model reads the news; else the base model does.
    #[serde(default = "yes")]
    pub tuned: bool,
    /// Whether its decisions depend on the seed.
    #[serde(default = "yes")]
    pub seeded: bool,
    /// Settings of the run that it changes, as `--set` takes them: `agent.sentiment_weight=0`.
    #[serde(default)]
    pub set: Vec<String>,
}

fn yes() -> bool {
    true
}

fn arm(name: &str, what: &str, set: &[&str]) -> TradingArm {
    let set = set.iter().map(|s| (*s).to_owned()).collect();
    TradingArm { name: name.into(), what: what.into(), tuned: true, seeded: true, set }
}

impl Default for TradingConfig {
    fn default() -> Self {
        const RECALL: &str = "agent.agents.retrieval.on=true";
        const FILTER: &str = "agent.agents.grounding_filter.on=true";
        const CALIBRATED: &str = "agent.agents.calibration.method=\"isotonic\"";
        let base_model = TradingArm { tuned: false, ..arm("base-model", "the untuned model reads the news", &[]) };
        let hybrid =
            arm("hybrid", "fixed weights on mood, trend and numbers; no agents", &["agent.strategy=\"hybrid\""]);
        Self {
            seeds: vec![1, 2, 3],
            resamples: 2000,
            choose_share: 0.5,
            arms: vec![
                arm("baseline", "the agents as they are", &[]),
                arm("retrieval", "similar past cases with what followed them", &[RECALL]),
                arm(
                    "grounded",
                    "unsupported claims dropped, confidence calibrated on past outcomes",
                    &[FILTER, CALIBRATED],
                ),
                arm("both", "similar past cases, filter and calibration", &[RECALL, FILTER, CALIBRATED]),
                arm("memory", "their own past decisions with what followed them", &["agent.agents.memory.on=true"]),
                base_model,
                arm("text-only", "news and mood, no features", &["agent.agents.sources=\"text-only\""]),
                arm("numbers-only", "prices and features, no news", &["agent.agents.sources=\"features-only\""]),
                TradingArm { seeded: false, ..hybrid },
            ],
        }
    }
}

impl TradingConfig {
    /// Refuses what cannot be compared.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let names: BTreeSet<&str> = self.arms.iter().map(|a| a.name.as_str()).collect();
        if self.arms.is_empty() || names.len() < self.arms.len() {
            anyhow::bail!("experiments.arms: there must be at least one arm, and each name only once");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_+".contains(c);
        if let Some(name) = names.iter().find(|n| n.is_empty() || !n.chars().all(plain)) {
            anyhow::bail!("experiments.arms: `{name}` names a folder; use letters, digits, `-`, `_` and `+`");
        }
        if self.seeds.is_empty() {
            anyhow::bail!("experiments.seeds is empty; give at least one seed");
        }
        if !(0.1..=0.9).contains(&self.choose_share) {
            anyhow::bail!("experiments.choose_share is {}; it lies in [0.1, 0.9]", self.choose_share);
        }
        Ok(())
    }
}
