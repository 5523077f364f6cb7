//! Settings of the optimisation.

use crate::Error;
use serde::{Deserialize, Serialize};

/// How the learning rate moves after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// It stays.
    Constant,
    /// It falls to 0 in a straight line.
    Linear,
    /// It falls to 0 along half a cosine.
    Cosine,
}

/// Settings of the optimisation; the same words as in PEFT and transformers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Optimisation {
    /// Passes over the data.
    pub epochs: u64,
    /// Rows of one update.
    pub rows_per_step: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// The learning rate of LoRA's B matrices is so many times that of the others (LoRA+, Hayou et al. 2024, advise 16); 1: LoRA.
    pub lora_plus_ratio: f64,
    /// Share of all updates in which the rate rises from 0.
    pub warmup_share: f64,
    /// What it does then.
    pub decay: Decay,
    /// AdamW's averaging of gradients and their squares.
    pub betas: (f64, f64),
    /// AdamW's guard against division by 0.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Longest gradient; longer ones are scaled down to it.
    pub clip: f64,
    /// Updates between checkpoints; a killed run loses at most these.
    pub checkpoint_every: u64,
}

impl Default for Optimisation {
    fn default() -> Self {
        Self {
            epochs: 3,
            rows_per_step: 16,
            learning_rate: 2e-4,
            lora_plus_ratio: 1.0,
            warmup_share: 0.05,
            decay: Decay::Cosine,
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            weight_decay: 0.01,
            clip: 1.0,
            checkpoint_every: 50,
        }
    }
}

impl Optimisation {
    /// Refuses settings without meaning.
    pub fn check(&self) -> Result<(), Error> {
        let bad = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        match self {
            s if s.epochs == 0 => bad("epochs", "0".into(), "1 or more"),
            s if s.rows_per_step == 0 => bad("rows_per_step", "0".into(), "1 or more"),
            s if s.checkpoint_every == 0 => bad("checkpoint_every", "0".into(), "1 or more"),
            s if !(s.learning_rate > 0.0 && s.learning_rate < 1.0) => {
                bad("learning_rate", s.learning_rate.to_string(), "above 0 and below 1")
            }
            s if !(s.lora_plus_ratio > 0.0 && s.lora_plus_ratio.is_finite()) => {
                bad("lora_plus_ratio", s.lora_plus_ratio.to_string(), "above 0")
            }
            s if !(0.0..1.0).contains(&s.warmup_share) => {
                bad("warmup_share", s.warmup_share.to_string(), "from 0 to below 1")
            }
            s if s.clip.is_nan() || s.clip <= 0.0 => bad("clip", s.clip.to_string(), "above 0"),
            _ => Ok(()),
        }
    }

    /// The learning rate of the tensor called `name`, where `rate` is that of an A matrix.
    pub(crate) fn rate_of(&self, name: &str, rate: f64) -> f64 {
        if name.ends_with("lora_B.weight") { rate * self.lora_plus_ratio } else { rate }
    }
}
