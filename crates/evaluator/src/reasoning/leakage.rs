//! What a language model may have known: its knowledge cut-off and what it earned on either side of it, a probe of its memory, and
//! its decisions on twins of the market.

mod chance;
mod cutoffs;
mod page;
mod probe;
mod split;
mod twins;

pub use cutoffs::{Cutoffs, Family};
pub use twins::{Expected, TWINS};

use super::figures::Rows;
use super::record::Prices;
use super::{Error, ReasoningConfig, outcome};
use artifacts::rows::{Bar, Decision, Metric};
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use probe::{Probe, probe};
use providers::Provider;
use serde::{Deserialize, Serialize};
use split::{Split, split};
use std::path::{Path, PathBuf};
use twins::{Twin, twin};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 2;

/// Settings of the leakage report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeakageConfig {
    /// A direction is right if the close moves that way over so many bars.
    pub horizon: usize,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// How often chance is tried.
    pub permutations: usize,
    /// About how many bars a model is asked.
    pub probes: usize,
    /// From which share of equal sides on decisions count as unchanged.
    pub consistent: f64,
    /// The model whose cut-off counts; empty: that of the model that is asked.
    pub model: String,
    /// The last day its training text reaches, such as `2023-12-31`; empty: as the registry says.
    pub cutoff: String,
}

impl Default for LeakageConfig {
    fn default() -> Self {
        Self {
            horizon: 1,
            confidence: 0.95,
            permutations: 2000,
            probes: 60,
            consistent: 0.8,
            model: String::new(),
            cutoff: String::new(),
        }
    }
}

impl LeakageConfig {
    fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        if self.horizon == 0 || self.permutations == 0 {
            return refuse("horizon or permutations", "0".into(), "1 or more");
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return refuse("confidence", self.confidence.to_string(), "between 0 and 1");
        }
        if !(self.consistent > 0.5 && self.consistent < 1.0) {
            return refuse("consistent", self.consistent.to_string(), "between 0.5 and 1");
        }
        Ok(())
    }
}

/// What is read.
#[derive(Debug, Clone, Default)]
pub struct LeakageInputs {
    /// A folder of the trading agent: `decisions.parquet`.
    pub agent: PathBuf,
    /// The market that was decided on.
    pub market: PathBuf,
    /// Name of each twin and the folder of the decisions on it.
    pub twins: Vec<(String, PathBuf)>,
    /// A registry of knowledge cut-offs; none: the one that comes with the program.
    pub registry: Option<PathBuf>,
    /// Files of the model that is asked: they decide about what it says, so they are inputs.
    pub model_files: Vec<PathBuf>,
}

/// What is known about a model's training text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Knowledge {
    pub(crate) model: String,
    pub(crate) cutoff: Option<String>,
    pub(crate) source: String,
}

/// Everything that was found.
#[derive(Debug)]
pub(crate) struct Found {
    decisions: u64,
    knowledge: Knowledge,
    split: Option<Split>,
    probe: Option<Probe>,
    twins: Vec<Twin>,
}

/// Looks for memory in a run's decisions and in the model behind it (`asked`, if it can be asked); writes `metrics.parquet` and the
/// report.
///
/// # Errors
/// A setting without meaning, an input that cannot be read or does not fit, an unknown twin, a model that fails.
pub fn run(
    config: &LeakageConfig,
    inputs: &LeakageInputs,
    asked: Option<&dyn Provider>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    config.check()?;
    let mut files = vec![inputs.agent.join("decisions.parquet"), inputs.market.join("bars.parquet")];
    for (name, folder) in &inputs.twins {
        twins::expected(name)?;
        files.push(folder.join("decisions.parquet"));
    }
    files.extend(inputs.registry.iter().chain(&inputs.model_files).cloned());
    let spec = StageSpec {
        name: "leakage",
        version: STAGE_VERSION,
        folder: out.into(),
        seed: options.seed,
        config: serde_json::json!({
            "settings": config,
            "twins": inputs.twins.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "asked": asked.map(|provider| provider.name().to_owned()),
        }),
        inputs: files,
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let decisions: Vec<Decision> = read_all(&inputs.agent.join("decisions.parquet"))?;
    let prices = Prices::read(&inputs.market)?;
    let reading = ReasoningConfig { horizon: config.horizon, ..ReasoningConfig::default() };
    let outcomes = outcome::outcomes(&reading, &decisions, &prices, &inputs.agent)?;
    let knowledge = knowledge(config, inputs, asked.map(Provider::name))?;
    let split = match &knowledge.cutoff {
        Some(date) => Some(split(config, &outcomes, cutoffs::last_moment(date)?)),
        None => None,
    };
    let bars: Vec<Bar> = read_all(&prices.path)?;
    let probe = match asked {
        Some(provider) => Some(probe(config, provider, &bars, open.seed("probe"))?),
        None => None,
    };
    let mut found = Found { decisions: decisions.len() as u64, knowledge, split, probe, twins: Vec::new() };
    for (name, folder) in &inputs.twins {
        let other: Vec<Decision> = read_all(&folder.join("decisions.parquet"))?;
        found.twins.push(twin(config, name, (&inputs.agent, &decisions), (folder, &other))?);
    }
    let document = page::page(&found);
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.json", document.to_json().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    facts(&mut open, &found);
    open.count(found.decisions, found.decisions);
    open.write_rows("metrics.parquet", metrics(&found))?;
    Ok(open.finish()?)
}

/// The cut-off that was given, or that of the model's family.
fn knowledge(config: &LeakageConfig, inputs: &LeakageInputs, asked: Option<&str>) -> Result<Knowledge, Error> {
    let model = if config.model.is_empty() { asked.unwrap_or("the model") } else { &config.model }.to_owned();
    if config.cutoff == "unknown" {
        return Ok(Knowledge { model, cutoff: None, source: "said to be unknown".into() });
    }
    if !config.cutoff.is_empty() {
        cutoffs::last_moment(&config.cutoff)?;
        return Ok(Knowledge { model, cutoff: Some(config.cutoff.clone()), source: "as given".into() });
    }
    let registry = match &inputs.registry {
        Some(path) => Cutoffs::read(path)?,
        None => Cutoffs::embedded()?,
    };
    Ok(match registry.family(&model) {
        Some(family) => Knowledge { model, cutoff: family.cutoff.clone(), source: family.source.clone() },
        None => Knowledge { model, cutoff: None, source: "no family of the registry has this name".into() },
    })
}

fn facts(open: &mut artifacts::OpenStage, found: &Found) {
    open.fact("model", found.knowledge.model.clone());
    open.fact("cutoff", found.knowledge.cutoff.clone().unwrap_or_else(|| "unknown".into()));
    if let Some(probe) = &found.probe {
        open.fact("memory_near", probe.near.value());
        open.fact("memory_p_close", probe.p_close);
        open.fact("memory_p_direction", probe.p_direction);
    }
    for t in &found.twins {
        open.fact(&format!("twin_{}_same_side", t.name.replace('-', "_")), t.same.value());
        open.fact(&format!("twin_{}_consistent", t.name.replace('-', "_")), t.consistent);
    }
}

fn metrics(found: &Found) -> Vec<Metric> {
    let mut rows = Rows::default();
    rows.push("decision", "all", "decisions", Some(found.decisions as f64), found.decisions);
    if let Some(split) = &found.split {
        for side in &split.sides {
            rows.rate("decision", side.name, "hit_rate", &side.right);
            rows.push("decision", side.name, "earned_a_bar", side.earned, side.decisions);
            rows.push("decision", side.name, "information_coefficient", side.information, side.decisions);
        }
        rows.push("decision", "before minus after", "earned_a_bar", split.difference, found.decisions);
        rows.push("decision", "before minus after", "p", split.p, found.decisions);
    }
    if let Some(probe) = &found.probe {
        let n = probe.asked.len() as u64;
        rows.rate(&probe.model, "memory", "answers_with_a_number", &probe.read);
        rows.rate(&probe.model, "memory", "within_1_percent", &probe.near);
        rows.push(&probe.model, "memory", "median_log_error", probe.median_error, probe.read.hits);
        rows.push(&probe.model, "memory", "p_close", probe.p_close, n);
        rows.rate(&probe.model, "memory", "right_direction", &probe.direction);
        rows.push(&probe.model, "memory", "p_direction", probe.p_direction, n);
    }
    for t in &found.twins {
        rows.rate("decision", &t.name, "same_side", &t.same);
        rows.push("decision", &t.name, "correlation", t.correlation, found.decisions);
        rows.push("decision", &t.name, "mean_distance", t.distance, found.decisions);
        rows.push("decision", &t.name, "p", t.p, found.decisions);
    }
    rows.0
}
