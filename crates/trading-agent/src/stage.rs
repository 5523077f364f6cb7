use crate::agents::Pace;
use crate::agents::journal::{Checkpoint, Journal};
use crate::agents::{Estimate, Ledger, Reasoner, Sources, State, StepRows, Strategy, Team};
use crate::mood::Moods;
use crate::services::{self, Open, Services, Tapes};
use crate::tools::cases_of;
use crate::{AgentConfig, Error, Market, decide};
use artifacts::rows::{Bar, CheckedClaim, Cost, Decision, Event, Fact, News, Observation, Opinion, Trace};
use artifacts::{Manifest, OpenStage, Outcome, RunOptions, StageSpec, Timeline, Timestamp, read_all};
use providers::Provider;
use retrieval::{BertEmbedder, Embedder, HashedEmbedder, Library};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Raised when the decisions change for the same input.
const STAGE_VERSION: u32 = 3;

/// What the agent reads.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Bars of the symbols.
    pub bars: PathBuf,
    /// News of the symbols.
    pub news: PathBuf,
    /// Other numbers of the symbols.
    pub observations: PathBuf,
    /// Further numbers, as the features stage makes them.
    pub features: Option<PathBuf>,
    /// The model's files: they decide about what it says, so they are inputs.
    pub model_files: Vec<PathBuf>,
    /// A model of the sentence-transformers kind for similar past cases; none: hashed n-grams.
    pub embedder: Option<PathBuf>,
}

impl Inputs {
    /// The files of a market folder, as `ingest market` writes it.
    pub fn of(market: &Path) -> Self {
        Self {
            bars: market.join("bars.parquet"),
            news: market.join("news.parquet"),
            observations: market.join("observations.parquet"),
            ..Self::default()
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let numbers = [&self.bars, &self.news, &self.observations].into_iter().chain(&self.features);
        numbers.chain(&self.model_files).chain(&self.embedder).cloned().collect()
    }
}

/// Everything read, by symbol.
struct Markets {
    by_symbol: BTreeMap<String, Market>,
    rows: u64,
    texts: Vec<String>,
    news: u64,
}

impl Markets {
    fn read(config: &AgentConfig, inputs: &Inputs) -> Result<Self, Error> {
        let bars: Vec<Bar> = read_all(&inputs.bars)?;
        let mut news: Vec<News> = read_all(&inputs.news)?;
        let mut observations: Vec<Observation> = read_all(&inputs.observations)?;
        if let Some(features) = &inputs.features {
            observations.extend(read_all::<Observation>(features)?);
        }
        let rows = (bars.len() + news.len() + observations.len()) as u64;
        news.retain(|n| config.news_sources.is_empty() || config.news_sources.contains(&n.source));
        let symbols: BTreeSet<&str> = bars.iter().map(|b| b.symbol.as_str()).collect();
        let mut by_symbol = BTreeMap::new();
        for symbol in symbols {
            let market = Market {
                bars: Timeline::new(bars.iter().filter(|b| b.symbol == symbol).cloned().collect())?,
                news: Timeline::new(news.iter().filter(|n| n.symbol == symbol).cloned().collect())?,
                observations: Timeline::new(observations.iter().filter(|o| o.symbol == symbol).cloned().collect())?,
            };
            by_symbol.insert(symbol.to_owned(), market);
        }
        let texts = news.iter().filter(|n| by_symbol.contains_key(&n.symbol)).map(|n| n.text.clone()).collect();
        Ok(Self { by_symbol, rows, texts, news: news.len() as u64 })
    }

    /// Every moment at which a bar closes, with the symbols of those bars: symbols take turns, so that what is written up to a
    /// moment does not depend on what comes later.
    fn clock(&self) -> BTreeMap<Timestamp, Vec<&str>> {
        let mut clock: BTreeMap<Timestamp, Vec<&str>> = BTreeMap::new();
        for (symbol, market) in &self.by_symbol {
            for t in market.bars.clock() {
                clock.entry(t).or_default().push(symbol);
            }
        }
        clock
    }
}

/// [`run_with`] the model that reads texts and nobody else.
///
/// # Errors
/// As [`run_with`].
pub fn run(
    config: &AgentConfig,
    inputs: &Inputs,
    model: impl FnOnce() -> Result<Box<dyn Provider>, providers::Error>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    run_with(config, inputs, Services::new(&inputs.model_files, model), out, options)
}

/// Decides on every bar of every symbol and writes `decisions.parquet`; with `strategy = "agents"` also `traces.parquet`,
/// `facts.parquet`, `opinions.parquet`, `checked_claims.parquet`, `costs.parquet` and, where the reasoner is simulated, the errors that
/// were put in (`injected.parquet`). Models are opened only when there is work. A killed run goes on where it was.
///
/// # Errors
/// A setting without meaning, an input that cannot be read, a budget that is spent, or a model that fails.
pub fn run_with(
    config: &AgentConfig,
    inputs: &Inputs,
    services: Services<'_>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    config.check()?;
    let spec = StageSpec::new(("trading-agent", STAGE_VERSION), out, config, inputs.files(), options)?;
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let markets = Markets::read(config, inputs)?;
    let mut tapes = Tapes::new(services.tape.clone(), &inputs.model_files)?;
    let journal = match config.strategy {
        Strategy::Hybrid => {
            hybrid(config, &markets, services, &mut tapes, &mut open, options)?;
            None
        }
        Strategy::Agents => Some(agents(config, inputs, &markets, services, &mut tapes, &mut open, options)?),
    };
    let (asked, replayed) = tapes.save()?;
    open.measured("model_calls_asked", asked as f64);
    open.measured("model_calls_replayed", replayed as f64);
    let manifest = open.finish()?;
    if let Some(journal) = journal {
        journal.remove();
    }
    Ok(manifest)
}

/// What the agents of a run may take, before it begins.
///
/// # Errors
/// A setting without meaning, or an input that cannot be read.
pub fn estimate(config: &AgentConfig, inputs: &Inputs, reasoner: &str, sentiment: &str) -> Result<Estimate, Error> {
    config.check()?;
    Ok(Markets::read(config, inputs)?.estimate(config, reasoner, sentiment))
}

impl Markets {
    fn estimate(&self, config: &AgentConfig, reasoner: &str, sentiment: &str) -> Estimate {
        let bars = self.clock().values().map(|symbols| symbols.len() as u64).sum();
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        Estimate::of(&config.agents, bars, &texts, reasoner, sentiment)
    }
}

fn hybrid(
    config: &AgentConfig,
    markets: &Markets,
    services: Services<'_>,
    tapes: &mut Tapes,
    open: &mut OpenStage,
    options: &RunOptions<'_>,
) -> Result<(), Error> {
    let moods = if config.sentiment_weight == 0.0 {
        Moods::default()
    } else {
        let end = Timestamp::from_micros(i64::MAX);
        let mut news: Vec<News> = Vec::new();
        for market in markets.by_symbol.values() {
            news.extend(market.news.as_of(end).rows().iter().cloned());
        }
        let name = tapes.key(&services.sentiment_name);
        let provider = tapes.wrap("sentiment.parquet", &name, services.sentiment)?;
        Moods::read(provider.as_ref(), &news, options.progress)?
    };
    let mut decisions = Vec::new();
    for market in markets.by_symbol.values() {
        decisions.extend(decide(config, market, &moods));
    }
    open.fact("news_shortened_to_the_context", moods.shortened);
    open.fact("news_refused", moods.refused);
    write_decisions(open, markets, decisions)
}

fn write_decisions(open: &mut OpenStage, markets: &Markets, decisions: Vec<Decision>) -> Result<(), Error> {
    let count = |keep: fn(&Decision) -> bool| decisions.iter().filter(|d| keep(d)).count();
    open.fact("decisions", decisions.len());
    open.fact("decisions_with_a_position", count(|d| d.position != 0.0));
    open.fact("decisions_with_news", count(|d| d.sentiment.is_some()));
    open.fact("news_read", markets.news);
    open.count(markets.rows, decisions.len() as u64);
    open.write_rows("decisions.parquet", decisions)?;
    Ok(())
}

fn agents(
    config: &AgentConfig,
    inputs: &Inputs,
    markets: &Markets,
    services: Services<'_>,
    tapes: &mut Tapes,
    open: &mut OpenStage,
    options: &RunOptions<'_>,
) -> Result<Journal, Error> {
    let reasoner_name =
        services.reasoner.as_ref().map_or_else(|| services.sentiment_name.clone(), |(name, _)| name.clone());
    let plan = markets.estimate(config, &reasoner_name, &services.sentiment_name);
    tracing::info!(
        "agents: {} decisions, about {} model calls and at most {} tokens, {:.4} of money (with every repair {} calls, {:.4})",
        plan.decisions,
        plan.calls,
        plan.tokens,
        plan.money,
        plan.calls_at_most,
        plan.money_at_most
    );
    if config.agents.budget_money.is_some_and(|limit| plan.money > limit) {
        tracing::warn!(
            "agents: the budget may end before the run does; a stopped run goes on with a larger one and a cassette"
        );
    }
    let reads = config.agents.sources != Sources::FeaturesOnly && !markets.texts.is_empty();
    let seed = open.seed("agents");
    let Services { sentiment, sentiment_name, reasoner, web, .. } = services;
    let asked: (Open<'_>, String, _) = (sentiment, sentiment_name, reasoner);
    let voices = services::open(&config.agents, asked, tapes, reads, seed)?;
    let embedder: Arc<dyn Embedder> = match &inputs.embedder {
        Some(folder) if config.agents.retrieval.on || config.agents.memory.on => Arc::new(BertEmbedder::open(folder)?),
        _ => Arc::new(HashedEmbedder::default()),
    };
    let mut libraries = BTreeMap::new();
    if config.agents.retrieval.on {
        let recall = &config.agents.retrieval;
        for (symbol, market) in &markets.by_symbol {
            let library = Library::new(cases_of(market, recall.horizon_bars), embedder.clone(), &recall.ranking)?;
            libraries.insert(symbol.clone(), library);
        }
    }
    let names = format!("{} {:?}", voices.reasoner.name, voices.sentiment.as_ref().map(|v| v.name.as_str()));
    let fingerprint = format!("{names} {} {}", embedder.name(), open.inputs_fingerprint());
    let reasoner = Reasoner::new(voices.reasoner, voices.simulation, config, seed.derive("sampling"))?;
    let prompts: Vec<&str> = reasoner.prompt_versions().collect();
    open.fact("prompts", prompts);
    let team = Team { config: config.clone(), reasoner, sentiment: voices.sentiment, libraries, web };
    let journal = replay(&team, markets, &embedder, open.folder(), &fingerprint, options)?;
    open.fact("estimated", serde_json::to_value(plan).unwrap_or_default());
    write(open, markets, &journal)?;
    Ok(journal)
}

/// Decides on bar after bar, from the checkpoint on if there is one.
fn replay(
    team: &Team,
    markets: &Markets,
    embedder: &Arc<dyn Embedder>,
    folder: &Path,
    fingerprint: &str,
    options: &RunOptions<'_>,
) -> Result<Journal, Error> {
    let agents = &team.config.agents;
    let (mut journal, left) = Journal::open(folder, fingerprint)?;
    let begin =
        || Checkpoint { fingerprint: fingerprint.to_owned(), ledger: Ledger::new(agents), ..Checkpoint::default() };
    let mut checkpoint = left.unwrap_or_else(begin);
    if checkpoint.decisions > 0 {
        tracing::info!("agents: goes on after {} decisions", checkpoint.decisions);
    }
    let mut states = BTreeMap::new();
    for symbol in markets.by_symbol.keys() {
        let saved = checkpoint.states.get(symbol).cloned().unwrap_or_default();
        states.insert(symbol.clone(), State::restore(agents, saved, embedder.clone())?);
    }
    let mut pace = Pace::new(agents.checkpoint_decisions);
    let clock = markets.clock();
    let turns = clock.iter().flat_map(|(t, symbols)| symbols.iter().map(|symbol| (*t, *symbol)));
    let ticker = options.progress.start("deciding", clock.values().map(|symbols| symbols.len() as u64).sum());
    for (t, symbol) in turns.skip(checkpoint.decisions as usize) {
        let (Some(market), Some(state)) = (markets.by_symbol.get(symbol), states.get_mut(symbol)) else { continue };
        let Some((rows, step)) = team.decide(market, state, &mut checkpoint.ledger, checkpoint.step, t)? else {
            continue;
        };
        checkpoint.step = step;
        checkpoint.decisions += 1;
        journal.append(&rows)?;
        if pace.due(checkpoint.decisions) {
            pace.save(|| {
                checkpoint.states = states.iter().map(|(symbol, state)| (symbol.clone(), state.save())).collect();
                journal.checkpoint(&mut checkpoint)
            })?;
        }
        ticker.at(checkpoint.decisions, symbol);
    }
    Ok(journal)
}

/// What is counted while the journal becomes tables.
#[derive(Default)]
struct Counts {
    events: BTreeMap<String, u64>,
    supported: u64,
    claims: u64,
    costs: (u64, u64, u64, f64),
}

/// Turns the journal into tables, one decision in memory at a time (but for the decisions themselves, which are ordered anew).
fn write(open: &mut OpenStage, markets: &Markets, journal: &Journal) -> Result<(), Error> {
    let mut decisions: Vec<Decision> = Vec::new();
    let mut counts = Counts::default();
    let mut traces = open.writer::<Trace>("traces.parquet")?;
    let mut facts = open.writer::<Fact>("facts.parquet")?;
    let mut opinions = open.writer::<Opinion>("opinions.parquet")?;
    let mut checked = open.writer::<CheckedClaim>("checked_claims.parquet")?;
    let mut injected = open.writer::<CheckedClaim>("injected.parquet")?;
    let mut costs = open.writer::<Cost>("costs.parquet")?;
    for rows in journal.read()? {
        let rows: StepRows = rows?;
        counts.add(&rows);
        decisions.extend(rows.decision);
        rows.traces.into_iter().try_for_each(|row| traces.push(row))?;
        rows.facts.into_iter().try_for_each(|row| facts.push(row))?;
        rows.opinions.into_iter().try_for_each(|row| opinions.push(row))?;
        rows.checked.into_iter().try_for_each(|row| checked.push(row))?;
        rows.injected.into_iter().try_for_each(|row| injected.push(row))?;
        rows.costs.into_iter().try_for_each(|row| costs.push(row))?;
    }
    open.add_rows("traces.parquet", traces)?;
    open.add_rows("facts.parquet", facts)?;
    open.add_rows("opinions.parquet", opinions)?;
    open.add_rows("checked_claims.parquet", checked)?;
    open.add_rows("injected.parquet", injected)?;
    open.add_rows("costs.parquet", costs)?;
    for event in Event::ALL {
        open.fact(
            &format!("traces_{}", event.as_str().replace('-', "_")),
            counts.events.get(event.as_str()).copied().unwrap_or(0),
        );
    }
    open.fact("claims", counts.claims);
    open.fact("claims_supported", counts.supported);
    let (calls, prompt_tokens, answer_tokens, money) = counts.costs;
    open.fact("model_calls", calls);
    open.fact("model_prompt_tokens", prompt_tokens);
    open.fact("model_answer_tokens", answer_tokens);
    open.fact("model_cost", money);
    open.fact("model_cost_per_decision", if decisions.is_empty() { 0.0 } else { money / decisions.len() as f64 });
    // The journal goes by time, decisions by symbol.
    decisions.sort_by(|a, b| a.symbol.cmp(&b.symbol).then(a.bar_at.cmp(&b.bar_at)));
    write_decisions(open, markets, decisions)
}

impl Counts {
    fn add(&mut self, rows: &StepRows) {
        for trace in &rows.traces {
            *self.events.entry(trace.event.as_str().to_owned()).or_default() += 1;
        }
        self.claims += rows.checked.len() as u64;
        self.supported += rows.checked.iter().filter(|c| c.verdict == "supported").count() as u64;
        for cost in &rows.costs {
            self.costs.0 += cost.calls;
            self.costs.1 += cost.prompt_tokens;
            self.costs.2 += cost.answer_tokens;
            self.costs.3 += cost.money;
        }
    }
}
