//! `cargo run -p trainer -- --help`

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use trainer::{Inputs, PretrainConfig, TrainConfig, parity, pretrain, sft};

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
    /// LoRA fine-tuning: writes adapter/, steps.parquet, loss.svg
    Train {
        /// The base model's folder (Hugging Face form)
        #[arg(long)]
        model: PathBuf,
        /// Rows written by `formatter` with this model's tokenizer
        #[arg(long)]
        rows: PathBuf,
        /// Where to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Train a tiny Llama and its tokenizer from text, one document per line
    Pretrain {
        /// The text
        #[arg(long)]
        text: PathBuf,
        /// Where to write the model
        #[arg(long)]
        out: PathBuf,
    },
    /// Repeat a training recorded with PEFT and print the largest differences; exit 1 beyond the tolerances
    Parity {
        /// The case's folder
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let progress = cli::progress();
        let options = args.common.run_options(progress.as_ref());
        match &args.command {
            Command::Train { model, rows, out } => {
                let Some(config) = args.common.load::<TrainConfig>()? else { return Ok(()) };
                let inputs = Inputs { model: model.clone(), rows: rows.clone() };
                let manifest = sft::run(&config, &inputs, out, &options)?;
                cli::say(&format!("{}\n{}", out.display(), serde_json::to_string_pretty(&manifest.facts)?));
            }
            Command::Pretrain { text, out } => {
                let Some(config) = args.common.load::<PretrainConfig>()? else { return Ok(()) };
                let manifest = pretrain::run(&config, text, out, &options)?;
                cli::say(&format!("{}\n{}", out.display(), serde_json::to_string_pretty(&manifest.facts)?));
            }
            Command::Parity { dir } => {
                let report = parity::parity(dir)?;
                cli::say(&report.to_string());
                anyhow::ensure!(report.passed(), "{}: beyond the tolerances", dir.display());
            }
        }
        Ok(())
    })
}
