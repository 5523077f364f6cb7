//! The sentiment task in words: instruction, answers and the strict parser of answers. A change of any wording is a
//! new [`VERSION`].
//!
//! The answers are the three English label words for both languages: one set of answer tokens means one parser, label
//! scores that can be compared between languages, and a word learned on English rows that helps on Vietnamese ones.
//! The prompts are short, because the smallest models read 512 tokens and spend several on each Vietnamese letter;
//! there is no system message for the same reason.

use crate::Message;
use serde::{Deserialize, Serialize};

/// Raised when a wording changes: results under different versions are not comparable.
pub const VERSION: u32 = 1;

/// The answers.
pub const LABELS: [&str; 3] = ["negative", "neutral", "positive"];

/// Which wording asks the question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instruction {
    /// The shortest clear wording: what training and evaluation use.
    #[default]
    Brief,
    /// The same question in other words: does the model understand, or has it learned one string?
    Paraphrase,
    /// Names the three answers, for a model that was not tuned and is to be asked fairly.
    Labels,
}

impl Instruction {
    /// All wordings.
    pub const ALL: [Self; 3] = [Self::Brief, Self::Paraphrase, Self::Labels];

    /// The question, in Vietnamese for `vi` and in English for every other language.
    pub fn wording(self, language: &str) -> &'static str {
        match (self, language) {
            (Self::Brief, "vi") => "Cảm xúc của câu này?",
            (Self::Brief, _) => "Sentiment of this text?",
            (Self::Paraphrase, "vi") => "Câu này mang sắc thái gì?",
            (Self::Paraphrase, _) => "What mood does this text convey?",
            (Self::Labels, "vi") => "Câu này là negative, neutral hay positive?",
            (Self::Labels, _) => "Is this text negative, neutral or positive?",
        }
    }
}

/// The conversation that asks for the sentiment of a text in a language (ISO 639-1).
pub fn sentiment_messages(text: &str, language: &str, instruction: Instruction) -> Vec<Message> {
    vec![Message::user(&format!("{}\n{text}", instruction.wording(language)))]
}

/// The label in an answer: exactly one of [`LABELS`], whatever its case, with white space around it and one full stop
/// after it allowed. Everything else is no answer, never a guess.
///
/// ```
/// use chat::prompts::parse_label;
/// assert_eq!(parse_label(" Positive.\n"), Some("positive"));
/// assert_eq!(parse_label("positive, I think"), None);
/// ```
pub fn parse_label(response: &str) -> Option<&'static str> {
    let word = response.trim().to_lowercase();
    let word = word.strip_suffix('.').unwrap_or(&word);
    LABELS.into_iter().find(|label| *label == word)
}
