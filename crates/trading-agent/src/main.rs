//! `cargo run -p trading-agent -- run --help`

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use providers::{CassetteMode, Endpoint, EndpointConfig, LocalModel, Provider};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use trading_agent::{AgentConfig, Inputs, Services};

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
    /// Read bars, news and observations; write decisions.parquet (and, with `--set strategy=agents`, how each came about)
    Run {
        #[command(flatten)]
        source: Box<Source>,
        /// Where to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Say what the agents of such a run may take, and ask nobody
    Estimate {
        #[command(flatten)]
        source: Box<Source>,
    },
}

/// What is read and who is asked
#[derive(clap::Args)]
struct Source {
    /// Folder with bars.parquet, news.parquet, observations.parquet (as `ingest market` writes it)
    #[arg(long)]
    market: PathBuf,
    /// Further numbers: the features.parquet of the features stage
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
    /// The folder of the model that reads the news (Hugging Face form); with `agents.reasoner=local` it reasons, too
    #[arg(long)]
    model: PathBuf,
    /// A PEFT adapter folder; without it the base model reads the news
    #[arg(long)]
    adapter: Option<PathBuf>,
    /// Another model that reasons, for `agents.reasoner=local`
    #[arg(long, value_name = "DIR")]
    reasoner_model: Option<PathBuf>,
    /// A server that speaks the chat-completions protocol, for `agents.reasoner=endpoint`, such as `http://localhost:8000/v1`. Its key
    /// is read from the environment variable SEAFIN_API_KEY
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The model's name there
    #[arg(long, value_name = "NAME")]
    endpoint_model: Option<String>,
    /// A model of the sentence-transformers kind that finds similar past cases; without it hashed n-grams do
    #[arg(long, value_name = "DIR")]
    embedder: Option<PathBuf>,
    /// Keep every model call in this folder
    #[arg(long, value_name = "DIR")]
    cassette: Option<PathBuf>,
    /// What to do with it: `record` asks always, `replay` only for what is not on it, `strict` never
    #[arg(long, value_name = "MODE", default_value = "replay", value_parser = ["record", "replay", "strict"])]
    cassette_mode: String,
    /// The date that the model's chat template prints
    #[arg(long, default_value = "26 Jul 2024")]
    date: String,
}

type Opened = Result<Box<dyn Provider>, providers::Error>;

impl Source {
    fn inputs(&self) -> Inputs {
        let models = std::iter::once(&self.model).chain(&self.adapter).chain(&self.reasoner_model);
        Inputs {
            features: self.features.clone(),
            model_files: models.cloned().collect(),
            embedder: self.embedder.clone(),
            ..Inputs::of(&self.market)
        }
    }

    fn services(&self) -> anyhow::Result<Services<'_>> {
        let own: Vec<PathBuf> = std::iter::once(&self.model).chain(&self.adapter).cloned().collect();
        let open = || -> Opened { Ok(Box::new(LocalModel::open(&self.model, self.adapter.as_deref(), &self.date)?)) };
        let mut services = Services::new(&own, open);
        if let Some(url) = &self.endpoint {
            let name = self.endpoint_model.clone().context("--endpoint needs --endpoint-model")?;
            #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
            let api_key = std::env::var("SEAFIN_API_KEY").ok();
            let config = EndpointConfig { api_key, ..EndpointConfig::new(url, &name) };
            services.reasoner =
                Some((name, Box::new(move || Ok(Box::new(Endpoint::new(config)?) as Box<dyn Provider>))));
        } else if let Some(folder) = &self.reasoner_model {
            let name = last_part(folder).context("--reasoner-model needs a folder with a name")?;
            let open = || -> Opened { Ok(Box::new(LocalModel::open(folder, None, &self.date)?)) };
            services.reasoner = Some((name, Box::new(open)));
        }
        if let Some(folder) = &self.cassette {
            let mode = match self.cassette_mode.as_str() {
                "record" => CassetteMode::Record,
                "strict" => CassetteMode::Strict,
                _ => CassetteMode::Replay,
            };
            services = services.taped(folder, mode);
        }
        Ok(services)
    }
}

fn last_part(folder: &Path) -> Option<String> {
    folder.file_name().map(|name| name.to_string_lossy().into_owned())
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || {
        let Some(config) = args.common.load::<AgentConfig>()? else { return Ok(()) };
        match &args.command {
            Command::Run { source, out } => {
                if source.endpoint.is_some() && source.reasoner_model.is_some() {
                    bail!("give --endpoint or --reasoner-model, not both");
                }
                let progress = cli::progress();
                let options = args.common.run_options(progress.as_ref());
                let manifest = trading_agent::run_with(&config, &source.inputs(), source.services()?, out, &options)?;
                cli::say(&format!("{}\n{}", out.display(), serde_json::to_string_pretty(&manifest.facts)?));
            }
            Command::Estimate { source } => {
                let services = source.services()?;
                let reasoner = services.reasoner.as_ref().map_or(&services.sentiment_name, |(name, _)| name);
                let plan = trading_agent::estimate(&config, &source.inputs(), reasoner, &services.sentiment_name)?;
                cli::say(&serde_json::to_string_pretty(&plan)?);
            }
        }
        Ok(())
    })
}
