//! A small market, a reader of its texts, and a team that decides on it in memory.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::cast_possible_wrap,
    reason = "each test file uses its part"
)]

use artifacts::rows::{Bar, News, Observation};
use artifacts::{Seed, Timeline, Timestamp};
use providers::Provider;
use providers::testing::Scripted;
use retrieval::{Embedder, HashedEmbedder, Library};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use trading_agent::agents::{Ledger, Reasoner, ReasonerKind, Saved, Simulated, State, StepRows, Team, Voice};
use trading_agent::decision::Gauge;
use trading_agent::tools::cases_of;
use trading_agent::{AgentConfig, Inputs, Market, Strategy};

pub const STEP: i64 = 600;

pub fn bar(i: usize, close: f64) -> Bar {
    let event_at = Timestamp::from_seconds(i as i64 * STEP);
    let (available_at, symbol) = (event_at.plus_seconds(STEP), "X".to_owned());
    Bar { symbol, event_at, available_at, open: None, high: None, low: None, close, volume: None }
}

pub fn news(id: usize, at: i64, delay: i64, text: &str) -> News {
    let event_at = Timestamp::from_seconds(at);
    News {
        id: format!("n{id:04}"),
        symbol: "X".into(),
        event_at,
        available_at: event_at.plus_seconds(delay),
        text: text.to_owned(),
        source: "test".into(),
    }
}

pub fn observation(at: i64, value: f64) -> Observation {
    let event_at = Timestamp::from_seconds(at);
    Observation { symbol: "X".into(), name: "index".into(), event_at, available_at: event_at.plus_seconds(STEP), value }
}

/// Texts of which `reader` finds half good and half bad.
pub fn text(i: usize) -> String {
    let what =
        ["profit rose", "profit fell", "a large order came in", "a mine was closed", "the court ruled for the firm"];
    format!("Report {i}: {} at Acme, said the chairman of the board on Monday.", what[i % what.len()])
}

pub fn close(i: usize) -> f64 {
    100.0 + 8.0 * (i as f64 * 0.7).sin() + 3.0 * (i as f64 * 2.3).cos()
}

/// Bars, a text every other bar, a number every bar.
pub fn rows(bars: usize) -> (Vec<Bar>, Vec<News>, Vec<Observation>) {
    let texts = (0..bars).step_by(2).map(|i| news(i, i as i64 * STEP, 120, &text(i))).collect();
    let numbers = (0..bars).map(|i| observation(i as i64 * STEP, 50.0 + 30.0 * (i as f64).sin())).collect();
    ((0..bars).map(|i| bar(i, close(i))).collect(), texts, numbers)
}

pub fn reader() -> Scripted {
    Scripted::saying("no").scoring(|question, answers| {
        let good = question.len() % 2 == 0;
        answers.iter().map(|a| if (*a == "positive") == good && *a != "neutral" { 0.8 } else { 0.1 }).collect()
    })
}

pub fn config() -> AgentConfig {
    let observations = BTreeMap::from([("index".to_owned(), Gauge { center: 50.0, scale: 50.0, weight: 0.5 })]);
    let mut config = AgentConfig {
        strategy: Strategy::Agents,
        momentum_bars: 3,
        volatility_bars: 5,
        dead_band: 0.0,
        news_window_seconds: 6 * STEP,
        observations,
        ..AgentConfig::default()
    };
    config.agents.simulation.error_rate = 0.2;
    config.agents.simulation.malformed_rate = 0.1;
    config.agents.context_tokens = 512;
    config.agents.answer_tokens = 192;
    config
}

/// Everything switched on that looks at the past.
pub fn config_with_memory() -> AgentConfig {
    let mut config = config();
    config.agents.retrieval.on = true;
    config.agents.retrieval.horizon_bars = 2;
    config.agents.memory.on = true;
    config.agents.memory.horizon_bars = 2;
    config.agents.memory.capacity = 6;
    config.agents.grounding_filter.on = true;
    config.agents.calibration.method = trading_agent::agents::CalibrationMethod::Isotonic;
    config.agents.calibration.min_samples = 4;
    config.agents.calibration.horizon_bars = 1;
    config
}

/// What the agents write about each bar, asked in memory.
pub fn decide_with(config: &AgentConfig, market: &Market, reasoner: Option<Box<dyn Provider>>) -> Vec<StepRows> {
    let simulation = Arc::new(Simulated::new(Seed(7), &config.agents.simulation));
    let (provider, simulation) = match reasoner {
        Some(provider) => (provider, None),
        None => (Box::new(simulation.clone()) as Box<dyn Provider>, Some(simulation)),
    };
    assert!(simulation.is_none() || config.agents.reasoner == ReasonerKind::Simulation);
    let voice = Voice { provider, name: "reasoner".into() };
    let embedder: Arc<dyn Embedder> = Arc::new(HashedEmbedder::default());
    let recall = &config.agents.retrieval;
    let mut libraries = BTreeMap::new();
    if recall.on {
        let cases = cases_of(market, recall.horizon_bars);
        libraries.insert("X".to_owned(), Library::new(cases, embedder.clone(), &recall.ranking).unwrap());
    }
    let team = Team {
        config: config.clone(),
        reasoner: Reasoner::new(voice, simulation, config, Seed(8)).unwrap(),
        sentiment: Some(Voice { provider: Box::new(reader()), name: "reader".into() }),
        libraries,
        web: None,
    };
    let mut state = State::restore(&config.agents, Saved::default(), embedder).unwrap();
    let (mut ledger, mut step, mut all) = (Ledger::new(&config.agents), 0, Vec::new());
    for t in market.bars.clock() {
        let (rows, next) = team.decide(market, &mut state, &mut ledger, step, t).unwrap().unwrap();
        step = next;
        all.push(rows);
    }
    all
}

pub fn decide(config: &AgentConfig, market: &Market) -> Vec<StepRows> {
    decide_with(config, market, None)
}

pub fn market(bars: Vec<Bar>, news: Vec<News>, observations: Vec<Observation>) -> Market {
    Market {
        bars: Timeline::new(bars).unwrap(),
        news: Timeline::new(news).unwrap(),
        observations: Timeline::new(observations).unwrap(),
    }
}

/// A market folder of so many bars.
pub fn folder(path: &Path, bars: usize) -> Inputs {
    let (bars, mut news, mut observations) = rows(bars);
    news.sort_by_key(|n| (n.available_at, n.event_at, n.id.clone()));
    observations.sort_by_key(|o| (o.available_at, o.event_at));
    std::fs::create_dir_all(path).unwrap();
    artifacts::write_all(&path.join("bars.parquet"), &bars).unwrap();
    artifacts::write_all(&path.join("news.parquet"), &news).unwrap();
    artifacts::write_all(&path.join("observations.parquet"), &observations).unwrap();
    Inputs::of(path)
}

/// The Parquet files of a folder, by name.
pub fn tables(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "parquet") {
            files.insert(path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap());
        }
    }
    files
}
