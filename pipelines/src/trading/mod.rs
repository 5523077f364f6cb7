//! `experiments trading`: the same bars, costs and seeds, one part of the strategy changed at a time.

mod arms;
mod compare;
mod heard;
mod page;

pub use arms::{TradingArm, TradingConfig};

use crate::{Run, RunConfig};
use anyhow::Context;
use artifacts::{Outcome, RunOptions, Seed, StageSpec};
use backtester::trials;
use std::path::PathBuf;

/// Raised when the comparison changes for the same input.
const STAGE_VERSION: u32 = 4;
/// The folder of the comparison; each arm has one in it.
const FOLDER: &str = "experiments";

/// The folders of one arm's runs, one for each seed.
struct Made {
    agents: Vec<PathBuf>,
    backtests: Vec<PathBuf>,
}

/// Runs every arm with every seed and compares them in `experiments/report.html`; the same as a notebook in
/// `task_3_experimentation`. What did not change since the last call is not run again.
pub(crate) fn run(run: &Run) -> anyhow::Result<()> {
    let settings = &run.config.experiments;
    settings.check()?;
    let mut made = Vec::new();
    for arm in &settings.arms {
        made.push(make(run, settings, arm).with_context(|| format!("arm {}", arm.name))?);
    }
    register(run, settings, &made)?;
    let mut inputs: Vec<PathBuf> = Vec::new();
    for arm in &made {
        inputs.extend(arm.backtests.iter().flat_map(|f| [f.join("equity.parquet"), f.join("metrics.parquet")]));
        let said = ["costs.parquet", "opinions.parquet", "checked_claims.parquet", "injected.parquet"];
        inputs.extend(arm.agents.iter().flat_map(|f| said.map(|name| f.join(name))).filter(|f| f.exists()));
    }
    let spec = StageSpec {
        name: FOLDER,
        version: STAGE_VERSION,
        folder: run.folder(FOLDER),
        seed: run.options().seed,
        config: serde_json::to_value(settings)?,
        inputs,
        force: run.options().force,
    };
    let Outcome::Run(mut open) = spec.begin()? else { return Ok(()) };
    let arms = settings.arms.iter().zip(&made);
    let results = arms
        .map(|(arm, made)| compare::Result::read(arm, &made.backtests, &made.agents))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let comparison = compare::compare(&results, settings, open.seed("resampling"))?;
    let document = page::page(settings, &results, &comparison);
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.json", document.to_json().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    let rows = comparison.metrics(&results);
    open.count(rows.len() as u64, rows.len() as u64);
    open.write_rows("metrics.parquet", rows)?;
    open.finish()?;
    Ok(())
}

/// The agents of the first arm, one for each seed: the strategy itself, dealt other cards.
pub(crate) fn first_arm(run: &Run) -> anyhow::Result<Vec<PathBuf>> {
    let settings = &run.config.experiments;
    settings.check()?;
    settings.arms.first().map_or_else(|| Ok(Vec::new()), |arm| Ok(make(run, settings, arm)?.agents))
}

/// Writes every run down among the trials of the project: how many were tried is part of what the best is worth.
fn register(run: &Run, settings: &TradingConfig, made: &[Made]) -> anyhow::Result<()> {
    let mut tried = Vec::new();
    for (arm, made) in settings.arms.iter().zip(made) {
        for folder in &made.backtests {
            tried.push(trials::of_backtest(folder, FOLDER, &arm.name)?);
        }
    }
    trials::register(&trials::of_project(&run.folder(FOLDER)), &tried)?;
    Ok(())
}

/// Brings every run of one arm up to date.
fn make(run: &Run, settings: &TradingConfig, arm: &TradingArm) -> anyhow::Result<Made> {
    let config: RunConfig = cli::resolve(&run.config, &[], &arm.set)?;
    let seeds = if arm.seeded { settings.seeds.as_slice() } else { &settings.seeds[..1] };
    let mut made = Made { agents: Vec::new(), backtests: Vec::new() };
    for &seed in seeds {
        let options = RunOptions { seed: Seed(seed), ..run.options() };
        let folder = |stage: &str| run.folder(FOLDER).join(format!("{}-seed-{seed}-{stage}", arm.name));
        let (agent, backtest) = (folder("agent"), folder("backtest"));
        let (market, features) = run.market();
        run.decide(&config.agent, arm.tuned, (&market, &features), &agent, &options)?;
        // the account's own draws are the same for all arms
        run.backtest(&config.backtest, &agent, None, &backtest)?;
        made.agents.push(agent);
        made.backtests.push(backtest);
    }
    Ok(made)
}
