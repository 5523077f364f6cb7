//! How much memory a training step takes, and how to fit it into a budget.

use crate::{Config, Error, Precision, Recompute, Result, Savings, StepOptions};
use std::fmt;

/// An estimate of the peak memory of a LoRA training, in bytes, and the options that keep to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPlan {
    /// The frozen weights.
    pub weights: u64,
    /// What is trained, with its gradients.
    pub adapter: u64,
    /// AdamW's two averages.
    pub optimizer: u64,
    /// What the backward pass needs of the forward pass, and the widest intermediate results.
    pub activations: u64,
    /// Logits and their gradient.
    pub logits: u64,
    /// Everything, with the process itself.
    pub total: u64,
    /// How the step is computed.
    pub options: StepOptions,
}

/// The process without a model: code, tokenizer, data.
const PROCESS: u64 = 96 << 20;
const MIB: u64 = 1 << 20;
/// Supervised tokens a row, where logits are computed for those only: a label word and the end of the turn.
const ANSWER: u64 = 8;
/// Larger parts gain nothing: the products are at full speed.
const LARGEST_PART: usize = 2048;
/// Smaller parts slow the products down.
const SMALLEST_PART: usize = 256;

impl MemoryPlan {
    fn new(shape: &Shape<'_>, options: StepOptions) -> Self {
        let config = shape.config;
        let (hidden, mlp) = (config.hidden_size as u64, config.intermediate_size as u64);
        let (queries, keys) = (
            (config.num_attention_heads * config.head_dim) as u64,
            (config.num_key_value_heads * config.head_dim) as u64,
        );
        let (layers, vocabulary) = (config.num_hidden_layers as u64, config.vocab_size as u64);
        let block = hidden * (queries + 2 * keys) + queries * hidden + 3 * hidden * mlp;
        let heads = if config.tie_word_embeddings { 1 } else { 2 };
        // Blocks of 64 weights have an f32 scale.
        let stored = |count: u64, precision| match precision {
            Precision::F32 => 4 * count,
            Precision::Bf16 => 2 * count,
            Precision::Int8 | Precision::W8a8 => count + count / 16,
            Precision::Nf4 => count / 2 + count / 16,
        };
        let outside = if shape.precision == Precision::Nf4 { Precision::Int8 } else { shape.precision };
        let weights = stored(layers * block, shape.precision) + stored(heads * vocabulary * hidden, outside);
        let trained = shape.trained as u64;
        let (adapter, optimizer) = (3 * 4 * trained, 8 * trained);

        let attention = queries + 2 * keys + queries + 2 * keys;
        let expanded = 2 * mlp;
        let kept = match options.recompute {
            Recompute::None => 2 * hidden + attention + expanded,
            Recompute::Attention => 2 * hidden + expanded,
            Recompute::Block => hidden,
        };
        // The widest moment: the MLP's backward pass, with its packed operand.
        let moment = attention + 2 * expanded + 3 * mlp + 4 * hidden;
        let prefix = if options.savings.shared_prefix { shape.longest as u64 } else { 0 };
        let tokens = (options.tokens_at_once.max(shape.longest) as u64).min(shape.rows as u64 * shape.longest as u64);
        let full = 2 * hidden + attention + expanded;
        let activations = 4 * (tokens * (layers * kept + moment) + prefix * layers * full);
        // The allocator rounds sizes up, by a fifth at most.
        let activations = activations + activations / 8;
        let supervised = if options.savings.supervised_logits || options.savings.last_block {
            (tokens / shape.longest.max(1) as u64 + 1) * ANSWER * 4
        } else {
            tokens
        };
        let logits = 2 * 4 * supervised.min(tokens) * vocabulary;
        let total = PROCESS + weights + adapter + optimizer + activations + logits;
        Self { weights, adapter, optimizer, activations, logits, total, options }
    }
}

struct Shape<'a> {
    config: &'a Config,
    precision: Precision,
    trained: usize,
    longest: usize,
    rows: usize,
}

/// Chooses how a step of `rows` rows of at most `longest` tokens is computed so that the whole training stays below
/// `budget` bytes: first what is computed twice (as little as fits), then how many tokens at once.
///
/// # Errors
/// [`Error::MemoryBudget`] with the least that would do.
pub fn plan(
    config: &Config,
    precision: Precision,
    trained: usize,
    budget: Option<u64>,
    longest: usize,
    rows: usize,
    savings: Savings,
) -> Result<MemoryPlan> {
    let shape = Shape { config, precision, trained, longest, rows };
    let with = |recompute, tokens_at_once| MemoryPlan::new(&shape, StepOptions { savings, recompute, tokens_at_once });
    let Some(budget) = budget else { return Ok(with(Recompute::None, LARGEST_PART / 2)) };
    let fits = |plan: &MemoryPlan| plan.total <= budget;
    let sizes = |from: usize, to: usize| {
        std::iter::successors(Some(from), |size| Some(size * 3 / 4)).take_while(move |size| *size >= to)
    };
    for recompute in [Recompute::None, Recompute::Attention, Recompute::Block] {
        if let Some(plan) = sizes(LARGEST_PART, SMALLEST_PART).map(|tokens| with(recompute, tokens)).find(fits) {
            return Ok(plan);
        }
    }
    let least = longest.clamp(1, SMALLEST_PART);
    if let Some(plan) = sizes(SMALLEST_PART, least).map(|tokens| with(Recompute::Block, tokens)).find(fits) {
        return Ok(plan);
    }
    let smallest = with(Recompute::Block, least);
    if fits(&smallest) {
        return Ok(smallest);
    }
    let remedy = match precision {
        Precision::Nf4 => "give more memory or shorten the rows",
        _ => "give more memory, shorten the rows, or quantise the base model (nf4)",
    };
    Err(Error::MemoryBudget { budget: budget / MIB, needed: smallest.total.div_ceil(MIB), remedy })
}

impl fmt::Display for MemoryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes.div_ceil(MIB);
        write!(
            f,
            "{} MiB: weights {}, adapter {}, optimizer {}, activations {}, logits {} (parts of {} tokens, recompute {}, savings {})",
            mib(self.total),
            mib(self.weights),
            mib(self.adapter),
            mib(self.optimizer),
            mib(self.activations),
            mib(self.logits),
            self.options.tokens_at_once,
            self.options.recompute,
            self.options.savings,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn llama_1b() -> Config {
        Config {
            intermediate_size: 8192,
            num_attention_heads: 32,
            num_key_value_heads: 8,
            head_dim: 64,
            max_position_embeddings: 131_072,
            ..Config::small(128_256, 2048, 16)
        }
    }

    fn plan_1b(precision: Precision, gib: Option<f64>) -> Result<MemoryPlan> {
        let budget = gib.map(|g| (g * 1024.0 * MIB as f64) as u64);
        plan(&llama_1b(), precision, 11_272_192, budget, 125, 32, Savings::ALL)
    }

    #[test]
    fn a_smaller_budget_computes_more_twice_and_is_kept() {
        let mut recomputed = Vec::new();
        for gib in [8.0, 4.5, 3.6, 3.3] {
            let plan = plan_1b(Precision::Bf16, Some(gib)).unwrap();
            assert!(plan.total as f64 <= gib * 1024.0 * MIB as f64, "{gib}: {plan}");
            recomputed.push(plan.options);
        }
        assert_eq!(recomputed[0].recompute, Recompute::None);
        assert_eq!(recomputed[3].recompute, Recompute::Block);
        assert!(recomputed[0].tokens_at_once > recomputed[1].tokens_at_once);
    }

    #[test]
    fn a_quantised_1b_model_trains_in_two_gib_and_one_gib_is_refused_with_what_is_needed() {
        assert!(plan_1b(Precision::Nf4, Some(2.0)).is_ok());
        let error = plan_1b(Precision::Nf4, Some(1.0)).unwrap_err().to_string();
        assert!(error.contains("1024 MiB is too small"), "{error}");
        assert!(plan_1b(Precision::Bf16, Some(2.0)).unwrap_err().to_string().contains("nf4"));
    }
}
