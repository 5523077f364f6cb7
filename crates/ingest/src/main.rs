//! Brings foreign data in: `ingest --source FILE`, `ingest sentiment`, `ingest tasks`, `ingest market` and `ingest follow`.

mod stream_args;

use anyhow::{Context, bail};
use artifacts::Manifest;
use artifacts::rows::{Language, TaskKind};
use clap::{Parser, Subcommand};
use ingest::sentiment::Mapping;
use ingest::{MarketConfig, Options, SentimentConfig, TaskConfig, market, sentiment, tasks};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Reads labelled sentences, prices and news from files or the Hub into typed Parquet; refused rows keep their reason.
///
/// Any table with a text and a label: `ingest --source FILE --map text=COLUMN,label=COLUMN --labels 0=negative,1=positive`.
#[derive(Parser)]
#[command(name = "seafin-ingest", version)]
struct Args {
    #[command(flatten)]
    table: Table,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: cli::Common,
}

/// One table of labelled sentences, described by flags.
#[derive(clap::Args)]
struct Table {
    /// A CSV, TSV, JSON, JSON lines or Parquet file, a folder of them, or hf://datasets/ORG/NAME
    #[arg(long, value_name = "FILE")]
    source: Option<String>,
    /// Which column is what: text=COLUMN,label=COLUMN[,instruction=COLUMN]
    #[arg(long, value_name = "ROLE=COLUMN,…")]
    map: Vec<String>,
    /// What its labels mean: 0=negative,1=positive,2=neutral
    #[arg(long, value_name = "LABEL=MEANING,…")]
    labels: Vec<String>,
    /// The same as TOML: text, label, labels, source, name, language, encoding; flags go before it
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// en or vi [default: that of most texts]
    #[arg(long)]
    language: Option<Language>,
    /// Folder to write
    #[arg(long = "out", id = "table-out", value_name = "DIR", default_value = "runs/default/ingest")]
    out: PathBuf,
    /// Training rows [default: all that can be used]
    #[arg(long = "train-rows", id = "table-train-rows", value_name = "N")]
    train_rows: Option<u64>,
    /// Evaluation rows [default: a tenth, 250 at most]
    #[arg(long = "eval-rows", id = "table-eval-rows", value_name = "N")]
    eval_rows: Option<u64>,
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
    /// Exercises of any task from any table: extraction, question answering, summarisation
    Tasks {
        /// A CSV, TSV, JSON, JSON lines or Parquet file, a folder of them, or hf://datasets/ORG/NAME
        #[arg(long, value_name = "FILE")]
        source: Option<String>,
        /// classification, extraction, question-answering or summarisation
        #[arg(long)]
        task: Option<TaskKind>,
        /// Which column is what: input=COLUMN,answer=COLUMN[,question=COLUMN]
        #[arg(long, value_name = "ROLE=COLUMN,…")]
        map: Vec<String>,
        /// en or vi [default: that of most inputs]
        #[arg(long)]
        language: Option<Language>,
        /// Folder to write
        #[arg(long, value_name = "DIR", default_value = "runs/default/ingest-tasks")]
        out: PathBuf,
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
    /// Follow an exchange's WebSocket into an append-only log of finished bars; killed, it goes on with the next call
    Follow(stream_args::FollowArgs),
    /// An exchange on this machine that replays bars over WebSocket and REST, with faults if asked for
    ServeReplay(stream_args::ReplayArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let progress = cli::progress();
        #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
        let hub = hub::HubConfig::from_environment(|name| std::env::var(name).ok());
        let options = Options { seed: args.common.seed(), force: args.common.force, progress: progress.as_ref(), hub };
        let here = Path::new("");
        match &args.command {
            None => {
                let Some(config) = args.table.config(&args.common)? else { return Ok(()) };
                report(&sentiment::run(&config, here, &args.table.out, &options)?, &args.table.out);
            }
            Some(_) if args.table.source.is_some() => {
                bail!("--source before a subcommand; give it alone for a table of labelled sentences, or after `tasks`")
            }
            Some(Command::Sentiment { data, out, train_rows, eval_rows }) => {
                let mut common = args.common.clone();
                common.set.extend(train_rows.map(|n| format!("train_rows={n}")));
                common.set.extend(eval_rows.map(|n| format!("eval_rows={n}")));
                let Some(config) = common.load::<SentimentConfig>()? else { return Ok(()) };
                report(&sentiment::run(&config, data, out, &options)?, out);
            }
            Some(Command::Tasks { source, task, map, language, out }) => {
                let Some(mut config) = args.common.load::<TaskConfig>()? else { return Ok(()) };
                config.source = source.clone().unwrap_or(config.source);
                config.task = task.unwrap_or(config.task);
                config.language = language.or(config.language);
                map.iter().try_for_each(|columns| config.set_columns(columns))?;
                report(&tasks::run(&config, here, out, &options)?, out);
            }
            Some(Command::Market { data, out }) => {
                let Some(config) = args.common.load::<MarketConfig>()? else { return Ok(()) };
                report(&market::run(&config, data, out, &options)?, out);
            }
            Some(Command::Follow(follow)) => follow.run(&args.common)?,
            Some(Command::ServeReplay(replay)) => replay.run(&args.common)?,
        }
        Ok(())
    })
}

impl Table {
    /// The settings of a run on this table alone. Nothing if `--print-config` asked only to see them: what it prints is a
    /// settings file for `ingest sentiment --config`.
    fn config(&self, common: &cli::Common) -> anyhow::Result<Option<SentimentConfig>> {
        if self.source.is_none() && self.mapping.is_none() {
            bail!(
                "nothing to read: give --source FILE, --mapping FILE, or one of sentiment, tasks, market (see --help)"
            );
        }
        let mut mapping = self.mapping.as_deref().map(Mapping::read).transpose()?.unwrap_or_default();
        mapping.source = self.source.clone().or(mapping.source);
        mapping.language = self.language.or(mapping.language);
        self.map.iter().try_for_each(|columns| mapping.add_columns(columns))?;
        self.labels.iter().try_for_each(|labels| mapping.add_labels(labels))?;
        let config = SentimentConfig {
            train_rows: self.train_rows.unwrap_or(0),
            eval_rows: self.eval_rows.unwrap_or(0),
            sources: vec![mapping.source(Path::new(""))?],
            ..SentimentConfig::default()
        };
        let mut layers = Vec::new();
        if let Some(file) = &common.config {
            let content = std::fs::read_to_string(file).with_context(|| format!("{}: cannot read", file.display()))?;
            layers.push(toml::from_str(&content).with_context(|| format!("{}: not TOML", file.display()))?);
        }
        let config = cli::resolve(&config, &layers, &common.set)?;
        if common.print_config {
            cli::say(toml::to_string(&config)?.trim_end());
            return Ok(None);
        }
        Ok(Some(config))
    }
}

fn report(manifest: &Manifest, out: &Path) {
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
