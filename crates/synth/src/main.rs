//! `cargo run -p synth -- run --help`; also `verify` and `review`

use anyhow::{Context, bail};
use artifacts::rows::{Example, Sentiment};
use clap::{Parser, Subcommand};
use providers::{
    Budget, Budgeted, Cassette, CassetteMode, Endpoint, EndpointConfig, LocalModel, Prices, Provider, find_model,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use synth::{Config, RealRows, Rows, Writer};

/// Write synthetic labelled news with a model and keep what passes verification
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
        #[command(flatten)]
        source: Source,
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
    /// Put labelled texts that are there already through the ladder and say what becomes of each
    Verify {
        #[command(flatten)]
        source: Source,
        /// Real training rows
        #[arg(long)]
        train: PathBuf,
        /// Real evaluation rows
        #[arg(long)]
        eval: PathBuf,
        /// The texts: rows as `ingest` writes them
        #[arg(long)]
        rows: PathBuf,
        /// Where to write the verdicts (Parquet)
        #[arg(long)]
        out: PathBuf,
    },
    /// Read a review file that a person has filled in, and print the share of right labels with its 95 % interval
    Review {
        /// `review.csv`, with y or n in its column `correct`
        file: PathBuf,
    },
}

/// Who writes and judges
#[derive(clap::Args)]
struct Source {
    /// A model on this machine: a folder (Hugging Face form) or a Hub id such as org/name. With --endpoint, its name there
    #[arg(long)]
    model: Option<String>,
    /// A PEFT adapter folder upon it
    #[arg(long)]
    adapter: Option<PathBuf>,
    /// Ask a server that speaks the chat-completions protocol, such as `http://localhost:8000/v1`. Its key is read from the
    /// environment variable SEAFIN_API_KEY
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Keep every call in this Parquet file
    #[arg(long, value_name = "FILE")]
    cassette: Option<PathBuf>,
    /// What to do with it: `record` asks always, `replay` only for what is not on it, `strict` never
    #[arg(long, value_name = "MODE", default_value = "replay", value_parser = ["record", "replay", "strict"])]
    cassette_mode: String,
    /// Stop when so many tokens are used
    #[arg(long, value_name = "N")]
    max_total_tokens: Option<u64>,
    /// Stop when so much money is spent, by the two prices
    #[arg(long, value_name = "AMOUNT")]
    max_money: Option<f64>,
    /// Price of a million tokens of prompts
    #[arg(long, value_name = "AMOUNT", default_value_t = 0.0)]
    prompt_price: f64,
    /// Price of a million tokens of answers
    #[arg(long, value_name = "AMOUNT", default_value_t = 0.0)]
    answer_price: f64,
}

impl Source {
    /// Who writes, and what the answers depend on.
    fn open(&self, date: &str) -> anyhow::Result<Asked> {
        let strict = self.cassette.is_some() && self.cassette_mode == "strict";
        let Some(model) = &self.model else { bail!("give --model") };
        let mut writer = Writer::default();
        let mut name = model.clone();
        let inner: Option<Box<dyn Provider>> = if strict {
            None
        } else if let Some(url) = &self.endpoint {
            #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
            let api_key = std::env::var("SEAFIN_API_KEY").ok();
            writer.name = Some(format!("{model} at {url}"));
            Some(Box::new(Endpoint::new(EndpointConfig { api_key, ..EndpointConfig::new(url, model) })?))
        } else {
            #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
            let hub = hub::HubConfig::from_environment(|name| std::env::var(name).ok());
            let folder = find_model(model, &hub)?;
            let local = LocalModel::open(&folder, self.adapter.as_deref(), date)?;
            local.name().clone_into(&mut name);
            writer.files.push(folder);
            writer.files.extend(self.adapter.clone());
            Some(Box::new(local))
        };
        let prices = Prices { prompt_per_million: self.prompt_price, answer_per_million: self.answer_price };
        let budget = Budget { tokens: self.max_total_tokens, money: self.max_money, prices };
        let limited = budget.tokens.is_some() || budget.money.is_some();
        let inner = inner.map(|inner| if limited { Box::new(Budgeted::new(inner, budget)) } else { inner });
        let Some(path) = &self.cassette else {
            return Ok(Asked { provider: inner.context("nobody to ask")?, writer, cassette: None });
        };
        let mode = match self.cassette_mode.as_str() {
            "record" => CassetteMode::Record,
            "strict" => CassetteMode::Strict,
            _ => CassetteMode::Replay,
        };
        if strict && !path.is_file() {
            bail!("{}: there is no such cassette; record one first", path.display());
        }
        if strict {
            writer.files.push(path.clone());
        }
        let cassette = Arc::new(Cassette::open(path, last_part(&name), mode, inner)?);
        Ok(Asked { provider: Box::new(cassette.clone()), writer, cassette: Some(cassette) })
    }
}

/// A provider that is open.
struct Asked {
    provider: Box<dyn Provider>,
    writer: Writer,
    cassette: Option<Arc<Cassette>>,
}

impl Asked {
    /// Keeps what was asked so far, also where a run has failed on the way.
    fn save(cassette: Option<&Arc<Cassette>>) -> anyhow::Result<()> {
        if let Some(cassette) = cassette.filter(|cassette| cassette.asked() > 0) {
            let calls = cassette.save()?;
            cli::say(&format!("cassette: {calls} calls, {} of them new", cassette.asked()));
        }
        Ok(())
    }
}

/// A folder's or model's own name: a cassette must not depend on where a model lies.
fn last_part(name: &str) -> &str {
    Path::new(name).file_name().and_then(|n| n.to_str()).unwrap_or(name)
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || match &args.command {
        Command::Run { source, train, eval, out } => {
            let Some(config) = args.common.load::<Config>()? else { return Ok(()) };
            let (Some(train), Some(eval), Some(out)) = (train, eval, out) else {
                bail!("run needs --model, --train, --eval and --out");
            };
            let Asked { provider, writer, cassette } = source.open(&config.date)?;
            let progress = cli::progress();
            let options = args.common.run_options(progress.as_ref());
            let rows = Rows { train: train.clone(), eval: eval.clone() };
            let made = synth::run_with(&config, &rows, &writer, || Ok(provider), out, &options);
            Asked::save(cassette.as_ref())?;
            let manifest = made?;
            cli::say(&serde_json::to_string_pretty(&manifest.facts)?);
            cli::say(&format!("report: {}", out.join("report.html").display()));
            Ok(())
        }
        Command::Verify { source, train, eval, rows, out } => {
            let Some(config) = args.common.load::<Config>()? else { return Ok(()) };
            let Asked { provider, cassette, .. } = source.open(&config.date)?;
            let (train, eval) = (artifacts::read_all(train)?, artifacts::read_all(eval)?);
            let texts: Vec<(String, Sentiment)> =
                artifacts::read_all::<Example>(rows)?.into_iter().map(|row| (row.text, row.label)).collect();
            let real = RealRows { train: &train, eval: &eval };
            let found = synth::verify(&config, provider.as_ref(), real, &texts, args.common.seed());
            Asked::save(cassette.as_ref())?;
            let found = found?;
            artifacts::write_all(out, &found.candidates)?;
            for verdict in artifacts::rows::Verdict::ALL {
                let count = found.of(*verdict).count();
                if count > 0 {
                    cli::say(&format!("{verdict}: {count}"));
                }
            }
            Ok(())
        }
        Command::Review { file } => {
            let review = synth::read_review(file)?;
            let checked = format!("{} of {} rows checked", review.checked, review.rows);
            match review.interval {
                None => cli::say(&format!("{checked}; write y or n into the column `correct`")),
                Some((low, high)) => cli::say(&format!(
                    "{checked}: {} right, {:.1} % (95 % interval by Wilson: {:.1} to {:.1} %)",
                    review.correct,
                    100.0 * review.correct as f64 / review.checked as f64,
                    100.0 * low,
                    100.0 * high
                )),
            }
            Ok(())
        }
    })
}
