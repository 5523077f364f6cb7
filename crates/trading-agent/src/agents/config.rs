//! Settings of the system of agents.

use crate::Error;
use artifacts::settings::within;
use providers::Prices;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A hundred years in seconds: more is a mistake of unit.
pub(crate) const LONGEST: f64 = 100.0 * 365.25 * 86_400.0;

/// Who decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// A weighted average of the news' mood, the trend and other numbers: no dialogue, one pass.
    #[default]
    Hybrid,
    /// Analysts, a debate, a trader, a risk manager and a critic.
    Agents,
}

/// How the agents' work is ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coordination {
    /// Everyone in a fixed order at every bar.
    #[default]
    Pipeline,
    /// Observe, choose the next role, observe again, within `step_limit`: who has nothing new is not asked, and who agrees does
    /// not debate.
    Supervisor,
}

/// Who chooses the supervisor's next role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chooser {
    /// Fixed rules.
    #[default]
    Rules,
    /// The reasoning model, among the roles that the rules allow.
    Model,
}

/// Who reasons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonerKind {
    /// A seeded author that words the facts, with known errors.
    #[default]
    Simulation,
    /// A model on this machine, held to the answer's grammar.
    Local,
    /// A server that speaks the chat-completions protocol, held to the answer's JSON schema.
    Endpoint,
}

/// What the agents are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sources {
    /// Texts and numbers.
    #[default]
    Both,
    /// News and their mood; no numbers.
    TextOnly,
    /// Prices and features; no news.
    FeaturesOnly,
}

/// All settings of `strategy = "agents"`; what weighs news and numbers is shared with the hybrid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentsConfig {
    /// How the agents' work is ordered.
    pub coordination: Coordination,
    /// Who chooses the supervisor's next role.
    pub chooser: Chooser,
    /// Steps that the supervisor may take at one bar.
    pub step_limit: u32,
    /// Analysts whose scores lie further apart than this debate (supervisor only).
    pub disagreement: f64,
    /// What the agents are shown.
    pub sources: Sources,
    /// Rounds of bull against bear; 0: no debate.
    pub debate_rounds: u32,
    /// Whether the trader's proposal is checked, and asked for once more where it contradicts itself or its facts.
    pub critic: bool,
    /// Share of the numeric hybrid in the score that becomes a position, from 0 to 1; the rest is the trader's.
    pub hybrid_weight: f64,
    /// Who reasons.
    pub reasoner: ReasonerKind,
    /// Of the simulated reasoner.
    pub simulation: SimulationConfig,
    /// Tokens that prompt and answer may have together. Facts that do not fit are left out, least relevant first.
    pub context_tokens: usize,
    /// Tokens that an answer may have.
    pub answer_tokens: usize,
    /// Characters that a token of the model stands for, at the least: how prompts are fitted to `context_tokens`.
    pub characters_per_token: f64,
    /// Longest wording of one fact, in characters.
    pub fact_characters: usize,
    /// How freely tokens are drawn; 0: always the likeliest.
    pub temperature: f64,
    /// How often an answer that cannot be read is asked for again.
    pub repairs: u32,
    /// What a million tokens cost, by the name of who is asked; who is not named costs nothing.
    pub prices: BTreeMap<String, Prices>,
    /// Tokens that the run may take; none: no limit.
    pub budget_tokens: Option<u64>,
    /// Money that the run may cost; none: no limit.
    pub budget_money: Option<f64>,
    /// After so many decisions there is a checkpoint to go on from; decisions since then are made anew, with the same outcome. None:
    /// about once a second, and less often where saving takes more than a twentieth of the time.
    pub checkpoint_decisions: Option<u64>,
    /// The currency of prices, as facts name it.
    pub currency: String,
    /// News shown to one agent at most.
    pub news_items: usize,
    /// Older news that a search may bring.
    pub search_items: usize,
    /// Names of the numbers shown; empty: all.
    pub features: Vec<String>,
    /// Numbers older than this many seconds are not shown.
    pub feature_age_seconds: i64,
    /// Hard limits.
    pub risk: RiskConfig,
    /// Claims that their facts do not support are dropped.
    pub grounding_filter: FilterConfig,
    /// Confidence learned from past outcomes.
    pub calibration: CalibrationConfig,
    /// Similar past cases.
    pub retrieval: RecallConfig,
    /// The agents' own past decisions.
    pub memory: MemoryConfig,
}

/// The simulated reasoner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulationConfig {
    /// Share of its claims that are made wrong on purpose.
    pub error_rate: f64,
    /// Share of its answers that cannot be read.
    pub malformed_rate: f64,
}

/// Hard limits that no opinion can lift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskConfig {
    /// Largest position, long or short.
    pub max_position: f64,
    /// Largest change of the position at one bar.
    pub max_change: f64,
    /// Below this confidence there is no position.
    pub min_confidence: f64,
    /// Positions shrink where one bar moves more than this many basis points (standard deviation); none: never.
    pub target_volatility_bps: Option<f64>,
    /// Out of the market after the decisions' own account has lost this share of its peak, as of the moment; none: never.
    pub max_drawdown: Option<f64>,
    /// Bars out of the market after that; the peak then counts anew.
    pub cooldown_bars: u32,
}

/// The filter on claims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilterConfig {
    /// Whether it runs.
    pub on: bool,
    /// An opinion of whose claims a smaller share is supported weighs only that share.
    pub min_supported: f64,
}

/// How confidence becomes a probability of being right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalibrationMethod {
    /// It is taken as given.
    #[default]
    Off,
    /// The best non-decreasing step function (pool adjacent violators).
    Isotonic,
    /// A logistic curve.
    Platt,
}

/// Confidence from past outcomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationConfig {
    /// How; off: confidence is taken as given.
    pub method: CalibrationMethod,
    /// Bars after which a decision's direction counts as right or wrong.
    pub horizon_bars: usize,
    /// Past decisions kept.
    pub window: usize,
    /// Before so many outcomes are known, confidence is taken as given.
    pub min_samples: usize,
    /// Positions are multiplied by `gain · (2p - 1)` within [0, 1], with p the learned probability of being right.
    pub gain: f64,
}

/// Similar past cases, out of all the market's news with what followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecallConfig {
    /// Whether they are looked up.
    pub on: bool,
    /// How many.
    pub k: usize,
    /// Bars over which a case's outcome is counted.
    pub horizon_bars: usize,
    /// How cases are ranked.
    pub ranking: retrieval::RetrievalConfig,
}

/// The agents' own past decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Whether they are recalled.
    pub on: bool,
    /// How many.
    pub k: usize,
    /// Bars after which a decision's outcome is known.
    pub horizon_bars: usize,
    /// Decisions kept; the oldest are forgotten.
    pub capacity: usize,
    /// After this many seconds a decision counts half.
    pub half_life_seconds: f64,
}

impl Default for AgentsConfig {
    fn default() -> Self {
        Self {
            coordination: Coordination::default(),
            chooser: Chooser::default(),
            step_limit: 12,
            disagreement: 0.3,
            sources: Sources::default(),
            debate_rounds: 1,
            critic: true,
            hybrid_weight: 0.5,
            reasoner: ReasonerKind::default(),
            simulation: SimulationConfig::default(),
            context_tokens: 1024,
            answer_tokens: 320,
            characters_per_token: 3.0,
            fact_characters: 160,
            temperature: 0.0,
            repairs: 1,
            prices: BTreeMap::new(),
            budget_tokens: None,
            budget_money: None,
            checkpoint_decisions: None,
            currency: "USD".into(),
            news_items: 4,
            search_items: 2,
            features: Vec::new(),
            feature_age_seconds: 24 * 3600,
            risk: RiskConfig::default(),
            grounding_filter: FilterConfig::default(),
            calibration: CalibrationConfig::default(),
            retrieval: RecallConfig::default(),
            memory: MemoryConfig::default(),
        }
    }
}

impl Default for SimulationConfig {
    fn default() -> Self {
        Self { error_rate: 0.1, malformed_rate: 0.02 }
    }
}

impl Default for RiskConfig {
    fn default() -> Self {
        Self {
            max_position: 1.0,
            max_change: 0.5,
            min_confidence: 0.05,
            target_volatility_bps: None,
            max_drawdown: Some(0.2),
            cooldown_bars: 24,
        }
    }
}

impl Default for FilterConfig {
    fn default() -> Self {
        Self { on: false, min_supported: 0.75 }
    }
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        Self { method: CalibrationMethod::Off, horizon_bars: 3, window: 500, min_samples: 50, gain: 4.0 }
    }
}

impl Default for RecallConfig {
    fn default() -> Self {
        Self { on: false, k: 3, horizon_bars: 6, ranking: retrieval::RetrievalConfig::default() }
    }
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { on: false, k: 2, horizon_bars: 6, capacity: 500, half_life_seconds: 7.0 * 24.0 * 3600.0 }
    }
}

impl AgentsConfig {
    /// Refuses settings that have no meaning, or that ask for more than anyone can mean: an unbounded count is a run that never ends.
    ///
    /// # Errors
    /// The first setting out of its range, with what is allowed.
    pub fn check(&self) -> Result<(), Error> {
        let Self { simulation, risk, calibration, retrieval, memory, .. } = self;
        let some = |value: Option<f64>| value.unwrap_or(1.0);
        within(&[
            ("agents.step_limit", f64::from(self.step_limit), 1.0..=1000.0),
            ("agents.disagreement", self.disagreement, 0.0..=2.0),
            ("agents.debate_rounds", f64::from(self.debate_rounds), 0.0..=20.0),
            ("agents.hybrid_weight", self.hybrid_weight, 0.0..=1.0),
            ("agents.simulation.error_rate", simulation.error_rate, 0.0..=1.0),
            ("agents.simulation.malformed_rate", simulation.malformed_rate, 0.0..=1.0),
            ("agents.answer_tokens", self.answer_tokens as f64, 64.0..=1e6),
            // an answer and something to answer must fit
            ("agents.context_tokens", self.context_tokens as f64, self.answer_tokens as f64 + 128.0..=1e8),
            ("agents.characters_per_token", self.characters_per_token, 1.0..=100.0),
            ("agents.fact_characters", self.fact_characters as f64, 40.0..=1e6),
            ("agents.temperature", self.temperature, 0.0..=5.0),
            ("agents.repairs", f64::from(self.repairs), 0.0..=20.0),
            ("agents.budget_tokens", some(self.budget_tokens.map(|n| n as f64)), 0.0..=1e15),
            ("agents.budget_money", some(self.budget_money), 0.0..=1e12),
            ("agents.checkpoint_decisions", some(self.checkpoint_decisions.map(|n| n as f64)), 1.0..=1e9),
            ("agents.news_items", self.news_items as f64, 1.0..=1000.0),
            ("agents.search_items", self.search_items as f64, 0.0..=1000.0),
            ("agents.feature_age_seconds", self.feature_age_seconds as f64, 0.0..=LONGEST),
            ("agents.risk.max_position", risk.max_position, 0.0..=1.0),
            ("agents.risk.max_change", risk.max_change, 1e-6..=2.0),
            ("agents.risk.min_confidence", risk.min_confidence, 0.0..=1.0),
            ("agents.risk.target_volatility_bps", some(risk.target_volatility_bps), 1e-6..=1e6),
            ("agents.risk.max_drawdown", some(risk.max_drawdown), 0.0..=1.0),
            ("agents.risk.cooldown_bars", f64::from(risk.cooldown_bars), 0.0..=1e6),
            ("agents.grounding_filter.min_supported", self.grounding_filter.min_supported, 0.0..=1.0),
            ("agents.calibration.horizon_bars", calibration.horizon_bars as f64, 1.0..=1e6),
            ("agents.calibration.window", calibration.window as f64, 1.0..=1e6),
            ("agents.calibration.min_samples", calibration.min_samples as f64, 0.0..=1e6),
            ("agents.calibration.gain", calibration.gain, 0.0..=1000.0),
            ("agents.retrieval.k", retrieval.k as f64, 1.0..=1000.0),
            ("agents.retrieval.horizon_bars", retrieval.horizon_bars as f64, 1.0..=1e6),
            ("agents.retrieval.ranking.k1", retrieval.ranking.k1, 0.0..=1000.0),
            ("agents.retrieval.ranking.b", retrieval.ranking.b, 0.0..=1.0),
            ("agents.retrieval.ranking.rrf_k", retrieval.ranking.rrf_k, 0.0..=1e9),
            ("agents.retrieval.ranking.dense_weight", retrieval.ranking.dense_weight, 0.0..=1e6),
            ("agents.retrieval.ranking.lexical_weight", retrieval.ranking.lexical_weight, 0.0..=1e6),
            ("agents.retrieval.ranking.depth", retrieval.ranking.depth as f64, 1.0..=1e6),
            ("agents.retrieval.ranking.half_life_seconds", some(retrieval.ranking.half_life_seconds), 1e-3..=LONGEST),
            ("agents.retrieval.ranking.max_age_seconds", some(retrieval.ranking.max_age_seconds), 1e-3..=LONGEST),
            ("agents.memory.k", memory.k as f64, 1.0..=1000.0),
            ("agents.memory.horizon_bars", memory.horizon_bars as f64, 1.0..=1e6),
            ("agents.memory.capacity", memory.capacity as f64, 1.0..=1e6),
            ("agents.memory.half_life_seconds", memory.half_life_seconds, 1e-3..=LONGEST),
        ])?;
        for (who, prices) in &self.prices {
            for (name, value) in
                [("prompt_per_million", prices.prompt_per_million), ("answer_per_million", prices.answer_per_million)]
            {
                if !(0.0..=1e9).contains(&value) {
                    let value = format!("{value} for {}", artifacts::one_line(who));
                    return Err(Error::Setting { name, value, allowed: "from 0 to 1000000000" });
                }
            }
        }
        Ok(())
    }
}
