//! Who completes a prompt, behind one trait ([`Provider`]) so that a stage does not care: a model on this machine
//! ([`LocalModel`]), any endpoint that speaks the chat-completions protocol ([`Endpoint`]), or a seeded simulation whose errors
//! are known ([`Simulation`]). A [`Cassette`] keeps every call, so that a run is repeated offline and for nothing; a [`Budgeted`]
//! provider stops when tokens or money are spent.
//!
//! Beyond free text, [`Provider::write`] takes a [`Shape`]: a grammar that the answer must follow, and ways of drawing
//! tokens that vary texts.

mod budget;
mod cassette;
mod delegate;
mod endpoint;
mod error;
mod grammar;
mod local;
mod protocol;
mod shape;
mod simulation;
mod source;
pub mod testing;
mod usage;

pub use budget::{Budget, Budgeted, Prices};
pub use cassette::{Cassette, CassetteMode};
pub use endpoint::{Endpoint, EndpointConfig};
pub use error::Error;
pub use lm::{Precision, Prefix, Sampling};
pub use local::{Draft, LocalModel};
pub use shape::{Form, Prompt, Shape, Written};
pub use simulation::Simulation;
pub use source::find_model;
pub use usage::Usage;

use chat::Message;

/// How to write.
#[derive(Debug, Clone)]
pub struct Completion {
    /// At most so many tokens; fewer where the model's context ends first.
    pub max_tokens: usize,
    /// How each token is chosen. Sampling carries its own seed: equal options give equal text.
    pub sampling: Sampling,
    /// Stop before the first token that holds a line break, as for one headline.
    pub stop_at_line_break: bool,
}

impl Default for Completion {
    /// The likeliest token each time, 16 tokens at most: an answer of one word.
    fn default() -> Self {
        Self { max_tokens: 16, sampling: Sampling::Greedy, stop_at_line_break: false }
    }
}

/// What a provider wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The text, without the tokens that ended it.
    pub text: String,
    /// Whether the writer ended it; false where the limit of tokens cut it.
    pub finished: bool,
}

/// Completes prompts. Equal calls give equal answers.
pub trait Provider: Send + Sync {
    /// What reports call it, such as `stories260k`. Never a path.
    fn name(&self) -> &str;

    /// The assistant's next message.
    ///
    /// # Errors
    /// The prompt does not fit the context, or the model fails.
    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error>;

    /// Continues raw text, without a chat template: for base models.
    ///
    /// # Errors
    /// As [`Provider::complete`].
    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error>;

    /// The probability of each answer if the assistant could say nothing else: p_i = exp(l_i) / sum_j exp(l_j), with l_i the
    /// log-probability of answer i's tokens *and its end token*, exactly the tokens that training supervises. They sum to 1.
    /// Lengths are not evened out: the end token already tells `up` from `upward`.
    ///
    /// # Errors
    /// As [`Provider::complete`], or there are no answers.
    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error>;

    /// Writes an answer of the wanted shape. A provider that writes only free text refuses any other shape.
    ///
    /// # Errors
    /// As [`Provider::complete`], or [`Error::CannotShape`].
    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
        if !shape.is_free() {
            return Err(Error::CannotShape { provider: self.name().to_owned(), shape: format!("{shape:?}") });
        }
        let reply = match prompt {
            Prompt::Chat(messages) => self.complete(messages, options)?,
            Prompt::Raw(prefix) => self.continue_text(prefix, options)?,
        };
        Ok(Written { reply, canonical: true, usage: Usage::default() })
    }

    /// log p(continuation | prefix) of each continuation of raw text, in nats: for base models. Not normalised: nothing says
    /// that only these could follow.
    ///
    /// # Errors
    /// As [`Provider::complete`], or [`Error::CannotScore`].
    fn score_text(&self, _prefix: &str, _continuations: &[&str]) -> Result<Vec<f64>, Error> {
        Err(Error::CannotScore { provider: self.name().to_owned() })
    }

    /// The tokens of all calls so far, as far as the provider counts them.
    fn usage(&self) -> Usage {
        Usage::default()
    }
}
