//! `cargo run -p evaluator -- run --help`

use anyhow::bail;
use artifacts::Manifest;
use clap::{Parser, Subcommand};
use evaluator::generative::{self, GenerativeConfig, GenerativeInputs};
use evaluator::reasoning::leakage::{self, LeakageConfig, LeakageInputs};
use evaluator::reasoning::{self, ReasoningConfig, ReasoningInputs};
use evaluator::{Config, Inputs};
use providers::{LocalModel, Provider};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Large buffers are kept for the next operation instead of going back to the system.
#[global_allocator]
static ALLOCATOR: kernels::RecyclingAllocator = kernels::RecyclingAllocator;

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
        /// Held-out rows of the same kind, to fit the temperature on
        #[arg(long)]
        dev: Option<PathBuf>,
        /// Evaluation rows as `ingest` writes them (eval.parquet): texts and sources; may be repeated
        #[arg(long)]
        examples: Vec<PathBuf>,
        /// Training rows as `ingest` and `synth` write them: for the classifier and the leakage report; may be repeated
        #[arg(long)]
        train: Vec<PathBuf>,
        /// Where to write
        #[arg(long, required_unless_present = "print_config")]
        out: Option<PathBuf>,
    },
    /// Let the model write free answers (extraction, question answering, summarisation) and hold them against their references
    Generative {
        /// The base model: a folder or a Hub id
        #[arg(long, required_unless_present = "print_config")]
        model: Option<String>,
        /// A PEFT adapter folder: the tuned model
        #[arg(long)]
        adapter: Option<PathBuf>,
        /// Rows as `formatter run` writes them for tasks with free answers
        #[arg(long, required_unless_present = "print_config")]
        eval: Option<PathBuf>,
        /// A model that grades every answer: a folder or a Hub id
        #[arg(long)]
        judge: Option<String>,
        /// Where to write
        #[arg(long, required_unless_present = "print_config")]
        out: Option<PathBuf>,
    },
    /// How trading agents reason: grounding of claims, contradictions, calibration, consistency, information of the positions
    Reasoning {
        /// The folder of a trading agent: decisions.parquet and, where agents reasoned, opinions, facts, checked claims, traces
        #[arg(long, required_unless_present = "print_config")]
        agent: Option<PathBuf>,
        /// The market it decided on (bars.parquet)
        #[arg(long, required_unless_present = "print_config")]
        market: Option<PathBuf>,
        /// The same agent with another seed; may be repeated
        #[arg(long)]
        other: Vec<PathBuf>,
        /// Where to write
        #[arg(long, required_unless_present = "print_config")]
        out: Option<PathBuf>,
    },
    /// What the model behind decisions may have remembered: knowledge cut-off, memory probe, decisions on twins of the market
    Leakage {
        /// The folder of a trading agent (decisions.parquet)
        #[arg(long, required_unless_present = "print_config")]
        agent: Option<PathBuf>,
        /// The market it decided on (bars.parquet)
        #[arg(long, required_unless_present = "print_config")]
        market: Option<PathBuf>,
        /// Decisions on a twin, as NAME=DIR; names: anonymised, date-shifted, flipped-news, inverted, placebo; may be repeated
        #[arg(long, value_name = "NAME=DIR", value_parser = twin)]
        twin: Vec<(String, PathBuf)>,
        /// The model to ask for prices without context: a folder or a Hub id
        #[arg(long)]
        model: Option<String>,
        /// Knowledge cut-offs of model families (TOML); without it those that come with the program
        #[arg(long)]
        registry: Option<PathBuf>,
        /// Where to write
        #[arg(long, required_unless_present = "print_config")]
        out: Option<PathBuf>,
    },
}

fn twin(text: &str) -> Result<(String, PathBuf), String> {
    let (name, folder) =
        text.split_once('=').ok_or("give NAME=DIR, such as anonymised=runs/anonymised/trading-agent")?;
    Ok((name.to_owned(), folder.into()))
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || match args.command {
        Command::Run { model, adapter, eval, dev, examples, train, out } => {
            let Some(config) = args.common.load::<Config>()? else { return Ok(()) };
            let (Some(model), Some(eval), Some(out)) = (model, eval, out) else {
                bail!("run needs --model, --eval and --out");
            };
            let inputs = Inputs { model: find(&model)?, adapter, eval, dev, examples, train };
            let progress = cli::progress();
            said(&evaluator::run(&config, &inputs, &out, &args.common.run_options(progress.as_ref()))?, &out)
        }
        Command::Generative { model, adapter, eval, judge, out } => {
            let Some(config) = args.common.load::<GenerativeConfig>()? else { return Ok(()) };
            let (Some(model), Some(rows), Some(out)) = (model, eval, out) else {
                bail!("generative needs --model, --eval and --out");
            };
            let inputs = GenerativeInputs { model: find(&model)?, adapter, rows };
            let judge =
                judge.map(|judge| LocalModel::open(&find(&judge)?, None, &config.date).map_err(anyhow::Error::from));
            let judge = judge.transpose()?;
            let judge = judge.as_ref().map(|judge| judge as &dyn Provider);
            let progress = cli::progress();
            let options = args.common.run_options(progress.as_ref());
            said(&generative::run(&config, &inputs, judge, &out, &options)?, &out)
        }
        Command::Reasoning { agent, market, other, out } => {
            let Some(config) = args.common.load::<ReasoningConfig>()? else { return Ok(()) };
            let (Some(agent), Some(market), Some(out)) = (agent, market, out) else {
                bail!("reasoning needs --agent, --market and --out");
            };
            let inputs = ReasoningInputs { agent, market, others: other };
            let progress = cli::progress();
            said(&reasoning::run(&config, &inputs, &out, &args.common.run_options(progress.as_ref()))?, &out)
        }
        Command::Leakage { agent, market, twin, model, registry, out } => {
            let Some(config) = args.common.load::<LeakageConfig>()? else { return Ok(()) };
            let (Some(agent), Some(market), Some(out)) = (agent, market, out) else {
                bail!("leakage needs --agent, --market and --out");
            };
            let folder = model.map(|model| find(&model)).transpose()?;
            let asked = folder.as_ref().map(|folder| LocalModel::open(folder, None, PROBE_DATE)).transpose()?;
            let model_files = folder.into_iter().collect();
            let inputs = LeakageInputs { agent, market, twins: twin, registry, model_files };
            let asked = asked.as_ref().map(|model| model as &dyn Provider);
            let progress = cli::progress();
            let options = args.common.run_options(progress.as_ref());
            said(&leakage::run(&config, &inputs, asked, &out, &options)?, &out)
        }
    })
}

/// What a chat template prints as today's date while a model is asked: the default of the other stages.
const PROBE_DATE: &str = "26 Jul 2024";

fn find(model: &str) -> anyhow::Result<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
    let hub = hub::HubConfig::from_environment(|name| std::env::var(name).ok());
    Ok(providers::find_model(model, &hub)?)
}

fn said(manifest: &Manifest, out: &Path) -> anyhow::Result<()> {
    cli::say(&serde_json::to_string_pretty(&manifest.facts)?);
    cli::say(&format!("report: {}", out.join("report.html").display()));
    Ok(())
}
