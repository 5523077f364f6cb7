use crate::coverage::Coverage;
use crate::partition::{self, Store};
use crate::{Context, Error, FeaturesConfig, Fold, STAGE_VERSION, page};
use artifacts::rows::{Bar, FeatureDefinition, News, Observation};
use artifacts::runtime::Stopwatch;
use artifacts::{Manifest, OpenStage, Outcome, RunOptions, StageSpec, Timeline, read_all};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The file of values ([`Observation`]).
pub const FEATURES: &str = "features.parquet";
/// The file of definitions ([`FeatureDefinition`]).
pub const DEFINITIONS: &str = "definitions.parquet";
/// The file of partitions ([`artifacts::rows::FeaturePartition`]).
pub const PARTITIONS: &str = "partitions.parquet";

/// What features are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// Bars of the symbols.
    pub bars: PathBuf,
    /// Texts about them, if there are any.
    pub news: Option<PathBuf>,
    /// Other numbers about them, if there are any.
    pub observations: Option<PathBuf>,
}

impl Inputs {
    /// The files of a market folder, as `ingest market` writes it.
    pub fn of_folder(market: &Path) -> Self {
        let there = |name: &str| Some(market.join(name)).filter(|p| p.exists());
        Self {
            bars: market.join("bars.parquet"),
            news: there("news.parquet"),
            observations: there("observations.parquet"),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        [Some(&self.bars), self.news.as_ref(), self.observations.as_ref()].into_iter().flatten().cloned().collect()
    }
}

/// Texts and observations of a market; names of observations must not be names of features.
pub(crate) fn read_context(
    fold: &Fold,
    news: Option<&PathBuf>,
    observations: Option<&PathBuf>,
) -> Result<(Vec<News>, Vec<Observation>), Error> {
    let news = news.map(|p| read_all(p)).transpose()?.unwrap_or_default();
    let rows: Vec<Observation> = observations.map(|p| read_all(p)).transpose()?.unwrap_or_default();
    let names: BTreeSet<&str> = rows.iter().map(|o| o.name.as_str()).collect();
    if let Some(path) = observations
        && let Some(twin) = fold.definitions().iter().find(|d| names.contains(d.name.as_str()))
    {
        return Err(Error::Clash { name: twin.name.clone(), path: path.clone() });
    }
    Ok((news, rows))
}

/// Makes the features of a market and writes `features.parquet`, `definitions.parquet`, `partitions.parquet` and a report into `out`.
/// Unchanged inputs and settings: nothing is done. Where something changed, only partitions whose rows or whose state before them changed are
/// computed again; `runtime.json` says how many.
///
/// # Errors
/// Definitions without meaning, bars out of order, or files that cannot be read or written.
pub fn run(config: &FeaturesConfig, inputs: &Inputs, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    let fold = config.fold()?;
    let plots = config.plots(&fold)?;
    let mut open = match spec(config, inputs.files(), out, options)?.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let bars: Vec<Bar> = read_all(&inputs.bars)?;
    let (news, observations) = read_context(&fold, inputs.news.as_ref(), inputs.observations.as_ref())?;
    let clock = Stopwatch::start();
    let mut coverage = Coverage::new(plots);
    coverage.bars = bars.len() as u64;
    let mut store = Store::new(out, !options.force);
    let mut writer = open.writer::<Observation>(FEATURES)?;
    let (mut partitions, mut done) = (Vec::new(), 0);
    let ticker = options.progress.start("features", coverage.bars);
    for bars in bars.chunk_by(|a, b| a.symbol == b.symbol) {
        let Some(symbol) = bars.first().map(|b| b.symbol.as_str()) else { continue };
        let context = Context::new(symbol, &news, &observations)?;
        let bars = Timeline::new(bars.to_vec())?;
        let Some(end) = bars.clock().last().copied() else { continue };
        let mut state = fold.start(symbol)?;
        for bars in partition::cut(bars.as_of(end).rows(), config.partition) {
            let at = |source| match source {
                Error::OutOfOrder { .. } => Error::InFile { path: inputs.bars.clone(), source: Box::new(source) },
                source => source,
            };
            let (values, row) = store.values(&fold, &mut state, &context, bars).map_err(at)?;
            for value in values {
                coverage.add(&value);
                writer.push(value)?;
            }
            partitions.push(row);
            done += bars.len() as u64;
            ticker.at(done, symbol);
        }
    }
    store.sweep();
    open.add_rows(FEATURES, writer)?;
    open.measured("bars_per_second", coverage.bars as f64 / clock.seconds());
    open.measured("partitions_computed", store.computed as f64);
    open.measured("partitions_reused", store.reused as f64);
    open.fact("partitions", partitions.len());
    open.write_rows(PARTITIONS, partitions)?;
    finish(open, &fold, &coverage)
}

pub(crate) fn spec(
    config: &FeaturesConfig,
    inputs: Vec<PathBuf>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<StageSpec, Error> {
    Ok(StageSpec::new(("features", STAGE_VERSION), out, config, inputs, options)?)
}

/// What file and stream have in common at the end: definitions, figures and the report.
pub(crate) fn finish(mut open: OpenStage, fold: &Fold, coverage: &Coverage) -> Result<Manifest, Error> {
    let rows = fold.definitions().iter().map(crate::Definition::row).collect::<Result<Vec<FeatureDefinition>, _>>()?;
    open.count(coverage.bars, coverage.bars);
    open.fact("features", rows.len());
    open.fact("features_without_values", rows.iter().filter(|r| coverage.of(&r.name).is_none()).count());
    open.fact("values", coverage.values);
    let page = page::document(fold, &rows, coverage);
    open.write_rows(DEFINITIONS, rows)?;
    open.write_bytes("report.html", page.to_html().as_bytes())?;
    open.write_bytes("report.md", page.to_markdown().as_bytes())?;
    Ok(open.finish()?)
}
