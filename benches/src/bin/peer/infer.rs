use crate::data::{forget_peak_memory, median, peak_memory_gib, rounded};
use artifacts::runtime::Stopwatch;
use candle_core::{D, Device};
use lm::{KvCache, Llama, Precision};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Infer {
    /// The checkpoint's folder
    #[arg(long)]
    model: PathBuf,
    /// What the weights are kept in: f32, bf16, int8, nf4
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
    let hidden = model.hidden(&[ids], Some(cache))?;
    let logits = model.logits(&hidden.narrow(0, hidden.dim(0)? - 1, 1)?)?;
    Ok(logits.argmax(D::Minus1)?.squeeze(0)?.to_scalar::<u32>()?)
}

impl Infer {
    pub(crate) fn run(&self) -> anyhow::Result<Value> {
        let model = Llama::load_in(&self.model, self.precision, &Device::Cpu)?;
        let vocabulary = model.config().vocab_size;
        let prompt: Vec<u32> = (0..self.prefill).map(|t| (t * 7919 % vocabulary) as u32).collect();
        forget_peak_memory();
        let (mut prefills, mut decodes) = (Vec::new(), Vec::new());
        for run in 0..=self.runs {
            let mut cache = KvCache::new();
            let clock = Stopwatch::start();
            let mut token = next(&model, &prompt, &mut cache)?;
            if run > 0 {
                prefills.push(clock.seconds());
            }
            for _ in 0..if run > 0 { self.decode } else { 1 } {
                let clock = Stopwatch::start();
                token = next(&model, &[token], &mut cache)?;
                if run > 0 {
                    decodes.push(clock.seconds());
                }
            }
        }
        let decode = 1.0 / median(decodes);
        Ok(json!({
            "side": "seafin",
            "precision": self.precision,
            "prefill_tokens": self.prefill,
            "prefill_tokens_per_second": rounded(self.prefill as f64 / median(prefills), 2),
            "decode_tokens_per_second": rounded(decode, 3),
            // A decoded token reads every weight once.
            "decode_weight_gb_per_second": rounded(decode * model.weight_bytes() as f64 / 1e9, 2),
            "peak_gib": peak_memory_gib(),
        }))
    }
}
