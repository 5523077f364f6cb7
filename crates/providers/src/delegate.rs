//! A provider behind a pointer is a provider.

use crate::{Completion, Error, Prompt, Provider, Reply, Shape, Usage, Written};
use chat::Message;
use std::sync::Arc;

macro_rules! delegate {
    ($($pointer:ident),*) => {$(
        impl<P: Provider + ?Sized> Provider for $pointer<P> {
            fn name(&self) -> &str {
                self.as_ref().name()
            }

            fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
                self.as_ref().complete(messages, options)
            }

            fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
                self.as_ref().continue_text(prefix, options)
            }

            fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
                self.as_ref().score(messages, answers)
            }

            fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
                self.as_ref().write(prompt, options, shape)
            }

            fn score_text(&self, prefix: &str, continuations: &[&str]) -> Result<Vec<f64>, Error> {
                self.as_ref().score_text(prefix, continuations)
            }

            fn usage(&self) -> Usage {
                self.as_ref().usage()
            }
        }
    )*};
}
delegate!(Box, Arc);
