//! `cargo run -p trainer -- --help`

mod args;

use clap::{Parser, Subcommand};
use lm::{Savings, StepOptions};
use std::path::PathBuf;
use std::process::ExitCode;
use trainer::{PretrainConfig, parity, pretrain, random_model, sft};

/// Large buffers are kept for the next operation instead of going back to the system.
#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

/// Fine-tune a Llama-family model with LoRA, pretrain a tiny one, or compare with PEFT
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fine-tuning: writes adapter/ (or model/), steps.parquet, loss.svg, preflight.txt
    Train(args::Train),
    /// Train a tiny Llama and its tokenizer from text
    Pretrain {
        /// A text file with one document per line, or a Parquet file that `ingest` wrote; may be repeated
        #[arg(long, required = true)]
        text: Vec<PathBuf>,
        /// Where to write the model
        #[arg(long)]
        out: PathBuf,
    },
    /// Fold an adapter into its base model: a whole model folder, and how far its logits are from the unmerged ones
    Merge(args::Merge),
    /// Write a model folder as one GGUF file, for llama.cpp (merge an adapter first)
    ExportGguf(args::ExportGguf),
    /// Put a trained adapter on the Hub, with a model card written from its manifest
    Push(args::Push),
    /// Write a checkpoint with random weights and the shape of a public model, to measure with
    RandomModel {
        /// Whose shape
        #[arg(long, default_value = "llama-3.2-1b", value_parser = trainer::shapes::SHAPES)]
        shape: String,
        /// Where to write the model
        #[arg(long)]
        out: PathBuf,
        /// How its weights are stored
        #[arg(long, default_value = "bf16", value_parser = ["f32", "bf16"])]
        dtype: String,
    },
    /// Repeat a training recorded with PEFT and print the largest differences; exit 1 beyond the tolerances
    Parity {
        /// The case's folder
        dir: PathBuf,
        /// How each update is computed: all, none, or some of logits,packing,prefix,last-block
        #[arg(long, default_value = "all")]
        savings: Savings,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let progress = cli::progress();
        let options = args.common.run_options(progress.as_ref());
        match &args.command {
            Command::Train(train) => {
                let Some(config) = train.config(&args.common)? else { return Ok(()) };
                let manifest = sft::run(&config, &train.inputs(), &train.out, &options)?;
                cli::say(&format!("{}\n{}", train.out.display(), serde_json::to_string_pretty(&manifest.facts)?));
            }
            Command::Pretrain { text, out } => {
                let Some(config) = args.common.load::<PretrainConfig>()? else { return Ok(()) };
                let manifest = pretrain::run(&config, text, out, &options)?;
                cli::say(&format!("{}\n{}", out.display(), serde_json::to_string_pretty(&manifest.facts)?));
            }
            Command::Merge(merge) => cli::say(&merge.run(args.common.seed())?),
            Command::ExportGguf(export) => cli::say(&export.run()?),
            Command::Push(push) => cli::say(&push.run()?),
            Command::RandomModel { shape, out, dtype } => {
                let bytes = random_model::run(shape, dtype.parse()?, out, args.common.seed(), progress.as_ref())?;
                cli::say(&format!("{}: {:.2} GB of weights", out.display(), bytes as f64 / 1e9));
            }
            Command::Parity { dir, savings } => {
                let step = StepOptions { savings: *savings, ..StepOptions::default() };
                let report = parity::parity(dir, &step)?;
                cli::say(&report.to_string());
                anyhow::ensure!(report.passed(), "{}: beyond the tolerances", dir.display());
            }
        }
        Ok(())
    })
}
