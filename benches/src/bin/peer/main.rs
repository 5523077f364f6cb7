//! Our side of `benches/peer/run.sh`: the same checkpoint, rows and JSON fields as the scripts beside it.

mod data;
mod infer;
mod logits;
mod memory;
mod train;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measure seafin as benches/peer measures others; prints one JSON object
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// LoRA training steps
    Train(train::Train),
    /// Prefill and greedy decode at batch 1
    Infer(infer::Infer),
    /// Logits of rows with an adapter, to compare with PEFT's
    Logits(logits::Logits),
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&cli::Common { quiet: true, ..cli::Common::default() }, || {
        let report = match &args.command {
            Command::Train(train) => train.run()?,
            Command::Infer(infer) => infer.run()?,
            Command::Logits(logits) => logits.run()?,
        };
        cli::say(&report.to_string());
        Ok(())
    })
}
