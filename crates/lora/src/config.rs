use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which low-rank update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Scaling α/r (Hu et al. 2021).
    #[default]
    Plain,
    /// Scaling α/√r, which keeps the update's size at high ranks (Kalajdzievski 2023).
    RsLora,
    /// Direction by LoRA, length by a trained magnitude per output (Liu et al. 2024). Scaling α/r.
    Dora,
}

/// Settings of an adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoraConfig {
    /// Rank, at least 1.
    pub r: usize,
    /// Numerator of the scaling.
    pub alpha: f64,
    /// Probability that an input of the branch is zeroed during training, in [0, 1).
    pub dropout: f64,
    /// Layers to adapt, each by the end of its name: `q_proj` or `mlp.up_proj`.
    pub targets: Vec<String>,
    /// Which low-rank update.
    pub variant: Variant,
}

impl Default for LoraConfig {
    /// Rank 8, α 16, no dropout, all seven linear layers of a Llama block.
    fn default() -> Self {
        let targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
        Self { r: 8, alpha: 16.0, dropout: 0.0, targets: targets.map(String::from).to_vec(), variant: Variant::Plain }
    }
}

impl LoraConfig {
    /// What the branch is multiplied with: α/r, or α/√r for rsLoRA.
    pub fn scaling(&self) -> f64 {
        let r = self.r.max(1) as f64;
        self.alpha / if self.variant == Variant::RsLora { r.sqrt() } else { r }
    }

    /// Whether the layer called `name` is a target.
    pub fn covers(&self, name: &str) -> bool {
        self.targets.iter().any(|target| matches(name, target))
    }

    /// Refuses settings without meaning.
    pub fn check(&self) -> Result<()> {
        let bad = |field, found: String, expected| Err(Error::BadSetting { field, found, expected });
        if self.r == 0 {
            return bad("r", "0".into(), "at least 1");
        }
        if !self.alpha.is_finite() {
            return bad("alpha", self.alpha.to_string(), "a finite number");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return bad("dropout", self.dropout.to_string(), "at least 0 and below 1");
        }
        if self.targets.is_empty() {
            return bad("targets", "empty".into(), "at least one layer name, such as q_proj");
        }
        Ok(())
    }
}

/// PEFT's rule: the whole name, or its end after a dot.
pub(crate) fn matches(name: &str, target: &str) -> bool {
    name.strip_suffix(target).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}
