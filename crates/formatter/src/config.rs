use chat::prompts::Instruction;
use serde::{Deserialize, Serialize};

/// The longest row where neither the settings nor the model's config.json say otherwise.
pub const FALLBACK_TOKENS: usize = 512;

/// What decides about the formatted rows, besides the rows and the tokenizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The longest row, in tokens; longer ones are refused. 0 means what the model can read: max_position_embeddings
    /// of the config.json beside the tokenizer, or 512 where there is none.
    pub max_tokens: usize,
    /// The date that templates take for today, such as `26 Jul 2024`: pinned, because a template that prints the date
    /// would otherwise give other tokens tomorrow.
    pub date: String,
    /// Which wording of the question: `brief`, `paraphrase` or `labels`.
    pub instruction: Instruction,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_tokens: 0, date: "26 Jul 2024".to_owned(), instruction: Instruction::Brief }
    }
}

impl Config {
    /// The longest row for a model with this many positions (where known).
    pub fn limit(&self, context: Option<usize>) -> usize {
        if self.max_tokens > 0 { self.max_tokens } else { context.unwrap_or(FALLBACK_TOKENS) }
    }
}
