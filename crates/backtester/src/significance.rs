//! What the figures of a backtest are worth, given how many variants were tried, how short the record is, how its returns
//! depend on each other, and what anyone could have done without it.

use crate::significance_figures::{Assessment, assess};
use crate::significance_page::page;
use crate::{Error, trials};
use artifacts::rows::{Metric, PeriodReturn, Trial};
use artifacts::{Manifest, Outcome, Reader, RunOptions, StageSpec, Timestamp};
use serde::{Deserialize, Serialize};
use stats::trading::PeriodsPerYear;
use std::collections::BTreeMap;
use std::path::Path;

/// Raised when the output changes for the same input.
pub const SIGNIFICANCE_VERSION: u32 = 3;

/// Settings of the assessment of significance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignificanceConfig {
    /// Resamples of each bootstrap.
    pub resamples: usize,
    /// Confidence of intervals.
    pub level: f64,
    /// Mean length of a block in bars; without it, what the returns and their squares ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_block: Option<f64>,
    /// Blocks in time of the test for overfitting, an even number.
    pub blocks: usize,
}

impl Default for SignificanceConfig {
    fn default() -> Self {
        Self { resamples: 2000, level: 0.95, mean_block: None, blocks: 16 }
    }
}

impl SignificanceConfig {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::BadSetting`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        let within = |name, value: f64, fits: bool, range| {
            if value.is_finite() && fits { Ok(()) } else { Err(Error::BadSetting { name, value, range }) }
        };
        let resamples = self.resamples as f64;
        within("resamples", resamples, (100.0..=1e6).contains(&resamples), "from 100 to 1000000")?;
        within("level", self.level, self.level > 0.0 && self.level < 1.0, "between 0 and 1")?;
        let blocks = self.blocks;
        let fits = (2..=20).contains(&blocks) && blocks.is_multiple_of(2);
        within("blocks", blocks as f64, fits, "that is even, from 2 to 20")?;
        self.mean_block.map_or(Ok(()), |b| within("mean_block", b, (1.0..=1e9).contains(&b), "from 1 to 1000000000"))
    }
}

/// What is assessed.
#[derive(Debug, Clone, Copy)]
pub struct SignificanceSources<'a> {
    /// The folder of a backtest.
    pub backtest: &'a Path,
    /// The project's registry of trials; without it nothing is deflated, and the report says so.
    pub trials: Option<&'a Path>,
    /// Returns of all variants of a sweep on the same bars (rows [`PeriodReturn`]), for the test for overfitting.
    pub variants: Option<&'a Path>,
}

/// Series of returns of several subjects over the same bars.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Returns {
    pub(crate) at: Vec<Timestamp>,
    pub(crate) names: Vec<String>,
    pub(crate) series: Vec<Vec<f64>>,
}

/// Assesses the backtest in a folder and writes into the folder `out`: `significance.parquet` (rows [`Metric`]),
/// `significance.json`, `report.html`, `report.md` and `report.ipynb`. Unchanged input and settings: nothing is done.
///
/// # Errors
/// A folder without a backtest; files that cannot be read or do not belong together; series too short to be judged.
pub fn significance(
    config: &SignificanceConfig,
    sources: &SignificanceSources<'_>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    config.check()?;
    // the registry is shared: what is hashed must be what is read
    let lock = sources.trials.map(trials::lock).transpose()?;
    let registry = sources.trials.filter(|t| t.exists());
    let file = |name: &str| sources.backtest.join(name);
    let mut inputs = vec![file("returns.parquet"), file("metrics.json")];
    inputs.extend([registry, sources.variants].into_iter().flatten().map(Path::to_path_buf));
    let spec = StageSpec::new(("significance", SIGNIFICANCE_VERSION), out, config, inputs, options)?;
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let about = About::read(&file("metrics.json"))?;
    let subjects = read_returns(&file("returns.parquet"))?;
    let variants = sources.variants.map(read_returns).transpose()?;
    let all = registry.map(trials::read).transpose()?;
    let trials: Option<Vec<Trial>> = all.map(|t| t.into_iter().filter(|t| t.market == about.market).collect());
    let registry_hash = registry.map(artifacts::hash_path).transpose()?;
    drop(lock);

    let seed = open.seed("bootstrap").0;
    let found = assess(config, &about, &subjects, variants.as_ref(), trials.as_deref(), seed)?;
    let document = page(config, &about, &found, registry_hash.as_deref());
    let rows = found.figures.iter().map(|f| Metric {
        subject: f.subject.clone(),
        slice: f.slice.clone(),
        metric: f.metric.to_owned(),
        value: f.value.filter(|v| v.is_finite()),
        n: f.n,
    });
    let json = serde_json::to_vec_pretty(&summary(&about, &found, registry_hash.as_deref()))
        .map_err(|e| Error::Unreadable { message: format!("significance: {e}") })?;
    open.count(subjects.at.len() as u64, subjects.at.len() as u64);
    for name in ["deflated_sharpe", "trials", "spa_p_value", "overfitting_probability"] {
        open.fact(name, found.figure("strategy", name));
    }
    open.write_rows("significance.parquet", rows)?;
    open.write_bytes("significance.json", &json)?;
    open.write_bytes("report.html", document.to_html().as_bytes())?;
    open.write_bytes("report.ipynb", document.to_notebook("report.html").as_bytes())?;
    open.write_bytes("report.json", document.to_json().as_bytes())?;
    open.write_bytes("report.md", document.to_markdown().as_bytes())?;
    Ok(open.finish()?)
}

fn summary(about: &About, found: &Assessment, registry: Option<&str>) -> serde_json::Value {
    let mut subjects: BTreeMap<&str, BTreeMap<String, Option<f64>>> = BTreeMap::new();
    for f in &found.figures {
        let name = if f.slice == "all" { f.metric.to_owned() } else { format!("{} {}", f.metric, f.slice) };
        subjects.entry(&f.subject).or_default().insert(name, f.value);
    }
    serde_json::json!({
        "market": about.market,
        "trial_key": about.key,
        "periods_per_year": about.periods,
        "registry_blake3": registry,
        "mean_block": found.mean_block,
        "subjects": subjects,
    })
}

/// What a backtest says about itself.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) symbol: String,
    pub(crate) market: String,
    pub(crate) key: String,
    pub(crate) periods: PeriodsPerYear,
    pub(crate) lookahead: bool,
}

impl About {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |message: String| Error::Unreadable { message }.within(path);
        let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
        let missing = |name: &str| wrong(format!("it has no {name}; run the backtest again with this build"));
        let text = |name: &str| value[name].as_str().map(str::to_owned).ok_or_else(|| missing(name));
        Ok(Self {
            symbol: text("symbol")?,
            market: text("trial_market")?,
            key: text("trial_key")?,
            periods: value["periods_per_year"]
                .as_f64()
                .and_then(PeriodsPerYear::new)
                .ok_or_else(|| missing("periods_per_year"))?,
            lookahead: value["lookahead"].as_bool().unwrap_or(false),
        })
    }
}

/// Reads series of returns one after the other; memory is that of the numbers.
pub(crate) fn read_returns(path: &Path) -> Result<Returns, Error> {
    let mut found = Returns { at: Vec::new(), names: Vec::new(), series: Vec::new() };
    for batch in Reader::<PeriodReturn>::open(path)? {
        for row in batch? {
            if found.names.last() != Some(&row.subject) {
                found.names.push(row.subject.clone());
                found.series.push(Vec::with_capacity(found.at.len()));
            }
            let first = found.names.len() == 1;
            let Some(series) = found.series.last_mut() else { continue };
            if first {
                found.at.push(row.bar_at);
            } else if found.at.get(series.len()) != Some(&row.bar_at) {
                return Err(different_bars(&row.subject, path));
            }
            series.push(row.value);
        }
    }
    let short = found.series.iter().position(|s| s.len() != found.at.len());
    match short.and_then(|i| found.names.get(i)) {
        Some(name) => Err(different_bars(name, path)),
        None => Ok(found),
    }
}

fn different_bars(subject: &str, path: &Path) -> Error {
    let message = format!("`{subject}` has returns of other bars than the first subject; write all of the same bars");
    Error::Unreadable { message }.within(path)
}
