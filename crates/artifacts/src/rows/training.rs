use super::{Language, Sentiment};
use crate::Checks;
use crate::row::rows;

rows! {
    /// A row ready to train on: the messages, the text after the chat template, its tokens, and which are learned.
    Formatted = "formatted", version 1, not_empty {
        /// The id of the [`super::Example`].
        id: String,
        /// Its language.
        language: Language,
        /// Its label: the answer to learn.
        label: Sentiment,
        /// The messages, as JSON: a list of `{"role", "content"}`.
        messages: String,
        /// The messages after the chat template.
        text: String,
        /// The tokens of `text`.
        ids: Vec<u32>,
        /// For each token, whether it is learned (the answer and the end of its turn) or only read.
        supervised: Vec<bool>,
        /// How many tokens come before the answer: the prompt of the evaluation.
        prompt_tokens: u32,
    }

    /// One optimizer step. Times are in the manifest's `runtime.json`, so that equal runs have equal files.
    Step = "step", version 2, not_empty {
        /// Number of the update, from 1.
        step: u64,
        /// Passes over the data so far.
        epoch: f64,
        /// Mean cross-entropy of the step's supervised tokens, in nats.
        loss: f64,
        /// The learning rate of the step.
        learning_rate: f64,
        /// Norm of all gradients before clipping.
        gradient_norm: f64,
        /// Tokens read.
        tokens: u64,
        /// Tokens learned.
        supervised_tokens: u64,
        /// Tokens that the model computed, after all savings: without padding, a shared prefix once.
        computed_tokens: u64,
        /// Where this update was judged on held-out rows: their mean cross-entropy of a supervised token, in nats.
        dev_loss: Option<f64>,
        /// Where it was: the macro-F1 of the label that the model finds most likely.
        dev_macro_f1: Option<f64>,
    }
}

impl Checks for Formatted {
    fn check(&self) -> Result<(), String> {
        if self.ids.len() != self.supervised.len() {
            return Err(format!("{} tokens but {} supervision flags", self.ids.len(), self.supervised.len()));
        }
        if self.prompt_tokens == 0 || self.prompt_tokens as usize >= self.ids.len() {
            return Err(format!("a prompt of {} tokens in {} leaves no answer", self.prompt_tokens, self.ids.len()));
        }
        if self.supervised.iter().any(|&s| s) { Ok(()) } else { Err("no token is supervised".into()) }
    }
}

impl Checks for Step {
    fn follows(&self, previous: &Self) -> Result<(), String> {
        if self.step > previous.step { Ok(()) } else { Err(format!("step {} after step {}", self.step, previous.step)) }
    }
}
