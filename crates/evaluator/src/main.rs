//! `cargo run -p evaluator -- run --help`

use anyhow::bail;
use clap::{Parser, Subcommand};
use evaluator::{Config, Inputs};
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare a model before and after tuning on the same evaluation rows
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
    /// Generate and score an answer for each row; write predictions, metrics and a report
    Run {
        /// The base model: a folder (Hugging Face form) or a Hub id such as org/name
        #[arg(long, required_unless_present = "print_config")]
        model: Option<String>,
        /// A PEFT adapter folder: the tuned model; without it only the base model is evaluated
        #[arg(long)]
        adapter: Option<PathBuf>,
        /// Rows as `formatter run` writes them (its eval.parquet)
        #[arg(long, required_unless_present = "print_config")]
        eval: Option<PathBuf>,
        /// Where to write
        #[arg(long, required_unless_present = "print_config")]
        out: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let Some(config) = args.common.load::<Config>()? else { return Ok(()) };
        let Command::Run { model: Some(model), adapter, eval: Some(eval), out: Some(out) } = args.command else {
            bail!("run needs --model, --eval and --out");
        };
        #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
        let hub = hub::HubConfig::from_environment(|name| std::env::var(name).ok());
        let inputs = Inputs { model: providers::find_model(&model, &hub)?, adapter, eval };
        let progress = cli::progress();
        let options = args.common.run_options(progress.as_ref());
        let manifest = evaluator::run(&config, &inputs, &out, &options)?;
        cli::say(&serde_json::to_string_pretty(&manifest.facts)?);
        cli::say(&format!("report: {}", out.join("report.html").display()));
        Ok(())
    })
}
