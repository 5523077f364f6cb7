//! How agents reason: whether their claims are what their facts say, whether their decisions follow from them, whether they are as sure
//! as they are right, whether another seed would have decided the same, and whether their positions know anything of what follows. What the
//! model behind them may have remembered is [`leakage`].

mod claims;
mod config;
mod consistency;
mod error;
mod figures;
pub mod leakage;
mod outcome;
mod page;
mod proposals;
mod record;
mod sheet;
mod signal;
mod sureness;

pub use config::{Limits, ReasoningConfig};
pub use error::Error;

use artifacts::rows::Decision;
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use figures::Figures;
use record::{Prices, Record};
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 2;

/// What is read.
#[derive(Debug, Clone, Default)]
pub struct ReasoningInputs {
    /// A folder of the trading agent: `decisions.parquet` and, where agents reasoned, opinions, facts, checked claims, traces, and the
    /// errors that a simulation put in.
    pub agent: PathBuf,
    /// The market that was decided on: `bars.parquet`.
    pub market: PathBuf,
    /// Folders of the same agent on the same market with other seeds.
    pub others: Vec<PathBuf>,
}

/// Evaluates a run's reasoning; writes `metrics.parquet`, `proposals.json` and the report.
///
/// # Errors
/// A setting without meaning, an input that cannot be read, decisions on bars that the market does not have.
pub fn run(
    config: &ReasoningConfig,
    inputs: &ReasoningInputs,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    config.check()?;
    let mut files = record::files(&inputs.agent);
    files.push(inputs.market.join("bars.parquet"));
    files.extend(inputs.others.iter().map(|folder| folder.join("decisions.parquet")));
    let spec = StageSpec {
        name: "reasoning",
        version: STAGE_VERSION,
        folder: out.into(),
        seed: options.seed,
        config: serde_json::to_value(config).unwrap_or_default(),
        inputs: files,
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let record = Record::read(&inputs.agent)?;
    let prices = Prices::read(&inputs.market)?;
    let mut others: Vec<(PathBuf, Vec<Decision>)> = Vec::new();
    for folder in &inputs.others {
        others.push((folder.clone(), read_all(&folder.join("decisions.parquet"))?));
    }
    let outcomes = outcome::outcomes(config, &record.decisions, &prices, &inputs.agent)?;
    let figures = Figures::of(config, &inputs.agent, &record, &outcomes, &others, open.seed("figures"))?;
    let document = page::page(config, &record, &outcomes, &figures);
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.json", document.to_json().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    let proposals: Vec<serde_json::Value> = figures
        .proposals
        .iter()
        .map(|p| serde_json::json!({"action": p.action, "because": p.because, "weight": p.weight}))
        .collect();
    open.write_bytes("proposals.json", &serde_json::to_vec_pretty(&proposals).unwrap_or_default())?;
    facts(&mut open, &figures);
    let rows = record.decisions.len() as u64;
    open.count(rows, rows);
    open.write_rows("metrics.parquet", figures.metrics())?;
    Ok(open.finish()?)
}

/// Headline figures.
fn facts(open: &mut artifacts::OpenStage, figures: &Figures) {
    if let Some(all) = figures.claims.first().filter(|a| a.claims > 0) {
        open.fact("claims", all.claims);
        open.fact("hallucination_rate", all.hallucinated.value());
        open.fact("contradiction_rate", all.contradictions.value());
    }
    if let Some(s) = figures.sureness.first() {
        open.fact("calibration_error", s.error);
    }
    for i in figures.signal.decay.iter().take(1) {
        open.fact("information_coefficient", i.interval.map(|v| v.estimate));
    }
    if let Some(hits) = figures.signal.hits.first() {
        open.fact("hit_rate", hits.rate.value());
    }
    if let Some(c) = &figures.consistency {
        open.fact("seed_agreement", c.agreement.value());
    }
    open.fact("turnover", figures.signal.turnover);
    open.fact("proposals", figures.proposals.len());
}
