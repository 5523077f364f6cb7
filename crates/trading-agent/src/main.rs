//! `cargo run -p trading-agent -- run --help`

use clap::{Parser, Subcommand};
use providers::{LocalModel, Provider};
use std::path::PathBuf;
use std::process::ExitCode;
use trading_agent::{AgentConfig, Inputs};

/// Decide a position in [-1, 1] for each bar from news and numbers, without looking ahead
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
    /// Read bars, news and observations; write decisions.parquet
    Run {
        /// Folder with bars.parquet, news.parquet, observations.parquet (as `ingest market` writes it)
        #[arg(long)]
        market: PathBuf,
        /// The model's folder (Hugging Face form)
        #[arg(long)]
        model: PathBuf,
        /// A PEFT adapter folder; without it the base model reads the news
        #[arg(long)]
        adapter: Option<PathBuf>,
        /// The date that the model's chat template prints
        #[arg(long, default_value = "26 Jul 2024")]
        date: String,
        /// Where to write
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let Some(config) = args.common.load::<AgentConfig>()? else { return Ok(()) };
        let Command::Run { market, model, adapter, date, out } = &args.command;
        let inputs = Inputs {
            bars: market.join("bars.parquet"),
            news: market.join("news.parquet"),
            observations: market.join("observations.parquet"),
            model_files: std::iter::once(model.clone()).chain(adapter.clone()).collect(),
        };
        let open = || Ok(Box::new(LocalModel::open(model, adapter.as_deref(), date)?) as Box<dyn Provider>);
        let progress = cli::progress();
        let options = args.common.run_options(progress.as_ref());
        let manifest = trading_agent::run(&config, &inputs, open, out, &options)?;
        cli::say(&format!("{}\n{}", out.display(), serde_json::to_string_pretty(&manifest.facts)?));
        Ok(())
    })
}
