use crate::mood::Moods;
use crate::{AgentConfig, Error, Market, decide};
use artifacts::rows::{Bar, News, Observation};
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, Timeline, read_all};
use providers::Provider;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Raised when the decisions change for the same input.
const STAGE_VERSION: u32 = 1;

/// What the agent reads.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Bars of the symbols.
    pub bars: PathBuf,
    /// News of the symbols.
    pub news: PathBuf,
    /// Other numbers of the symbols.
    pub observations: PathBuf,
    /// The model's files: they decide about what it says, so they are inputs.
    pub model_files: Vec<PathBuf>,
}

/// Decides on every bar of every symbol and writes `decisions.parquet`. The model is opened only when there is work.
///
/// # Errors
/// A setting without meaning, an input that cannot be read, or a model that fails.
pub fn run(
    config: &AgentConfig,
    inputs: &Inputs,
    model: impl FnOnce() -> Result<Box<dyn Provider>, providers::Error>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    config.check()?;
    let mut files = vec![inputs.bars.clone(), inputs.news.clone(), inputs.observations.clone()];
    files.extend(inputs.model_files.iter().cloned());
    let spec = StageSpec {
        name: "trading-agent",
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
    let bars: Vec<Bar> = read_all(&inputs.bars)?;
    let mut news: Vec<News> = read_all(&inputs.news)?;
    let observations: Vec<Observation> = read_all(&inputs.observations)?;
    let rows_in = (bars.len() + news.len() + observations.len()) as u64;
    news.retain(|n| config.news_sources.is_empty() || config.news_sources.contains(&n.source));
    let moods = if config.sentiment_weight == 0.0 {
        Moods::default()
    } else {
        Moods::read(model()?.as_ref(), &news, options.progress)?
    };
    let symbols: BTreeSet<&str> = bars.iter().map(|b| b.symbol.as_str()).collect();
    let mut decisions = Vec::new();
    for symbol in symbols {
        let market = Market {
            bars: Timeline::new(bars.iter().filter(|b| b.symbol == symbol).cloned().collect())?,
            news: Timeline::new(news.iter().filter(|n| n.symbol == symbol).cloned().collect())?,
            observations: Timeline::new(observations.iter().filter(|o| o.symbol == symbol).cloned().collect())?,
        };
        decisions.extend(decide(config, &market, &moods));
    }
    let active = decisions.iter().filter(|d| d.position != 0.0).count();
    let with_news = decisions.iter().filter(|d| d.sentiment.is_some()).count();
    open.fact("decisions", decisions.len());
    open.fact("decisions_with_a_position", active);
    open.fact("decisions_with_news", with_news);
    open.fact("news_read", news.len());
    open.fact("news_shortened_to_the_context", moods.shortened);
    open.fact("news_refused", moods.refused);
    open.count(rows_in, decisions.len() as u64);
    open.write_rows("decisions.parquet", decisions)?;
    Ok(open.finish()?)
}
