//! Questions a second, next to what a program that answers one prompt at a time would compute.
//!
//! `cargo run -p evaluator --example speed -- --model DIR --eval eval.parquet`; `--write FILE` keeps the prompts and labels as tokens
//! for `benches/peer/evaluate.py`, which puts the same ones to transformers.

use anyhow::Context;
use artifacts::read_all;
use artifacts::rows::{Formatted, Sentiment};
use artifacts::runtime::{Stopwatch, peak_memory_bytes};
use candle_core::Device;
use chat::{ChatTokenizer, Message};
use clap::Parser;
use lm::{AnswerOptions, Llama, Precision, Question};
use serde_json::json;
use std::path::PathBuf;

/// Large buffers are kept for the next operation instead of going back to the system.
#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

#[derive(Parser)]
struct Args {
    /// The model's folder, with its tokenizer
    #[arg(long)]
    model: PathBuf,
    /// Rows as `formatter run` writes them
    #[arg(long)]
    eval: PathBuf,
    /// What the weights are kept in
    #[arg(long, default_value_t = Precision::Bf16)]
    precision: Precision,
    /// At most so many rows; 0: all
    #[arg(long, default_value_t = 0)]
    rows: usize,
    /// Tokens to write for each row beside scoring its labels; 0: only score
    #[arg(long, default_value_t = 0)]
    max_new_tokens: usize,
    /// About so many tokens at once
    #[arg(long, default_value_t = 2048)]
    tokens_at_once: usize,
    /// Answered rows that stand before every question, as in a few-shot prompt; they are not asked
    #[arg(long, default_value_t = 0)]
    shots: usize,
    /// Write prompts and labels as tokens, and stop
    #[arg(long)]
    write: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut rows: Vec<Formatted> = read_all(&args.eval)?;
    // Evenly spread, so that every language is there.
    if let Some(step) = rows.len().checked_div(args.rows) {
        let step = step.max(1);
        rows = rows.into_iter().step_by(step).take(args.rows).collect();
    }
    let tokenizer = ChatTokenizer::load(&args.model, "26 Jul 2024")?;
    let labels = labels(&tokenizer, rows.first().context("no rows")?)?;
    let shots = rows.drain(..args.shots.min(rows.len())).map(|row| Ok(serde_json::from_str(&row.messages)?));
    let shots: Vec<Message> = shots.collect::<anyhow::Result<Vec<Vec<Message>>>>()?.concat();
    let prompt = |row: &Formatted| {
        let mut messages = shots.clone();
        messages.extend(serde_json::from_str::<Vec<Message>>(&row.messages)?);
        messages.pop();
        Ok(tokenizer.prompt(&messages)?)
    };
    let prompts: Vec<Vec<u32>> = rows.iter().map(prompt).collect::<anyhow::Result<_>>()?;
    if let Some(path) = &args.write {
        let file = json!({ "prompts": prompts, "labels": labels, "ends": tokenizer.end_ids() });
        artifacts::write_bytes(path, file.to_string().as_bytes())?;
        return Ok(());
    }
    let model = Llama::load_in(&args.model, args.precision, &Device::Cpu)?;
    let questions: Vec<Question<'_>> =
        prompts.iter().map(|prompt| Question { prompt, continuations: &labels }).collect();
    let options = AnswerOptions {
        max_tokens: args.max_new_tokens,
        stop: tokenizer.end_ids().to_vec(),
        tokens_at_once: args.tokens_at_once,
    };
    let clock = Stopwatch::start();
    let found = lm::answer(&model, &questions, &options, &mut |_| ())?;
    let seconds = clock.seconds();
    let counts = Sentiment::ALL.iter().enumerate().map(|(k, label)| {
        let best = |a: &&lm::Answer| a.scores.get(k).is_some_and(|s| a.scores.iter().all(|other| other <= s));
        (label.to_string(), json!(found.answers.iter().filter(best).count()))
    });
    let written: usize = found.answers.iter().map(|a| a.tokens.len()).sum();
    cli::say(
        &json!({
            "side": "seafin",
            "precision": args.precision,
            "mode": if args.max_new_tokens == 0 { "labels scored" } else { "labels scored and answer written" },
            "shots": args.shots,
            "rows": rows.len(),
            "seconds": seconds,
            "rows_per_second": rows.len() as f64 / seconds,
            "prompt_tokens": prompts.iter().map(Vec::len).sum::<usize>(),
            "tokens_computed": found.tokens_computed,
            "tokens_written": written,
            "likeliest": counts.collect::<serde_json::Map<_, _>>(),
            "first_scores": found.answers.first().map(|a| a.scores.clone()),
            "peak_gib": peak_memory_bytes().map(|b| b as f64 / f64::from(1 << 30)),
        })
        .to_string(),
    );
    Ok(())
}

/// The tokens of each label and its end, as the model's template writes them.
fn labels(tokenizer: &ChatTokenizer, row: &Formatted) -> anyhow::Result<Vec<Vec<u32>>> {
    let mut messages: Vec<Message> = serde_json::from_str(&row.messages)?;
    messages.pop();
    let label = |label: &Sentiment| {
        let mut messages = messages.clone();
        messages.push(Message::assistant(label.as_str()));
        let whole = tokenizer.doctor(&messages, usize::MAX)?;
        let learned = whole.ids.iter().zip(&whole.mask).filter(|(_, learned)| **learned);
        Ok(learned.map(|(id, _)| *id).collect())
    };
    Sentiment::ALL.iter().map(label).collect()
}
