//! Continues a text with a local model.
//!
//! `cargo run -p lm --example generate -- --model DIR --prompt "Once upon a time" --greedy --max-tokens 200`

use anyhow::{Context, anyhow, ensure};
use candle_core::Device;
use clap::Parser;
use lm::{GenerateOptions, Llama, Precision, Sampling};
use std::io::Write;
use std::path::PathBuf;
use tokenizers::Tokenizer;

/// Large buffers are kept for the next operation instead of going back to the system.
#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

/// Continue a text with a local model
#[derive(Parser)]
struct Args {
    /// A Hugging Face model folder with its tokenizer.json
    #[arg(long)]
    model: PathBuf,
    /// The beginning of the text; empty begins with the model's first token
    #[arg(long, default_value = "")]
    prompt: String,
    /// Take the likeliest token each time instead of drawing
    #[arg(long)]
    greedy: bool,
    /// Most tokens of the whole text, the prompt's included (the model's first token is not counted)
    #[arg(long, default_value_t = 100)]
    max_tokens: usize,
    /// An adapter folder (PEFT) on top of the model
    #[arg(long)]
    adapter: Option<PathBuf>,
    /// What the base model's weights are kept in: f32, bf16, int8 or nf4
    #[arg(long, default_value = "f32")]
    precision: Precision,
    /// Divides the logits before drawing
    #[arg(long, default_value_t = 0.8)]
    temperature: f64,
    /// Draw among the likeliest tokens that make up this probability
    #[arg(long, default_value_t = 0.95)]
    top_p: f64,
    /// Draw among this many likeliest tokens
    #[arg(long)]
    top_k: Option<usize>,
    /// Same seed, same text
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let tokenizer_path = args.model.join("tokenizer.json");
    let tokenizer = Tokenizer::from_file(&tokenizer_path).map_err(|e| anyhow!("{}: {e}", tokenizer_path.display()))?;
    let mut model = Llama::load_in(&args.model, args.precision, &Device::Cpu)?;
    if let Some(adapter) = &args.adapter {
        model.load_adapter(adapter)?;
    }
    let mut ids = tokenizer.encode(args.prompt.as_str(), true).map_err(|e| anyhow!("{e}"))?.get_ids().to_vec();
    let first = model.config().bos_token_id;
    if let Some(first) = first.filter(|id| ids.first() != Some(id)) {
        ids.insert(0, first);
    }
    ensure!(!ids.is_empty(), "an empty prompt needs a model with a first token (bos_token_id)");
    let sampling = if args.greedy {
        Sampling::Greedy
    } else {
        Sampling::Sample { temperature: args.temperature, top_k: args.top_k, top_p: Some(args.top_p), seed: args.seed }
    };
    let begun = ids.len() - usize::from(first.is_some_and(|id| ids.first() == Some(&id)));
    let max_tokens = args.max_tokens.saturating_sub(begun);
    let stop = model.config().eos_token_ids.clone();
    ids.extend(lm::generate(&model, &ids, &GenerateOptions { max_tokens, stop, sampling })?);
    let text = tokenizer.decode(&ids, true).map_err(|e| anyhow!("{e}"))?;
    writeln!(std::io::stdout(), "{}", text.trim_start()).context("standard output")
}
