use crate::Error;
use serde::{Deserialize, Serialize};

/// Limits of the service. What exceeds one is refused with a status and the limit's name, never cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Requests that may wait for the model or be answered at once; further ones get status 503 and `Retry-After`.
    pub max_requests: usize,
    /// Texts in one request.
    pub max_texts: usize,
    /// Characters in one text or message.
    pub max_characters: usize,
    /// Bytes in the body of one request.
    pub max_body_bytes: usize,
    /// Texts, of all requests in hand, that are put to the model together.
    pub texts_at_once: usize,
    /// Answers that are written at the same time, in one pass over the weights; further ones wait. With 1, equal requests get
    /// equal answers to the last bit whatever else is asked; with more, up to rounding.
    pub writers: usize,
    /// Tokens of one answer, and what is written where a request names no number.
    pub max_answer_tokens: usize,
    /// Seconds until a request that has no answer yet gets status 504.
    pub timeout_seconds: f64,
    /// Decisions in one answer.
    pub max_decisions: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_requests: 256,
            max_texts: 256,
            max_characters: 20_000,
            max_body_bytes: 4 << 20,
            texts_at_once: 64,
            writers: 8,
            max_answer_tokens: 512,
            timeout_seconds: 60.0,
            max_decisions: 1_000,
        }
    }
}

impl Config {
    /// Whether each limit lets something through.
    ///
    /// # Errors
    /// [`Error::Setting`] with the setting's name.
    pub fn check(&self) -> Result<(), Error> {
        let counts = [
            ("max_requests", self.max_requests),
            ("max_texts", self.max_texts),
            ("max_characters", self.max_characters),
            ("max_body_bytes", self.max_body_bytes),
            ("texts_at_once", self.texts_at_once),
            ("writers", self.writers),
            ("max_answer_tokens", self.max_answer_tokens),
            ("max_decisions", self.max_decisions),
        ];
        for (name, value) in counts {
            if value == 0 || value > 1 << 30 {
                return Err(Error::Setting { name, found: value.to_string(), expected: "from 1 to 1073741824" });
            }
        }
        if !(self.timeout_seconds > 0.0 && self.timeout_seconds <= 86_400.0) {
            let found = self.timeout_seconds.to_string();
            return Err(Error::Setting { name: "timeout_seconds", found, expected: "above 0 and at most 86400" });
        }
        Ok(())
    }
}
