//! `cargo run -p features -- --help`

use clap::{Parser, Subcommand};
use features::{FeaturesConfig, Inputs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Features of market data: one fold for files and streams
#[derive(Parser)]
#[command(name = "seafin-features", version)]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the features of a market folder; only partitions that changed are computed again
    Run {
        /// Folder with bars.parquet and, if any, news.parquet and observations.parquet (as `ingest market` writes it)
        #[arg(long, value_name = "DIR")]
        market: PathBuf,
        /// Folder to write
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Follow the event log of a stream (as `ingest follow` writes it) until its end; killed, it goes on where it was
    Follow {
        /// Folder with the segments bars-000001.parquet, … and, at the end, end.json
        #[arg(long, value_name = "DIR")]
        log: PathBuf,
        /// Folder to write
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Folder with news.parquet and observations.parquet, read as of each bar
        #[arg(long, value_name = "DIR")]
        market: Option<PathBuf>,
        /// Milliseconds between looks at the folder
        #[arg(long, default_value_t = 200)]
        poll_ms: u64,
        /// Give up after so many seconds without a new segment; 0: wait for ever
        #[arg(long, default_value_t = 0)]
        idle_seconds: u64,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let Some(config) = args.common.load::<FeaturesConfig>()? else { return Ok(()) };
        let progress = cli::progress();
        let options = args.common.run_options(progress.as_ref());
        let (manifest, out) = match &args.command {
            Command::Run { market, out } => (features::run(&config, &Inputs::of_folder(market), out, &options)?, out),
            Command::Follow { log, out, market, poll_ms, idle_seconds } => {
                let wait = (Duration::from_millis(*poll_ms), *idle_seconds);
                (features::follow(&config, log, market.as_deref(), out, wait, &options)?, out)
            }
        };
        cli::say(&format!("{}\n{}", out.display(), serde_json::to_string_pretty(&manifest.facts)?));
        Ok(())
    })
}
