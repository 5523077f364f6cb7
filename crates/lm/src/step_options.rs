use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a training step does not compute because nobody needs it. Each saving is exact: gradients are the same up to
/// rounding with it and without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each of which an ablation turns")]
pub struct Savings {
    /// Logits at supervised positions only; [`Savings::last_block`] implies it, for that block computes nothing else.
    pub supervised_logits: bool,
    /// No padding: rows lie one after another.
    pub packing: bool,
    /// A common prefix of several of a step's rows runs once (one for each instruction, say). Off while dropout is active:
    /// every row would have drawn its own mask for the prefix.
    pub shared_prefix: bool,
    /// In the last block, queries, output projection and MLP at supervised positions only.
    pub last_block: bool,
}

impl Savings {
    /// Everything on.
    pub const ALL: Self = Self { supervised_logits: true, packing: true, shared_prefix: true, last_block: true };
    /// Everything off: as the field's trainers compute.
    pub const NONE: Self = Self { supervised_logits: false, packing: false, shared_prefix: false, last_block: false };

    fn named(self) -> [(&'static str, bool); 4] {
        [
            ("logits", self.supervised_logits),
            ("packing", self.packing),
            ("prefix", self.shared_prefix),
            ("last-block", self.last_block),
        ]
    }
}

impl Default for Savings {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for Savings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.write_str("all"),
            Self::NONE => f.write_str("none"),
            _ => {
                let on: Vec<&str> = self.named().into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
                f.write_str(&on.join(","))
            }
        }
    }
}

impl From<Savings> for String {
    fn from(savings: Savings) -> Self {
        savings.to_string()
    }
}

impl TryFrom<String> for Savings {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl FromStr for Savings {
    type Err = Error;

    /// `all`, `none`, or some of `logits`, `packing`, `prefix` and `last-block`, with commas between.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim() {
            "all" => return Ok(Self::ALL),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        let mut savings = Self::NONE;
        for name in text.split(',').map(str::trim) {
            match name {
                "logits" => savings.supervised_logits = true,
                "packing" => savings.packing = true,
                "prefix" => savings.shared_prefix = true,
                "last-block" => savings.last_block = true,
                other => {
                    let choices = "all, none, or some of logits, packing, prefix, last-block";
                    return Err(Error::UnknownChoice { what: "saving", found: other.into(), choices });
                }
            }
        }
        Ok(savings)
    }
}

/// What the backward pass computes again instead of keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recompute {
    /// Nothing but norms and activations, which cost next to nothing.
    #[default]
    None,
    /// Queries, keys, values and attention.
    Attention,
    /// Whole blocks: their inputs alone are kept, and a step takes about half as long again.
    Block,
}

impl fmt::Display for Recompute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Attention => "attention",
            Self::Block => "block",
        })
    }
}

/// How a training step is computed. Nothing here changes its result beyond rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepOptions {
    /// What is not computed.
    pub savings: Savings,
    /// What is computed twice.
    pub recompute: Recompute,
    /// A step is computed in parts of at most so many tokens (or one row), which bounds its memory.
    pub tokens_at_once: usize,
}

impl Default for StepOptions {
    fn default() -> Self {
        Self { savings: Savings::ALL, recompute: Recompute::None, tokens_at_once: 2048 }
    }
}

/// What the frozen weights of the blocks are kept in. Activations, adapters and optimizer are f32 on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 4 bytes a weight.
    #[default]
    F32,
    /// 2 bytes a weight.
    Bf16,
    /// 8-bit whole numbers with a scale for each block of 64.
    Int8,
    /// 8-bit whole numbers with a scale for each row, and products in whole numbers where the processor has a unit for
    /// them: they round activations, and gradients on their way down, to 8 bits too. About 1.5 times as fast as bf16.
    W8a8,
    /// QLoRA's 4-bit NormalFloat with a scale for each block of 64 (Dettmers et al. 2023).
    Nf4,
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            "int8" => Ok(Self::Int8),
            "w8a8" => Ok(Self::W8a8),
            "nf4" => Ok(Self::Nf4),
            other => {
                let choices = "f32, bf16, int8, w8a8, nf4";
                Err(Error::UnknownChoice { what: "precision", found: other.into(), choices })
            }
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
            Self::W8a8 => "w8a8",
            Self::Nf4 => "nf4",
        })
    }
}
