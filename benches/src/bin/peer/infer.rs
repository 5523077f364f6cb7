use crate::data::{forget_peak_memory, median, peak_memory_gib, rounded};
use crate::memory::{self, Memory};
use artifacts::runtime::Stopwatch;
use candle_core::Device;
use lm::{KvCache, Llama, Precision, next_logits};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Infer {
    /// The checkpoint's folder
    #[arg(long)]
    model: PathBuf,
    /// What the weights are kept in: f32, bf16, int8, w8a8, nf4
    #[arg(long, default_value = "bf16")]
    precision: Precision,
    /// Tokens of the prompt
    #[arg(long, default_value_t = 512)]
    prefill: usize,
    /// Tokens after it
    #[arg(long, default_value_t = 64)]
    decode: usize,
    /// Timed runs, after one that is not
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

/// The most likely token after `ids`, which follow what the cache holds.
fn next(model: &Llama, ids: &[u32], cache: &mut KvCache) -> anyhow::Result<u32> {
    let logits = next_logits(model, ids, cache)?;
    let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    Ok(best.map_or(0, |(id, _)| id as u32))
}

impl Infer {
    pub(crate) fn run(&self) -> anyhow::Result<Value> {
        let model = Llama::load_in(&self.model, self.precision, &Device::Cpu)?;
        let vocabulary = model.config().vocab_size;
        let prompt: Vec<u32> = (0..self.prefill).map(|t| (t * 7919 % vocabulary) as u32).collect();
        let memory = Memory::new();
        forget_peak_memory();
        let (mut prefills, mut decodes, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for run in 0..=self.runs {
            let mut cache = KvCache::new();
            let clock = Stopwatch::start();
            let mut token = next(&model, &prompt, &mut cache)?;
            if run > 0 {
                prefills.push(clock.seconds());
            }
            if run > 0 {
                reads.push(memory.read_rate());
            }
            for _ in 0..if run > 0 { self.decode } else { 1 } {
                let clock = Stopwatch::start();
                token = next(&model, &[token], &mut cache)?;
                if run > 0 {
                    decodes.push(clock.seconds());
                }
            }
            if run > 0 {
                reads.push(memory.read_rate());
            }
        }
        let decode = 1.0 / median(decodes);
        // A decoded token reads every weight once.
        let weights = decode * model.weight_bytes() as f64 / 1e9;
        let spread = reads.iter().map(|rate| rounded(*rate, 1)).collect::<Vec<_>>();
        let read = median(reads);
        let own = memory::BYTES as f64 / (1_u64 << 30) as f64;
        Ok(json!({
            "side": "seafin",
            "precision": self.precision,
            "prefill_tokens": self.prefill,
            "prefill_tokens_per_second": rounded(self.prefill as f64 / median(prefills), 2),
            "decode_tokens_per_second": rounded(decode, 3),
            "decode_weight_gb_per_second": rounded(weights, 2),
            // Reading alone, before and after each run's tokens.
            "memory_read_gb_per_second": spread,
            "decode_share_of_memory": rounded(weights / read, 3),
            "kernels": kernels::cpu(),
            "peak_gib": peak_memory_gib().map(|peak| rounded(peak - own, 2)),
        }))
    }
}
