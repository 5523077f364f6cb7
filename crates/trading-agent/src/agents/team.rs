//! The agents of a run at work on one bar.

use super::calibrate::calibrated;
use super::config::{Coordination, Sources};
use super::critic;
use super::desk::{Call, Desk, StepRows};
use super::ledger::{Ledger, estimate};
use super::message::{Message, View};
use super::reasoner::{Question, Reasoner, Voice};
use super::risk::{Wanted, limit};
use super::state::State;
use super::{Role, supervisor};
use crate::decision::{Weighed, position, weigh};
use crate::memory::{Pending, situation};
use crate::tools::{
    CalculateVolatility, CalculateVolatilityArguments, Draft, GetFeatures, GetFeaturesArguments, GetNews,
    GetNewsArguments, GetPriceData, GetPriceDataArguments, LlmSentiment, LlmSentimentArguments, SearchNews,
    SearchNewsArguments, SimilarCases, SimilarCasesArguments, WebSearch, WebSearchArguments, WebTool, clip, volatility,
};
use crate::{AgentConfig, Error, Market, mood};
use artifacts::Timestamp;
use artifacts::rows::{Decision, Event, FactKind};
use providers::Usage;
use retrieval::Library;
use std::collections::BTreeMap;

/// Everyone and everything that a run's decisions need.
pub struct Team {
    /// All settings.
    pub config: AgentConfig,
    /// Who reasons.
    pub reasoner: Reasoner,
    /// The tuned model that reads texts; none where no text is shown.
    pub sentiment: Option<Voice>,
    /// Past cases by symbol; empty where they are not looked up.
    pub libraries: BTreeMap<String, Library>,
    /// A search engine, if there is one.
    pub web: Option<Box<dyn WebSearch>>,
}

/// What has been said about one bar so far.
pub(crate) struct Table {
    /// The analysts' and debaters' views, by agent.
    pub(crate) views: Vec<(String, View)>,
    /// Facts of those views.
    pub(crate) opinions: Vec<String>,
    /// Facts that tools have found.
    pub(crate) found: Vec<String>,
    /// What the numbers say without any agent.
    pub(crate) weighed: Weighed,
    /// What is known, in the words of memory.
    pub(crate) situation: String,
}

impl Team {
    /// Decides on the bar that is the latest at `t`; `step` is the place of its first trace. Returns everything to write and the
    /// place of the next trace; none where no bar is known yet.
    ///
    /// # Errors
    /// The budget is spent, a provider fails, or a tool looks ahead.
    pub fn decide(
        &self,
        market: &Market,
        state: &mut State,
        ledger: &mut Ledger,
        step: u64,
        t: Timestamp,
    ) -> Result<Option<(StepRows, u64)>, Error> {
        let known = market.as_of(t);
        let Some(mut desk) = Desk::new(known.clone(), ledger, step) else { return Ok(None) };
        let Some(bar) = known.bars.latest() else { return Ok(None) };
        state.settle(&self.config, &known)?;
        self.read_texts(&mut desk, state)?;
        let mut config = self.config.clone();
        match config.agents.sources {
            Sources::Both => {}
            Sources::TextOnly => {
                config.technical_weight = 0.0;
                config.observations.clear();
            }
            Sources::FeaturesOnly => config.sentiment_weight = 0.0,
        }
        let (window, half_life) = (config.news_window_seconds, config.news_half_life_seconds);
        let read = state.saved.readings.decayed(&known.news, window, half_life, config.news_prior);
        let (mood, news_ids) = read.map_or((None, Vec::new()), |(mood, ids)| (Some(mood), ids));
        let weighed = weigh(&config, &known, mood);
        let situation = situation(&known, mood, weighed.trend);
        let mut table = Table { views: Vec::new(), opinions: Vec::new(), found: Vec::new(), weighed, situation };
        let view = match config.agents.coordination {
            Coordination::Pipeline => self.pipeline(&mut desk, state, &mut table)?,
            Coordination::Supervisor => supervisor::run(self, &mut desk, state, &mut table)?,
        };
        let (position, confidence, words) = self.order(&mut desk, state, &table, &view);
        let mut fact_ids: Vec<String> = Vec::new();
        for (_, view) in table.views.iter().map(|(agent, view)| (agent.as_str(), view)).chain([("trader", &view)]) {
            for claim in view.claims.iter().filter(|c| !c.fact.is_empty()) {
                if !fact_ids.contains(&claim.fact) {
                    fact_ids.push(claim.fact.clone());
                }
            }
        }
        state.saved.pending.push_back(Pending {
            bar_at: bar.event_at,
            close: bar.close,
            position,
            direction: direction(view.weighted()),
            confidence: view.confidence,
            situation: table.situation,
            age: 0,
        });
        let decision = Decision {
            symbol: bar.symbol.clone(),
            bar_at: bar.event_at,
            decided_at: t,
            position,
            sentiment: mood,
            technical: table.weighed.trend,
            news_ids,
            confidence: Some(confidence),
            fact_ids,
            rationale: words,
        };
        Ok(Some(desk.close(decision)))
    }

    /// Has the tuned model read each text that is new.
    fn read_texts(&self, desk: &mut Desk<'_>, state: &mut State) -> Result<(), Error> {
        let Some(voice) = &self.sentiment else { return Ok(()) };
        let news = desk.known.news.within(self.config.news_window_seconds);
        for item in news {
            if state.saved.readings.has(&item.id) {
                continue;
            }
            let usage = Usage { prompt_tokens: estimate(&item.text) + 16, answer_tokens: 1 };
            desk.ledger.hold(&voice.name, usage)?;
            let (score, answer) = match mood::score(voice.provider.as_ref(), item) {
                Ok((score, false)) => (Some(score), format!("{score:+.4}")),
                Ok((score, true)) => (Some(score), format!("{score:+.4} (shortened to the context)")),
                Err(Error::Provider(refusal)) if refusal.is_refusal() => (None, format!("not read: {refusal}")),
                Err(other) => return Err(other),
            };
            state.saved.readings.note(&item.id, score);
            let call = Call {
                agent: Role::SentimentAnalyst.name(),
                provider: &voice.name,
                prompt: &item.text,
                answer: &answer,
                prompt_version: mood::PROMPT_VERSION,
                fact_ids: Vec::new(),
                usage,
                attempt: 1,
            };
            desk.model_call(if score.is_some() { Event::ModelCall } else { Event::Failure }, &call);
        }
        Ok(())
    }

    /// The analysts that have something to read under these settings.
    pub(crate) fn analysts(&self) -> impl Iterator<Item = Role> {
        let sources = self.config.agents.sources;
        Role::ANALYSTS.into_iter().filter(move |role| match sources {
            Sources::Both => true,
            Sources::TextOnly => role.reads_text(),
            Sources::FeaturesOnly => !role.reads_text(),
        })
    }

    /// Everyone in a fixed order.
    fn pipeline(&self, desk: &mut Desk<'_>, state: &mut State, table: &mut Table) -> Result<View, Error> {
        let analysts: Vec<Role> = self.analysts().collect();
        for role in analysts {
            let facts = self.look_up(desk, state, table, role)?;
            self.analyse(desk, table, role, facts)?;
        }
        for round in 1..=self.config.agents.debate_rounds {
            self.debate(desk, table, round)?;
        }
        let mut view = self.propose(desk, state, table, "")?;
        let reasons = self.criticise(desk, &view);
        if !reasons.is_empty() {
            view = self.propose(desk, state, table, &reasons.join(" "))?;
        }
        Ok(view)
    }

    /// What an analyst's tools find.
    pub(crate) fn look_up(
        &self,
        desk: &mut Desk<'_>,
        state: &State,
        table: &mut Table,
        role: Role,
    ) -> Result<Vec<String>, Error> {
        let (config, agents) = (&self.config, &self.config.agents);
        let characters = agents.fact_characters;
        let mut facts = Vec::new();
        match role {
            Role::NewsAnalyst => {
                let arguments = GetNewsArguments { age_seconds: config.news_window_seconds, limit: agents.news_items };
                facts.extend(desk.ask(role, &GetNews { characters }, &arguments)?);
                let Some(newest) = desk.known.news.latest() else { return Ok(facts) };
                let query = clip(&newest.text, 400);
                if agents.search_items > 0 {
                    let arguments = SearchNewsArguments {
                        query: query.clone(),
                        older_than_seconds: config.news_window_seconds,
                        limit: agents.search_items,
                    };
                    facts.extend(desk.ask(role, &SearchNews { characters, words: &state.words }, &arguments)?);
                }
                if let Some(library) = self.libraries.get(&desk.symbol) {
                    let horizon_bars = agents.retrieval.horizon_bars;
                    let tool = SimilarCases { library, characters, horizon_bars };
                    facts.extend(desk.ask(
                        role,
                        &tool,
                        &SimilarCasesArguments { query: query.clone(), k: agents.retrieval.k },
                    )?);
                }
                if let Some(engine) = &self.web {
                    let tool = WebTool::new(engine.as_ref(), characters);
                    facts.extend(desk.ask(role, &tool, &WebSearchArguments { query, limit: agents.search_items })?);
                    if tool.refused() > 0 {
                        let response = format!("{} pages refused: no date, or published later", tool.refused());
                        desk.trace(role.name(), Event::Failure, "web_search".into(), response, Vec::new());
                    }
                }
            }
            Role::TechnicalAnalyst => {
                let tool = GetPriceData { currency: agents.currency.clone() };
                facts.extend(desk.ask(role, &tool, &GetPriceDataArguments { bars: config.momentum_bars })?);
                let arguments =
                    CalculateVolatilityArguments { bars: config.volatility_bars, trend_bars: config.momentum_bars };
                facts.extend(desk.ask(role, &CalculateVolatility, &arguments)?);
            }
            Role::MarketAnalyst => {
                let preferred = config.observations.keys().chain(&agents.features).map(String::as_str).collect();
                let tool = GetFeatures { preferred };
                let arguments =
                    GetFeaturesArguments { names: agents.features.clone(), age_seconds: agents.feature_age_seconds };
                facts.extend(desk.ask(role, &tool, &arguments)?);
            }
            Role::SentimentAnalyst => {
                let arguments = LlmSentimentArguments {
                    window_seconds: config.news_window_seconds,
                    half_life_seconds: config.news_half_life_seconds,
                    prior: config.news_prior,
                    limit: agents.news_items,
                };
                let tool = LlmSentiment { readings: &state.saved.readings };
                facts.extend(desk.ask(role, &tool, &arguments)?);
            }
            _ => {}
        }
        table.found.extend(facts.iter().cloned());
        Ok(facts)
    }

    /// An analyst's report to the trader.
    pub(crate) fn analyse(
        &self,
        desk: &mut Desk<'_>,
        table: &mut Table,
        role: Role,
        facts: Vec<String>,
    ) -> Result<Option<View>, Error> {
        let question = Question { role, agent: role.name().to_owned(), facts, objections: "" };
        let Some(view) = self.reasoner.ask(desk, &question)? else { return Ok(None) };
        desk.tell(role, Role::Trader, &Message::Report { view: view.clone() });
        table.hear(desk, role.name(), &view);
        Ok(Some(view))
    }

    /// One round of bull against bear.
    pub(crate) fn debate(&self, desk: &mut Desk<'_>, table: &mut Table, round: u32) -> Result<(), Error> {
        for (role, other) in [(Role::Bull, Role::Bear), (Role::Bear, Role::Bull)] {
            let agent = if round == 1 { role.name().to_owned() } else { format!("{role}-{round}") };
            let facts = table.opinions.iter().chain(&table.found).cloned().collect();
            let question = Question { role, agent: agent.clone(), facts, objections: "" };
            if let Some(view) = self.reasoner.ask(desk, &question)? {
                desk.tell(role, other, &Message::Argument { round, view: view.clone() });
                table.hear(desk, &agent, &view);
            }
        }
        Ok(())
    }

    /// What the trader wants, after hearing everyone.
    pub(crate) fn propose(
        &self,
        desk: &mut Desk<'_>,
        state: &State,
        table: &mut Table,
        objections: &str,
    ) -> Result<View, Error> {
        let t = desk.t();
        let held = state.saved.account.position;
        let bar_at = desk.bar_at;
        let own = |name: &str, value: f64, text: String| Draft {
            kind: FactKind::Observation,
            name: name.to_owned(),
            event_at: bar_at,
            available_at: t,
            value: Some(value),
            unit: String::new(),
            text,
            relevance: 2.0,
        };
        let mut facts = table.opinions.clone();
        facts.push(desk.add(own("position", held, format!("position = {held:+.2}"))));
        if self.config.agents.memory.on {
            let recalled = state.memory.recall(&table.situation, t)?;
            let ids: Vec<String> = recalled.into_iter().map(|draft| desk.add(draft)).collect();
            let response = format!("{} past decisions", ids.len());
            desk.trace(Role::Trader.name(), Event::Memory, table.situation.clone(), response, ids.clone());
            facts.extend(ids);
        }
        facts.extend(table.found.iter().cloned());
        let agent = Role::Trader.name().to_owned();
        let question = Question { role: Role::Trader, agent, facts, objections };
        let view = self.reasoner.ask(desk, &question)?;
        let view = view.unwrap_or_else(|| View::neutral(Role::Trader, "nothing is known"));
        let position = position(&self.config, view.weighted());
        desk.tell(Role::Trader, Role::RiskManager, &Message::Proposal { view: view.clone(), position });
        Ok(view)
    }

    /// The critic's objections; told to the trader where there are any.
    pub(crate) fn criticise(&self, desk: &mut Desk<'_>, view: &View) -> Vec<String> {
        if !self.config.agents.critic || view.weight == 0.0 {
            return Vec::new();
        }
        let reasons = critic::objections(view, desk.checked(Role::Trader.name()));
        if !reasons.is_empty() {
            desk.tell(Role::Critic, Role::Trader, &Message::Objection { reasons: reasons.clone() });
        }
        reasons
    }

    /// Score to position within the limits; with the confidence behind it and the reasons in words.
    fn order(&self, desk: &mut Desk<'_>, state: &mut State, table: &Table, view: &View) -> (f64, f64, String) {
        let agents = &self.config.agents;
        let share = agents.hybrid_weight;
        let score = share * table.weighed.average + (1.0 - share) * view.weighted();
        let mut wanted = position(&self.config, score);
        let samples = state.saved.samples.make_contiguous();
        let probability = calibrated(&agents.calibration, samples, view.confidence);
        let confidence = probability.unwrap_or(view.confidence);
        if let Some(p) = probability {
            wanted *= (agents.calibration.gain * (2.0 * p - 1.0)).clamp(0.0, 1.0);
        }
        let volatility = volatility(&desk.known.bars, self.config.volatility_bars);
        let (position, limits) =
            limit(&agents.risk, &mut state.saved.account, Wanted { position: wanted, confidence, volatility });
        for limited in &limits {
            let response = format!("position {:+.4} became {:+.4}", limited.from, limited.to);
            desk.trace(Role::RiskManager.name(), Event::Limit, limited.limit.clone(), response, Vec::new());
        }
        let names: Vec<&str> = limits.iter().map(|l| l.limit.as_str()).collect();
        let limited = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let words = format!(
            "trader {:+.2} (confidence {:.2}): {}; {}score {score:+.2}, position {position:+.2}{limited}",
            view.score, view.confidence, view.rationale, table.weighed.words
        );
        desk.tell(Role::RiskManager, Role::Coordinator, &Message::Order { position, limits });
        (position, confidence, words)
    }
}

/// 1, -1, or 0 where a score has no direction.
fn direction(score: f64) -> f64 {
    if score == 0.0 { 0.0 } else { score.signum() }
}

impl Table {
    /// Keeps a view as a fact that others may cite.
    pub(crate) fn hear(&mut self, desk: &mut Desk<'_>, agent: &str, view: &View) {
        let score = view.weighted();
        let leans = match score {
            s if s >= 0.005 => "bullish",
            s if s <= -0.005 => "bearish",
            _ => "neutral",
        };
        let text =
            format!("{}: {leans}, score {score:+.2}, confidence {:.2}", agent.replace('-', " "), view.confidence);
        self.opinions.push(desk.add(Draft {
            kind: FactKind::Opinion,
            name: agent.to_owned(),
            event_at: desk.bar_at,
            available_at: desk.t(),
            value: Some(view.weighted()),
            unit: String::new(),
            text,
            relevance: 4.0,
        }));
        self.views.push((agent.to_owned(), view.clone()));
    }
}
