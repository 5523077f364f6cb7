use super::config::SimulationConfig;
use artifacts::Seed;
use artifacts::rows::Fact;
use chat::Message;
use grounding::{Answer, Injected};
use providers::{Completion, Error, Prompt, Provider, Reply, Shape, Usage, Written};
use std::sync::{Mutex, PoisonError};

/// A reasoner without a model: it words the facts that lie before it in its own way and makes a known share of its claims
/// wrong, always the same ones for a seed and a prompt.
///
/// A model reads the prompt's lines; this one is given the facts behind them ([`Simulated::lay`]), because it could not read.
pub struct Simulated {
    seed: Seed,
    config: SimulationConfig,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    facts: Vec<(String, Fact)>,
    stance: f64,
}

impl Simulated {
    /// A reasoner whose every draw comes from the seed.
    pub fn new(seed: Seed, config: &SimulationConfig) -> Self {
        Self { seed, config: config.clone(), table: Mutex::default() }
    }

    /// Lays out the facts of the next prompt, by their numbers in it, and what to believe.
    pub fn lay(&self, facts: &[(String, &Fact)], stance: f64) {
        let facts = facts.iter().map(|(number, fact)| (number.clone(), (*fact).clone())).collect();
        *self.table.lock().unwrap_or_else(PoisonError::into_inner) = Table { facts, stance };
    }

    /// The answer to a prompt, and the errors put into it: a function of the seed, the facts laid out and the prompt, so that
    /// the errors are known also where a cassette answers.
    pub fn answer(&self, prompt: &str) -> (Answer, Vec<Injected>) {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let facts: Vec<(String, &Fact)> = table.facts.iter().map(|(number, fact)| (number.clone(), fact)).collect();
        let seed = self.seed.derive(prompt);
        let honest = grounding::author(&facts, table.stance, seed.derive("author").0);
        grounding::corrupt(&honest, &facts, self.config.error_rate, seed.derive("corrupt").0)
    }

    /// A number in [0, 1) that is always the same for a text and a purpose.
    fn draw(&self, text: &str, purpose: &str) -> f64 {
        (self.seed.derive(text).derive(purpose).0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn text_of(prompt: Prompt<'_>) -> &str {
    match prompt {
        Prompt::Chat(messages) => messages.last().map_or("", |m| &m.content),
        Prompt::Raw(prefix) => prefix,
    }
}

impl Provider for Simulated {
    #[expect(clippy::unnecessary_literal_bound, reason = "the trait's signature")]
    fn name(&self) -> &str {
        "simulation"
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Chat(messages), options, &Shape::default())?.reply)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Raw(prefix), options, &Shape::default())?.reply)
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        let prompt = text_of(Prompt::Chat(messages));
        let weights: Vec<f64> = answers.iter().map(|answer| 0.01 + self.draw(prompt, answer)).collect();
        let sum: f64 = weights.iter().sum();
        if answers.is_empty() { Err(Error::NoAnswers) } else { Ok(weights.iter().map(|w| w / sum).collect()) }
    }

    fn write(&self, prompt: Prompt<'_>, _options: &Completion, _shape: &Shape) -> Result<Written, Error> {
        let prompt = text_of(prompt);
        let mut text = self.answer(prompt).0.to_json();
        let malformed = self.draw(prompt, "malformed") < self.config.malformed_rate;
        if malformed {
            text = text.chars().take(text.chars().count() / 2).collect();
        }
        let count = |text: &str| super::ledger::estimate(text);
        let usage = Usage { prompt_tokens: count(prompt), answer_tokens: count(&text) };
        Ok(Written { reply: Reply { text, finished: !malformed }, canonical: true, usage })
    }
}
