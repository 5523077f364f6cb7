//! Brings foreign data in: `ingest sentiment` and `ingest market`.

use artifacts::Manifest;
use clap::{Parser, Subcommand};
use ingest::{MarketConfig, Options, SentimentConfig, market, sentiment};
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads labelled sentences, prices and news from files or the Hub into typed Parquet; refused rows keep their reason.
#[derive(Parser)]
#[command(name = "seafin-ingest", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: cli::Common,
}

#[derive(Subcommand)]
enum Command {
    /// Labelled sentences: clean, deduplicate, split and select exactly as many rows as asked for
    Sentiment {
        /// Folder that the sources' paths start from
        #[arg(long, value_name = "DIR", default_value = ".")]
        data: PathBuf,
        /// Folder to write
        #[arg(long, value_name = "DIR", default_value = "runs/default/ingest")]
        out: PathBuf,
        /// Training rows of each language (overrides the settings)
        #[arg(long, value_name = "N")]
        train_rows: Option<u64>,
        /// Evaluation rows of each language (overrides the settings)
        #[arg(long, value_name = "N")]
        eval_rows: Option<u64>,
    },
    /// Bars, news and observations, each row with the time it could be known
    Market {
        /// Folder that the sources' paths start from
        #[arg(long, value_name = "DIR", default_value = ".")]
        data: PathBuf,
        /// Folder to write
        #[arg(long, value_name = "DIR", default_value = "runs/default/market")]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let progress = cli::progress();
        #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
        let hub = hub::HubConfig::from_environment(|name| std::env::var(name).ok());
        let options = Options { seed: args.common.seed(), force: args.common.force, progress: progress.as_ref(), hub };
        match &args.command {
            Command::Sentiment { data, out, train_rows, eval_rows } => {
                let mut common = args.common.clone();
                common.set.extend(train_rows.map(|n| format!("train_rows={n}")));
                common.set.extend(eval_rows.map(|n| format!("eval_rows={n}")));
                let Some(config) = common.load::<SentimentConfig>()? else { return Ok(()) };
                report(&sentiment::run(&config, data, out, &options)?, out);
            }
            Command::Market { data, out } => {
                let Some(config) = args.common.load::<MarketConfig>()? else { return Ok(()) };
                report(&market::run(&config, data, out, &options)?, out);
            }
        }
        Ok(())
    })
}

fn report(manifest: &Manifest, out: &std::path::Path) {
    cli::say(&format!("{} rows read, {} kept", manifest.rows_in, manifest.rows_kept));
    for (reason, rows) in &manifest.rows_rejected {
        cli::say(&format!("  refused {rows:>7}  {reason}"));
    }
    for (name, value) in &manifest.facts {
        cli::say(&format!("  {name} = {value}"));
    }
    for output in &manifest.outputs {
        let rows = output.rows.as_ref().map(|r| format!("{:>8} rows  ", r.count)).unwrap_or_default();
        cli::say(&format!("{rows}{}", out.join(&output.path).display()));
    }
}
