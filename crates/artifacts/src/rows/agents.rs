use super::within;
use crate::column::text_enum;
use crate::row::rows;
use crate::{Checks, Timed, Timestamp};

text_enum! {
    /// What kind of thing a [`Fact`] states.
    FactKind, "fact kind" {
        /// A price or a change of prices.
        Price = "price",
        /// A published text.
        News = "news",
        /// A computed feature or another number.
        Observation = "observation",
        /// What a model says about a text.
        Sentiment = "sentiment",
        /// A similar past case with its outcome.
        PastCase = "past-case",
        /// What another agent said.
        Opinion = "opinion",
    }
}

text_enum! {
    /// What happened in one step of a run of agents.
    Event, "trace event" {
        /// A model was asked: prompt and answer.
        ModelCall = "model-call",
        /// A tool was called: arguments and result.
        ToolCall = "tool-call",
        /// An answer that did not follow its form was asked for again.
        Repair = "repair",
        /// Something failed and was worked around.
        Failure = "failure",
        /// One agent told another.
        Message = "message",
        /// Something was remembered or recalled.
        Memory = "memory",
        /// A limit changed the decision.
        Limit = "limit",
    }
}

rows! {
    /// Something an agent may cite: everything that any prompt of the run states, each with an id.
    Fact = "fact", version 1, may_be_empty {
        /// Unique within the run, such as `BTC@2025-02-24T05:10:00Z/news/3`.
        id: String,
        /// The instrument.
        symbol: String,
        /// The bar whose decision it was given for.
        bar_at: Timestamp,
        /// What kind of thing it states.
        kind: FactKind,
        /// What it is about: a feature's name, a news source, `close`.
        name: String,
        /// When it happened.
        event_at: Timestamp,
        /// When it could be known.
        available_at: Timestamp,
        /// The number it states, if it states one.
        value: Option<f64>,
        /// The unit of the number, such as `USD`, `%` or empty.
        unit: String,
        /// As the prompt words it.
        text: String,
    }

    /// One step of a run of agents, in order.
    Trace = "trace", version 1, may_be_empty {
        /// Place in the run, from 0.
        step: u64,
        /// The instrument.
        symbol: String,
        /// The bar being decided on.
        bar_at: Timestamp,
        /// The moment of the decision: nothing known later went in.
        at: Timestamp,
        /// Who acts.
        agent: String,
        /// What happened.
        event: Event,
        /// What was asked: the whole prompt, the tool's arguments, or the message's receiver.
        request: String,
        /// What came back: the answer, the tool's result, or the message.
        response: String,
        /// Name and version of the prompt file; empty where no model was asked.
        prompt_version: String,
        /// Who answered, such as `simulation`; empty where no model was asked.
        provider: String,
        /// Ids of the facts given (tools) or cited (models).
        fact_ids: Vec<String>,
        /// Tokens read by the model.
        prompt_tokens: u64,
        /// Tokens written by the model.
        answer_tokens: u64,
        /// Which attempt this was, from 1.
        attempt: u32,
    }

    /// One agent's view of one bar, after parsing and filtering.
    Opinion = "opinion", version 1, may_be_empty {
        /// The instrument.
        symbol: String,
        /// The bar.
        bar_at: Timestamp,
        /// When it was formed.
        decided_at: Timestamp,
        /// Whose.
        agent: String,
        /// From -1 (sell) to 1 (buy), as the agent gave it.
        score: f64,
        /// How sure, from 0 to 1, as the agent gave it.
        confidence: f64,
        /// The statements it rests on, one text each.
        claims: Vec<String>,
        /// For each claim the id of the fact it cites; empty where it cites none.
        cited: Vec<String>,
        /// In words.
        rationale: String,
    }

    /// The verdict on one claim of one agent.
    CheckedClaim = "checked_claim", version 1, may_be_empty {
        /// The instrument.
        symbol: String,
        /// The bar.
        bar_at: Timestamp,
        /// Who claimed it.
        agent: String,
        /// Its place among the claims of that opinion.
        claim: u32,
        /// In the agent's words.
        text: String,
        /// The fact it cites; empty where it cites none.
        cited: String,
        /// `supported`, or the kind of error found.
        verdict: String,
        /// What the fact says where the claim says otherwise.
        expected: String,
    }

    /// What the model calls of one agent on one bar took.
    Cost = "cost", version 1, may_be_empty {
        /// The instrument.
        symbol: String,
        /// The bar.
        bar_at: Timestamp,
        /// Who asked.
        agent: String,
        /// Who was asked.
        provider: String,
        /// How often.
        calls: u64,
        /// Tokens read.
        prompt_tokens: u64,
        /// Tokens written.
        answer_tokens: u64,
        /// What that costs by the price table, in its currency; 0 for a model on this machine.
        money: f64,
    }
}

impl Checks for Fact {
    fn check(&self) -> Result<(), String> {
        if self.available_at < self.event_at {
            return Err(format!("available_at {} is earlier than event_at {}", self.available_at, self.event_at));
        }
        Ok(())
    }
}

impl Checks for Trace {
    fn check(&self) -> Result<(), String> {
        if self.at < self.bar_at { Err(format!("at {} on a bar of {}", self.at, self.bar_at)) } else { Ok(()) }
    }

    fn follows(&self, previous: &Self) -> Result<(), String> {
        if self.step > previous.step {
            return Ok(());
        }
        Err(format!("step {} does not come after step {}", self.step, previous.step))
    }
}

impl Checks for Opinion {
    fn check(&self) -> Result<(), String> {
        within("score", Some(self.score), -1.0, 1.0)?;
        within("confidence", Some(self.confidence), 0.0, 1.0)?;
        if self.claims.len() != self.cited.len() {
            return Err(format!("{} claims with {} citations", self.claims.len(), self.cited.len()));
        }
        Ok(())
    }
}

impl Checks for CheckedClaim {}

impl Checks for Cost {
    fn check(&self) -> Result<(), String> {
        within("money", Some(self.money), 0.0, f64::MAX)
    }
}

impl Timed for Fact {
    fn event_at(&self) -> Timestamp {
        self.event_at
    }
    fn available_at(&self) -> Timestamp {
        self.available_at
    }
}
