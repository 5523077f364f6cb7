//! `cargo run -p synth -- run --help`

use anyhow::bail;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use synth::{Config, Inputs};

/// Write synthetic labelled news with the local model and keep what passes verification
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
    /// Generate candidates, verify them, write kept and refused ones and a report
    Run {
        /// The model that writes: a folder (Hugging Face form) or a Hub id such as org/name
        #[arg(long, required_unless_present = "print_config")]
        model: Option<String>,
        /// A PEFT adapter folder upon it
        #[arg(long)]
        adapter: Option<PathBuf>,
        /// Real training rows (`ingest sentiment` writes train.parquet)
        #[arg(long, required_unless_present = "print_config")]
        train: Option<PathBuf>,
        /// Real evaluation rows: nothing kept may resemble them
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
        let Command::Run { model: Some(model), adapter, train: Some(train), eval: Some(eval), out: Some(out) } =
            args.command
        else {
            bail!("run needs --model, --train, --eval and --out");
        };
        #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
        let hub = hub::HubConfig::from_environment(|name| std::env::var(name).ok());
        let inputs = Inputs { model: providers::find_model(&model, &hub)?, adapter, train, eval };
        let progress = cli::progress();
        let options = args.common.run_options(progress.as_ref());
        let manifest = synth::run(&config, &inputs, &out, &options)?;
        cli::say(&serde_json::to_string_pretty(&manifest.facts)?);
        cli::say(&format!("report: {}", out.join("report.html").display()));
        Ok(())
    })
}
