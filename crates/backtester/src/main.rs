//! `seafin-backtester`: decisions against prices.

mod rule_commands;
mod significance_command;

use anyhow::{Context, bail};
use artifacts::read_all;
use artifacts::rows::Metric;
use backtester::assessment::{Settings, assess};
use backtester::{Config, Error, Sources, read_positions, read_prices};
use clap::{Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "seafin-backtester", version, about = "Runs trading decisions against prices")]
struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: cli::Common,
}

#[derive(Subcommand)]
enum Command {
    /// Run every variant of a rule in a grid
    Sweep(rule_commands::SweepArgs),
    /// Choose a variant on past bars, judge it on the next, and move on
    WalkForward(rule_commands::WalkArgs),
    /// Choose a variant on all folds but one, judge it on that one, purged; say how well choosing works
    CrossValidate(rule_commands::FoldArgs),
    /// Run one rule straight from Parquet, in the same memory for any number of bars
    Stream(rule_commands::RuleArgs),
    /// Write made-up one-minute bars
    GenerateBars(rule_commands::MakeArgs),
    /// Run decisions against prices
    Run(Run),
    /// What the figures of a backtest are worth: trials counted, intervals, tests against benchmarks, overfitting
    Significance(significance_command::Significance),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Next-bar fills, costs on every trade, explicit annualisation
    Honest,
    /// The assessment's backtester, flaws included, for comparison
    Assessment,
}

#[derive(clap::Args)]
struct Run {
    /// How to compute
    #[arg(long, value_enum, default_value = "honest")]
    mode: Mode,
    /// honest: Parquet file of bars
    #[arg(long, value_name = "FILE")]
    bars: Option<PathBuf>,
    /// honest: Parquet file of decisions
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// honest: folder to write
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// honest: Parquet file of observations; the one called signal becomes a benchmark
    #[arg(long, value_name = "FILE")]
    observations: Option<PathBuf>,
    /// honest: Parquet file of decisions that the same strategy made on shuffled texts, a benchmark
    #[arg(long, value_name = "FILE")]
    placebo: Option<PathBuf>,
    /// honest: the project's registry of trials; this one is written down in it
    #[arg(long, value_name = "FILE")]
    trials: Option<PathBuf>,
    /// assessment: CSV file with the columns close and Signal
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// assessment: CSV file with the column position, one row for each price
    #[arg(long, value_name = "FILE")]
    positions: Option<PathBuf>,
    /// Commission as a share of the traded value, such as 0.001 (default: 0.001)
    #[arg(long, value_name = "SHARE")]
    commission: Option<f64>,
    /// Slippage as a share of the price (default: honest 0.0002, assessment 0)
    #[arg(long, value_name = "SHARE")]
    slippage: Option<f64>,
    /// Cash to begin with (default: 10000)
    #[arg(long, value_name = "AMOUNT")]
    initial_capital: Option<f64>,
    /// Print the metrics as one JSON object
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run(&args.common, || match &args.command {
        Command::Sweep(command) => rule_commands::sweep(command, &args.common),
        Command::WalkForward(command) => rule_commands::walk_forward(command, &args.common),
        Command::CrossValidate(command) => rule_commands::cross_validate(command, &args.common),
        Command::Stream(command) => rule_commands::stream(command, &args.common),
        Command::GenerateBars(command) => rule_commands::generate(command, &args.common),
        Command::Significance(command) => command.run(&args.common),
        Command::Run(run) => match run.mode {
            Mode::Honest => honest(run, &args.common),
            Mode::Assessment => assessment(run, &args.common),
        },
    })
}

fn needed<'a>(path: Option<&'a PathBuf>, flag: &str, mode: &str) -> anyhow::Result<&'a Path> {
    path.map(PathBuf::as_path).with_context(|| format!("--mode {mode} needs --{flag}"))
}

fn refuse(given: bool, flag: &str, mode: &str) -> anyhow::Result<()> {
    if given {
        bail!("--{flag} has no meaning with --mode {mode}; leave it out");
    }
    Ok(())
}

fn assessment(run: &Run, common: &cli::Common) -> anyhow::Result<()> {
    let mode = "assessment";
    refuse(run.bars.is_some(), "bars", mode)?;
    refuse(run.decisions.is_some(), "decisions", mode)?;
    refuse(run.out.is_some(), "out", mode)?;
    refuse(run.observations.is_some(), "observations", mode)?;
    refuse(run.placebo.is_some(), "placebo", mode)?;
    refuse(run.trials.is_some(), "trials", mode)?;
    refuse(common.config.is_some() || !common.set.is_empty(), "config or --set", mode)?;
    let (prices_path, positions_path) =
        (needed(run.prices.as_ref(), "prices", mode)?, needed(run.positions.as_ref(), "positions", mode)?);
    let defaults = Settings::default();
    let settings = Settings {
        initial_capital: run.initial_capital.unwrap_or(defaults.initial_capital),
        commission: run.commission.unwrap_or(defaults.commission),
        slippage: run.slippage.unwrap_or(defaults.slippage),
    };
    let prices = read_prices(prices_path)?;
    let positions = read_positions(positions_path)?;
    let found = assess(&prices.close, prices.signal.as_deref(), &positions, &settings).map_err(|e| match e {
        Error::PositionCount { .. } => anyhow::Error::new(e).context(positions_path.display().to_string()),
        other => other.into(),
    })?;
    let object = serde_json::to_value(found.metrics)?;
    if run.json {
        cli::say(&object.to_string());
    } else {
        for (name, value) in object.as_object().into_iter().flatten() {
            cli::say(&format!("{name:14} {value}"));
        }
        cli::say("These are the assessment's figures, flaws included (252 periods a year, fills at the same close).");
    }
    Ok(())
}

fn honest(run: &Run, common: &cli::Common) -> anyhow::Result<()> {
    let mode = "honest";
    refuse(run.prices.is_some(), "prices", mode)?;
    refuse(run.positions.is_some(), "positions", mode)?;
    let mut common = common.clone();
    for (name, value) in [
        ("commission_bps", run.commission.map(|c| c * 1e4)),
        ("slippage_bps", run.slippage.map(|s| s * 1e4)),
        ("initial_capital", run.initial_capital),
    ] {
        common.set.extend(value.map(|v| format!("{name}={v:?}")));
    }
    let Some(config) = common.load::<Config>()? else { return Ok(()) };
    let (bars, decisions) =
        (needed(run.bars.as_ref(), "bars", mode)?, needed(run.decisions.as_ref(), "decisions", mode)?);
    let out = needed(run.out.as_ref(), "out", mode)?;
    if let Some(file) = &run.trials {
        // a file that is no registry is found out before the work, not after it
        backtester::trials::read(file)?;
    }
    let progress = cli::progress();
    let options = common.run_options(progress.as_ref());
    let (observations, placebo) = (run.observations.as_deref(), run.placebo.as_deref());
    backtester::run_among(&config, &Sources { bars, decisions, observations, placebo }, out, &options)?;
    if let Some(file) = &run.trials {
        significance_command::write_down(file, out)?;
    }
    if run.json {
        let path = out.join("metrics.json");
        cli::say(&std::fs::read_to_string(&path).with_context(|| format!("{}: cannot read", path.display()))?);
        return Ok(());
    }
    let metrics: Vec<Metric> = read_all(&out.join("metrics.parquet"))?;
    for metric in
        metrics.iter().filter(|m| ["total_return", "sharpe_ratio", "max_drawdown"].contains(&m.metric.as_str()))
    {
        let value = report::format::number(metric.value, 4);
        cli::say(&format!("{:14} {:14} {value:>12}", metric.subject, metric.metric));
    }
    if config.allow_lookahead_same_bar_fill {
        cli::say("LOOK-AHEAD: decisions filled at the close they were made on; nobody can have these figures.");
    }
    cli::say(&format!("report: {}", out.join("report.html").display()));
    Ok(())
}
