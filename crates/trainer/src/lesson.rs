//! A formatted row of any task: what training, judging and the preflight look at.

use crate::Error;
use artifacts::rows::{Formatted, FormattedTask, Sentiment};
use artifacts::{Reader, read_all};
use std::path::Path;

/// Tokens, and which of them are learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The row's id.
    pub id: String,
    /// Its tokens.
    pub ids: Vec<u32>,
    /// For each token, whether it is learned.
    pub supervised: Vec<bool>,
    /// How many tokens come before the answer.
    pub prompt_tokens: usize,
    /// The label that the answer is, for rows that choose among labels.
    pub label: Option<Sentiment>,
}

impl Lesson {
    /// The rows of a file that `formatter` wrote, of whichever task; the file itself says what it holds.
    ///
    /// # Errors
    /// The file cannot be read or holds something else.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, Error> {
        if Reader::<FormattedTask>::open(path).is_ok() {
            return Ok(read_all::<FormattedTask>(path)?.into_iter().map(Self::from).collect());
        }
        Ok(read_all::<Formatted>(path)?.into_iter().map(Self::from).collect())
    }
}

impl From<Formatted> for Lesson {
    fn from(row: Formatted) -> Self {
        let Formatted { id, ids, supervised, label, prompt_tokens, .. } = row;
        Self { id, ids, supervised, prompt_tokens: prompt_tokens as usize, label: Some(label) }
    }
}

impl From<FormattedTask> for Lesson {
    fn from(row: FormattedTask) -> Self {
        let FormattedTask { id, ids, supervised, prompt_tokens, .. } = row;
        Self { id, ids, supervised, prompt_tokens: prompt_tokens as usize, label: None }
    }
}
