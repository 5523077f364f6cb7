use crate::data::{forget_peak_memory, median, peak_memory_gib, rounded, rows};
use artifacts::runtime::Stopwatch;
use benches::adapter;
use candle_core::Device;
use lm::{Llama, Precision, Recompute, Savings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use trainer::adamw::AdamW;
use trainer::memory::MemoryBudget;

#[derive(clap::Args)]
pub(crate) struct Train {
    /// The checkpoint's folder
    #[arg(long)]
    model: PathBuf,
    /// Rows that make_rows.py wrote
    #[arg(long)]
    data: PathBuf,
    /// What the frozen weights are kept in: f32, bf16, int8, w8a8, nf4
    #[arg(long, default_value = "bf16")]
    precision: Precision,
    /// What a step need not compute: all, none, or some of logits,packing,prefix,last-block
    #[arg(long, default_value = "all")]
    savings: Savings,
    /// The most memory the training may take, such as 4GiB
    #[arg(long, default_value = "none")]
    memory: MemoryBudget,
    /// What the backward pass computes again, instead of what the memory decides: none, attention, block
    #[arg(long, value_parser = recompute)]
    recompute: Option<Recompute>,
    /// Tokens computed at once, instead of what the memory decides
    #[arg(long)]
    tokens_at_once: Option<usize>,
    /// Rows in a step
    #[arg(long, default_value_t = 8)]
    rows: usize,
    /// Timed steps
    #[arg(long, default_value_t = 5)]
    steps: usize,
    /// Steps before the timed ones
    #[arg(long, default_value_t = 2)]
    warm_up: usize,
    /// Where to keep the adapter
    #[arg(long)]
    adapter_out: Option<PathBuf>,
}

fn recompute(text: &str) -> Result<Recompute, serde_json::Error> {
    serde_json::from_value(text.into())
}

impl Train {
    pub(crate) fn run(&self) -> anyhow::Result<Value> {
        let data = rows(&self.data)?;
        let mut model = Llama::load_in(&self.model, self.precision, &Device::Cpu)?;
        model.attach_lora(&adapter(), 42)?;
        let variables = model.trainable();
        let trained = variables.iter().map(|(_, v)| v.elem_count()).sum();
        let longest = data.iter().map(|(ids, _)| ids.len()).max().unwrap_or(0);
        let budget = self.memory.bytes();
        let plan = lm::plan(model.config(), self.precision, trained, budget, longest, self.rows, self.savings)?;
        let mut options = plan.options;
        options.recompute = self.recompute.unwrap_or(options.recompute);
        options.tokens_at_once = self.tokens_at_once.unwrap_or(options.tokens_at_once);
        let mut adamw = AdamW::new((0.9, 0.999), 1e-8, 0.01);

        let (mut seconds, mut speeds, mut computed, mut losses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for step in 0..self.warm_up + self.steps {
            if step == self.warm_up {
                forget_peak_memory();
            }
            let rows: Vec<(&[u32], &[bool])> = data
                .iter()
                .cycle()
                .skip(step * self.rows % data.len())
                .take(self.rows)
                .map(|(ids, mask)| (ids.as_slice(), mask.as_slice()))
                .collect();
            let clock = Stopwatch::start();
            let sum = model.gradients(&rows, &options, None)?;
            let scale = 1.0 / sum.supervised.max(1) as f64;
            let mean = |(name, sum): (String, candle_core::Tensor)| Ok((name, sum.affine(scale, 0.0)?));
            let gradients = sum.tensors.into_iter().map(mean).collect::<anyhow::Result<BTreeMap<_, _>>>()?;
            adamw.step(&variables, &gradients, |_| 2e-4)?;
            let took = clock.seconds();
            losses.push(rounded(sum.loss * scale, 4));
            if step >= self.warm_up {
                let tokens: usize = rows.iter().map(|(ids, _)| ids.len()).sum();
                seconds.push(took);
                speeds.push(tokens as f64 / took);
                computed.push(sum.tokens_computed as f64);
            }
        }
        if let Some(folder) = &self.adapter_out {
            model.save_adapter(folder, "benches/peer")?;
        }
        let seconds = median(seconds);
        Ok(json!({
            "side": "seafin",
            "precision": self.precision,
            "adapter": "f32",
            "savings": self.savings,
            "recompute": options.recompute,
            "tokens_at_once": options.tokens_at_once,
            "rows": self.rows,
            "seconds_per_step": rounded(seconds, 4),
            "tokens_per_second": rounded(median(speeds), 2),
            "rows_per_second": rounded(self.rows as f64 / seconds, 3),
            "tokens_computed": median(computed),
            "peak_gib": peak_memory_gib(),
            "planned_gib": rounded(plan.total as f64 / (1_u64 << 30) as f64, 2),
            "weights_gib": rounded(model.weight_bytes() as f64 / (1_u64 << 30) as f64, 2),
            "losses": losses,
        }))
    }
}
