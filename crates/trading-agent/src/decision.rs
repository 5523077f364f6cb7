//! From what is known at a bar's close to a position.

use crate::agents::{AgentsConfig, LONGEST, Strategy};
use crate::mood::Moods;
use crate::tools::{Known, Mark};
use crate::{Error, technical};
use artifacts::rows::{Bar, Decision, News, Observation};
use artifacts::{AsOf, Timeline, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How the agent weighs what it knows. All parts are in [-1, 1]; parts that are unknown at a bar are left out of its average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentConfig {
    /// Who decides: the weighted average below, or a system of agents that has it as one voice.
    pub strategy: Strategy,
    /// Which fields of the news are read, by `source`; empty: all.
    pub news_sources: Vec<String>,
    /// News older than this many seconds is forgotten.
    pub news_window_seconds: i64,
    /// After this many seconds a text counts half.
    pub news_half_life_seconds: f64,
    /// Weight of an imaginary neutral text in the average: one fresh text alone gets 1 / (1 + prior) of its score.
    pub news_prior: f64,
    /// Weight of the news (0 switches the model off).
    pub sentiment_weight: f64,
    /// Weight of the price trend.
    pub technical_weight: f64,
    /// Bars of the trend.
    pub momentum_bars: usize,
    /// Bars of the volatility that the trend is measured in.
    pub volatility_bars: usize,
    /// Other numbers, by name: `(value - center) / scale`, clamped, with a weight. A category such as `mood=panic` is 1 while it is
    /// the newest of its column, and else 0.
    pub observations: BTreeMap<String, Gauge>,
    /// Weighted average to position: tanh(gain · average).
    pub gain: f64,
    /// Positions smaller than this become 0: not worth the costs.
    pub dead_band: f64,
    /// The system of agents; used where `strategy = "agents"`.
    pub agents: AgentsConfig,
}

/// How one observed number is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gauge {
    /// The value that says nothing.
    pub center: f64,
    /// How far from the center counts as full strength.
    pub scale: f64,
    /// Its weight; negative: high values speak against.
    pub weight: f64,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            news_sources: Vec::new(),
            news_window_seconds: 24 * 3600,
            news_half_life_seconds: 3.0 * 3600.0,
            news_prior: 0.5,
            sentiment_weight: 1.0,
            technical_weight: 0.25,
            momentum_bars: 12,
            volatility_bars: 48,
            observations: BTreeMap::new(),
            gain: 2.0,
            dead_band: 0.1,
            agents: AgentsConfig::default(),
        }
    }
}

/// Bars that an indicator may look back on.
const MOST_BARS: f64 = 100_000.0;

impl AgentConfig {
    /// Refuses settings that have no meaning.
    ///
    /// # Errors
    /// The first setting out of its range, with what is allowed.
    pub fn check(&self) -> Result<(), Error> {
        artifacts::settings::within(&[
            ("news_window_seconds", self.news_window_seconds as f64, 1.0..=LONGEST),
            ("news_half_life_seconds", self.news_half_life_seconds, 1e-3..=LONGEST),
            ("news_prior", self.news_prior, 0.0..=1e6),
            ("sentiment_weight", self.sentiment_weight, -1000.0..=1000.0),
            ("technical_weight", self.technical_weight, -1000.0..=1000.0),
            ("momentum_bars", self.momentum_bars as f64, 1.0..=MOST_BARS),
            ("volatility_bars", self.volatility_bars as f64, 2.0..=MOST_BARS),
            ("gain", self.gain, 0.0..=1000.0),
            ("dead_band", self.dead_band, 0.0..=1.0),
        ])?;
        for (name, gauge) in &self.observations {
            let bad = |field, value: f64, allowed| {
                let value = format!("{value} for {}", artifacts::one_line(name));
                Err(Error::Setting { name: field, value, allowed })
            };
            if !(1e-12..=1e12).contains(&gauge.scale) {
                return bad("observations.*.scale", gauge.scale, "above 0 and at most 1000000000000");
            }
            if !(-1e12..=1e12).contains(&gauge.center) {
                return bad("observations.*.center", gauge.center, "from -1000000000000 to 1000000000000");
            }
            if !(-1000.0..=1000.0).contains(&gauge.weight) {
                return bad("observations.*.weight", gauge.weight, "from -1000 to 1000");
            }
        }
        self.agents.check()
    }
}

/// Everything about one symbol, readable only as of a moment.
#[derive(Debug, Clone)]
pub struct Market {
    /// The prices.
    pub bars: Timeline<Bar>,
    /// The texts.
    pub news: Timeline<News>,
    /// The other numbers.
    pub observations: Timeline<Observation>,
}

/// One decision per bar, made at the bar's close.
pub fn decide(config: &AgentConfig, market: &Market, moods: &Moods) -> Vec<Decision> {
    market.bars.clock().into_iter().filter_map(|t| decide_at(config, market, moods, t)).collect()
}

/// The decision at `t`; none before the first bar.
pub fn decide_at(config: &AgentConfig, market: &Market, moods: &Moods, t: Timestamp) -> Option<Decision> {
    let known = market.as_of(t);
    let bar = known.bars.latest()?;
    let read = moods.decayed(&known.news, config.news_window_seconds, config.news_half_life_seconds, config.news_prior);
    let (sentiment, news_ids) = read.map_or((None, Vec::new()), |(score, ids)| (Some(score), ids));
    let weighed = weigh(config, &known, sentiment);
    let position = position(config, weighed.average);
    let mut rationale = weighed.words;
    write!(rationale, "average {:+.2}, position {position:+.2}", weighed.average).ok();
    Some(Decision {
        symbol: bar.symbol.clone(),
        bar_at: bar.event_at,
        decided_at: t,
        position,
        sentiment,
        technical: weighed.trend,
        news_ids,
        confidence: None,
        fact_ids: Vec::new(),
        rationale,
    })
}

/// A score in [-1, 1] as a position; 0 where it is not worth the costs.
pub(crate) fn position(config: &AgentConfig, average: f64) -> f64 {
    let wanted = (config.gain * average).tanh();
    if wanted.abs() < config.dead_band { 0.0 } else { wanted }
}

/// What mood, trend and other numbers say together.
pub(crate) struct Weighed {
    /// The weighted average of what is known, in [-1, 1]; 0 where nothing is.
    pub(crate) average: f64,
    /// The trend, where there are enough bars.
    pub(crate) trend: Option<f64>,
    /// The parts in words.
    pub(crate) words: String,
}

/// Weighs what is known, each part by its weight.
pub(crate) fn weigh(config: &AgentConfig, known: &Known<'_>, sentiment: Option<f64>) -> Weighed {
    let trend = technical::momentum(&known.bars, config.momentum_bars, config.volatility_bars);
    let mut parts = vec![("news", sentiment, config.sentiment_weight), ("trend", trend, config.technical_weight)];
    for (name, gauge) in &config.observations {
        parts.push((name, gauge.read(&known.observations, name), gauge.weight));
    }
    let (mut sum, mut weights, mut words) = (0.0, 0.0, String::new());
    for (name, value, weight) in &parts {
        if let Some(value) = value.filter(|_| *weight != 0.0) {
            sum += value * weight;
            weights += weight.abs();
            write!(words, "{name} {value:+.2} x {weight:.2}; ").ok();
        }
    }
    Weighed { average: if weights > 0.0 { sum / weights } else { 0.0 }, trend, words }
}

impl Gauge {
    fn read(&self, observations: &AsOf<'_, Observation>, name: &str) -> Option<f64> {
        let value = match Mark::of(name) {
            // 1 where this is the category now, 0 where another is.
            Some(mark) => f64::from(u8::from(mark.newest(observations)?.name == name)),
            None => observations.rows().iter().rev().find(|o| o.name == name)?.value,
        };
        Some(((value - self.center) / self.scale).clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_that_another_has_followed_counts_no_more() {
        let row = |at: i64, name: &str| {
            let event_at = Timestamp::from_seconds(at);
            Observation { symbol: "X".into(), name: name.into(), event_at, available_at: event_at, value: 1.0 }
        };
        let rows = Timeline::new(vec![row(1, "mood=panic"), row(2, "mood=fear")]).unwrap();
        let gauge = Gauge { center: 0.0, scale: 1.0, weight: -1.0 };
        let read = |t: i64| gauge.read(&rows.as_of(Timestamp::from_seconds(t)), "mood=panic");
        assert_eq!([0, 1, 2].map(read), [None, Some(1.0), Some(0.0)]);
    }
}
