//! `eda run` and `eda profile`: what is in labelled texts, as one report.

use clap::{Parser, Subcommand};
use eda::{Columns, Config, Inputs, Tables};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is in labelled texts: alerts, labels, lengths, tokens, duplicates, words, label errors, one side against another
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
    /// Look at rows that ingest or synth wrote
    Run {
        /// Parquet file of examples; may be repeated, the first is the reference (train.parquet)
        #[arg(long, value_name = "FILE", required_unless_present = "print_config")]
        examples: Vec<PathBuf>,
        /// Parquet file of refused rows; may be repeated
        #[arg(long, value_name = "FILE")]
        rejected: Vec<PathBuf>,
        /// Folder of the model's tokenizer: count its tokens too
        #[arg(long, value_name = "DIR")]
        tokenizer: Option<PathBuf>,
        /// Folder to write
        #[arg(long, value_name = "DIR", default_value = "runs/default/eda")]
        out: PathBuf,
    },
    /// Look at any table as it comes: Parquet, CSV, TSV, JSON lines
    Profile {
        /// The table, with a name for its split if it has one; may be repeated, the first is the reference
        #[arg(long, value_name = "[NAME=]FILE", required_unless_present = "print_config")]
        source: Vec<String>,
        /// Which column means what: text=COLUMN,label=COLUMN, and source=COLUMN and language=COLUMN where there are such columns
        #[arg(long, value_name = "ROLE=COLUMN,…", default_value = "")]
        map: String,
        /// What the labels mean: 0=negative,1=neutral,2=positive
        #[arg(long, value_name = "CODE=LABEL,…", default_value = "")]
        labels: String,
        /// Language of all rows, where no column tells: en or vi
        #[arg(long, value_name = "LANGUAGE")]
        language: Option<String>,
        /// Folder of the model's tokenizer: count its tokens too
        #[arg(long, value_name = "DIR")]
        tokenizer: Option<PathBuf>,
        /// Folder to write
        #[arg(long, value_name = "DIR", default_value = "runs/default/eda-profile")]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    let Args { common, command } = Args::parse();
    cli::run(&common, || {
        let Some(config) = common.load::<Config>()? else { return Ok(()) };
        let progress = cli::progress();
        let options = common.run_options(progress.as_ref());
        let (manifest, out) = match command {
            Command::Run { examples, rejected, tokenizer, out } => {
                let inputs = Inputs { examples, rejected };
                (eda::run_with_tokenizer(&config, &inputs, tokenizer.as_deref(), &out, &options)?, out)
            }
            Command::Profile { source, map, labels, language, tokenizer, out } => {
                let mut columns = Columns::parse(&map, &labels)?;
                columns.all_in = language.map(|l| l.parse()).transpose()?;
                let tables = Tables { files: source.iter().map(|s| named(s)).collect(), columns };
                (eda::profile(&config, &tables, tokenizer.as_deref(), &out, &options)?, out)
            }
        };
        for (name, value) in &manifest.facts {
            cli::say(&format!("{name}: {value}"));
        }
        say_alerts(&out)?;
        cli::say(&format!("{} rows: {}", manifest.rows_in, out.join("report.html").display()));
        Ok(())
    })
}

/// `NAME=FILE`, or a file whose name without ending is the name.
fn named(source: &str) -> (String, PathBuf) {
    match source.split_once('=') {
        Some((name, file)) if !name.contains(['/', '\\']) && !Path::new(source).exists() => {
            (name.to_owned(), file.into())
        }
        _ => (eda::stem(source.as_ref()), source.into()),
    }
}

fn say_alerts(out: &Path) -> anyhow::Result<()> {
    let alerts = artifacts::read_all::<artifacts::rows::DataAlert>(&out.join("alerts.parquet"))?;
    for a in alerts {
        cli::say(&format!("{:<8} {:<22} {} {}: {}", a.level, a.kind, a.subject, a.slice, a.message));
    }
    Ok(())
}
