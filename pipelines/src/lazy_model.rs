//! A model that is opened when it is first asked: a stage that turns out to be unchanged, or is answered from a cassette, needs none.

use chat::Message;
use providers::{Completion, Error, Prompt, Provider, Reply, Shape, Usage, Written};
use std::sync::{Mutex, OnceLock, PoisonError};

type Opener = Box<dyn FnOnce() -> Result<Box<dyn Provider>, Error> + Send>;

/// Stands for a model under the name it will have.
pub(crate) struct LazyModel {
    name: String,
    opener: Mutex<Option<Opener>>,
    model: OnceLock<Box<dyn Provider>>,
}

impl LazyModel {
    pub(crate) fn new(name: String, open: impl FnOnce() -> Result<Box<dyn Provider>, Error> + Send + 'static) -> Self {
        Self { name, opener: Mutex::new(Some(Box::new(open))), model: OnceLock::new() }
    }

    fn model(&self) -> Result<&dyn Provider, Error> {
        // held while opening, so that it is opened once
        let mut opener = self.opener.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = opener.take() {
            let opened = open()?;
            return Ok(self.model.get_or_init(|| opened).as_ref());
        }
        // a failed opening ends the run, so there is no second chance to offer
        self.model.get().map(AsRef::as_ref).ok_or(Error::NoAnswers)
    }
}

impl Provider for LazyModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
        self.model()?.complete(messages, options)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        self.model()?.continue_text(prefix, options)
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        self.model()?.score(messages, answers)
    }

    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
        self.model()?.write(prompt, options, shape)
    }

    fn score_text(&self, prefix: &str, continuations: &[&str]) -> Result<Vec<f64>, Error> {
        self.model()?.score_text(prefix, continuations)
    }

    fn usage(&self) -> Usage {
        self.model.get().map_or_else(Usage::default, Provider::usage)
    }
}
