//! `eda run`: what is in the labelled texts, as one report.

use clap::{Parser, Subcommand};
use eda::{Config, Inputs};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is in the labelled texts: labels, lengths, sources, duplicates, languages, alerts
#[derive(Parser)]
#[command(name = "eda", version)]
struct Args {
    #[command(flatten)]
    common: cli::Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at all rows and write the report
    Run {
        /// Parquet file of examples; may be repeated, the first is the reference (train.parquet)
        #[arg(long, value_name = "FILE", required_unless_present = "print_config")]
        examples: Vec<PathBuf>,
        /// Parquet file of refused rows; may be repeated
        #[arg(long, value_name = "FILE")]
        rejected: Vec<PathBuf>,
        /// Folder to write
        #[arg(long, value_name = "DIR", default_value = "runs/default/eda")]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    let Args { common, command } = Args::parse();
    cli::run(&common, || {
        let Some(config) = common.load::<Config>()? else { return Ok(()) };
        let Command::Run { examples, rejected, out } = command;
        let progress = cli::progress();
        let options = common.run_options(progress.as_ref());
        let manifest = eda::run(&config, &Inputs { examples, rejected }, &out, &options)?;
        for (name, value) in &manifest.facts {
            cli::say(&format!("{name}: {value}"));
        }
        cli::say(&format!("{} rows: {}", manifest.rows_in, out.join("report.html").display()));
        Ok(())
    })
}
