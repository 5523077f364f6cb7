use super::message::Message;
use super::{Role, ledger::Ledger};
use crate::Error;
use crate::tools::{Draft, Known, Tool, moment};
use artifacts::Timestamp;
use artifacts::rows::{CheckedClaim, Cost, Decision, Event, Fact, FactKind, Opinion, Trace};
use providers::Usage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that one decision writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRows {
    /// What was decided.
    pub decision: Option<Decision>,
    /// How it came about.
    pub traces: Vec<Trace>,
    /// What was known.
    pub facts: Vec<Fact>,
    /// Who thought what.
    pub opinions: Vec<Opinion>,
    /// Whose claims hold.
    pub checked: Vec<CheckedClaim>,
    /// Errors that the simulated reasoner put in on purpose.
    pub injected: Vec<CheckedClaim>,
    /// What it took.
    pub costs: Vec<Cost>,
}

/// The table that the agents sit at while they decide on one bar: the facts found so far, what was said, what it cost.
pub struct Desk<'a> {
    /// What could be known.
    pub known: Known<'a>,
    /// The instrument.
    pub symbol: String,
    /// The bar.
    pub bar_at: Timestamp,
    /// What the run has taken.
    pub ledger: &'a mut Ledger,
    /// Place of the next trace.
    step: u64,
    rows: StepRows,
    relevance: BTreeMap<String, f64>,
    costs: BTreeMap<(String, String), Cost>,
}

/// A model call to log.
#[derive(Debug)]
pub struct Call<'a> {
    /// Who asks.
    pub agent: &'a str,
    /// Who is asked.
    pub provider: &'a str,
    /// The whole prompt.
    pub prompt: &'a str,
    /// The answer.
    pub answer: &'a str,
    /// Name and version of the prompt file.
    pub prompt_version: &'a str,
    /// Ids of the facts cited.
    pub fact_ids: Vec<String>,
    /// What it took.
    pub usage: Usage,
    /// Which attempt, from 1.
    pub attempt: u32,
}

impl<'a> Desk<'a> {
    /// An empty desk; `step` is the place of its first trace. None where no bar is known.
    pub fn new(known: Known<'a>, ledger: &'a mut Ledger, step: u64) -> Option<Self> {
        let bar = known.bars.latest()?;
        Some(Self {
            known,
            symbol: bar.symbol.clone(),
            bar_at: bar.event_at,
            ledger,
            step,
            rows: StepRows::default(),
            relevance: BTreeMap::new(),
            costs: BTreeMap::new(),
        })
    }

    /// The moment.
    pub fn t(&self) -> Timestamp {
        self.known.t()
    }

    /// Asks a tool and keeps what it finds. Returns the facts' ids, in the tool's order.
    ///
    /// # Errors
    /// The tool fails, or gives a fact that was not known yet.
    pub fn ask<T: Tool>(&mut self, role: Role, tool: &T, arguments: &T::Arguments) -> Result<Vec<String>, Error> {
        let drafts = tool.call(arguments, &self.known)?;
        let t = self.t();
        if let Some(ahead) = drafts.iter().find(|d| d.available_at > t) {
            let (name, available_at) = (ahead.name.clone(), ahead.available_at);
            return Err(Error::LooksAhead { tool: T::NAME, t, name, available_at });
        }
        let ids: Vec<String> = drafts.into_iter().map(|draft| self.add(draft)).collect();
        let request = serde_json::json!({"tool": T::NAME, "arguments": arguments}).to_string();
        let response = self.texts(&ids).join("\n");
        self.trace(role.name(), Event::ToolCall, request, response, ids.clone());
        Ok(ids)
    }

    /// Keeps a fact; one that is there already keeps its id.
    pub fn add(&mut self, draft: Draft) -> String {
        let same = |f: &&Fact| {
            (f.kind, f.event_at) == (draft.kind, draft.event_at) && f.name == draft.name && f.text == draft.text
        };
        if let Some(fact) = self.rows.facts.iter().find(same) {
            return fact.id.clone();
        }
        let place = self.rows.facts.iter().filter(|f| f.kind == draft.kind).count() + 1;
        let id = format!("{}@{}/{}/{place}", self.symbol, self.bar_at, draft.kind);
        self.relevance.insert(id.clone(), draft.relevance);
        self.rows.facts.push(Fact {
            id: id.clone(),
            symbol: self.symbol.clone(),
            bar_at: self.bar_at,
            kind: draft.kind,
            name: draft.name,
            event_at: draft.event_at,
            available_at: draft.available_at,
            value: draft.value,
            unit: draft.unit,
            text: draft.text,
        });
        id
    }

    /// The fact of an id.
    pub fn fact(&self, id: &str) -> Option<&Fact> {
        self.rows.facts.iter().find(|f| f.id == id)
    }

    /// A fact as a prompt shows it: with its moment where that is not the bar's.
    pub fn line(&self, id: &str) -> Option<String> {
        let fact = self.fact(id)?;
        let dated = fact.kind == FactKind::News || fact.event_at != fact.bar_at;
        Some(if dated { format!("{}: {}", moment(fact.event_at), fact.text) } else { fact.text.clone() })
    }

    /// How much a fact matters where not all have room.
    pub fn relevance(&self, id: &str) -> f64 {
        self.relevance.get(id).copied().unwrap_or(0.0)
    }

    fn texts(&self, ids: &[String]) -> Vec<String> {
        ids.iter().filter_map(|id| Some(format!("{id}: {}", self.fact(id)?.text))).collect()
    }

    /// Logs a step that asked no model.
    pub fn trace(&mut self, agent: &str, event: Event, request: String, response: String, fact_ids: Vec<String>) {
        self.push(agent, event, request, response, fact_ids, None);
    }

    /// Logs a model's answer and what it took.
    pub fn model_call(&mut self, event: Event, call: &Call<'_>) {
        let money = self.ledger.charge(call.provider, call.usage);
        let key = (call.agent.to_owned(), call.provider.to_owned());
        let cost = self.costs.entry(key).or_insert_with(|| Cost {
            symbol: self.symbol.clone(),
            bar_at: self.bar_at,
            agent: call.agent.to_owned(),
            provider: call.provider.to_owned(),
            calls: 0,
            prompt_tokens: 0,
            answer_tokens: 0,
            money: 0.0,
        });
        cost.calls += 1;
        cost.prompt_tokens += call.usage.prompt_tokens;
        cost.answer_tokens += call.usage.answer_tokens;
        cost.money += money;
        let (prompt, answer, ids) = (call.prompt.to_owned(), call.answer.to_owned(), call.fact_ids.clone());
        self.push(call.agent, event, prompt, answer, ids, Some(call));
    }

    fn push(
        &mut self,
        agent: &str,
        event: Event,
        request: String,
        response: String,
        fact_ids: Vec<String>,
        call: Option<&Call<'_>>,
    ) {
        let usage = call.map(|c| c.usage).unwrap_or_default();
        self.rows.traces.push(Trace {
            step: self.step,
            symbol: self.symbol.clone(),
            bar_at: self.bar_at,
            at: self.t(),
            agent: agent.to_owned(),
            event,
            request,
            response,
            prompt_version: call.map(|c| c.prompt_version.to_owned()).unwrap_or_default(),
            provider: call.map(|c| c.provider.to_owned()).unwrap_or_default(),
            fact_ids,
            prompt_tokens: usage.prompt_tokens,
            answer_tokens: usage.answer_tokens,
            attempt: call.map_or(1, |c| c.attempt),
        });
        self.step += 1;
    }

    /// One agent tells another.
    pub fn tell(&mut self, from: Role, to: Role, message: &Message) {
        let text = serde_json::to_string(message).unwrap_or_default();
        let cited = match message {
            Message::Report { view } | Message::Argument { view, .. } | Message::Proposal { view, .. } => {
                view.claims.iter().map(|c| c.fact.clone()).filter(|id| !id.is_empty()).collect()
            }
            _ => Vec::new(),
        };
        self.trace(from.name(), Event::Message, format!("to {to}"), text, cited);
    }

    /// What the verifier found about an opinion's claims, in place of what it found about an earlier one of that agent.
    pub fn set_opinion(&mut self, opinion: Opinion, checked: Vec<CheckedClaim>, injected: Vec<CheckedClaim>) {
        let agent = opinion.agent.clone();
        self.rows.opinions.retain(|o| o.agent != agent);
        self.rows.checked.retain(|c| c.agent != agent);
        self.rows.injected.retain(|c| c.agent != agent);
        self.rows.opinions.push(opinion);
        self.rows.checked.extend(checked);
        self.rows.injected.extend(injected);
    }

    /// The verdicts on one agent's claims.
    pub fn checked<'b>(&'b self, agent: &'b str) -> impl Iterator<Item = &'b CheckedClaim> + 'b {
        self.rows.checked.iter().filter(move |c| c.agent == agent)
    }

    /// Everything to write, and the place of the next trace.
    pub fn close(mut self, decision: Decision) -> (StepRows, u64) {
        self.rows.decision = Some(decision);
        self.rows.costs = self.costs.into_values().collect();
        (self.rows, self.step)
    }
}
