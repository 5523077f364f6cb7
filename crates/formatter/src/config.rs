use crate::Error;
use chat::prompts::Instruction;
use chat::templates::Template;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The longest row where neither the settings nor the model's config.json say otherwise.
pub const FALLBACK_TOKENS: usize = 512;

/// What decides about the formatted rows, besides the rows and the tokenizer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The longest row, in tokens. 0 means what the model can read: max_position_embeddings of the config.json beside the
    /// tokenizer, or 512 where there is none.
    pub max_tokens: usize,
    /// What becomes of longer rows.
    pub too_long: TooLong,
    /// The date that templates take for today, such as `26 Jul 2024`: pinned, because a template that prints the date
    /// would otherwise give other tokens tomorrow.
    pub date: String,
    /// Which wording of the sentiment question: `brief`, `paraphrase` or `labels`.
    pub instruction: Instruction,
    /// The wording for evaluation rows, where it is another one.
    pub eval_instruction: Option<Instruction>,
    /// Which wording of any other task: `direct-v1`, `paraphrase-v1` or `after-v1`.
    pub template: String,
    /// The wording for evaluation rows, where it is another one.
    pub eval_template: Option<String>,
    /// A file of the user's own wordings, TOML or JSON (see the crate's documentation): for the tasks and languages in it, they
    /// take the place of those named above.
    pub templates: Option<PathBuf>,
}

/// What becomes of a row that is too long. The answer is never cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TooLong {
    /// It is set aside with its reason.
    Refuse,
    /// Its input loses words at the end until the whole answer fits; `shortened.parquet` says which and how many.
    ShortenInput,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_tokens: 0,
            too_long: TooLong::Refuse,
            date: "26 Jul 2024".to_owned(),
            instruction: Instruction::Brief,
            eval_instruction: None,
            template: "direct-v1".to_owned(),
            eval_template: None,
            templates: None,
        }
    }
}

impl Config {
    /// The longest row for a model with this many positions (where known).
    pub fn limit(&self, context: Option<usize>) -> usize {
        if self.max_tokens > 0 { self.max_tokens } else { context.unwrap_or(FALLBACK_TOKENS) }
    }

    /// Takes a wording by name, for the sentiment task or the others, whichever has it.
    ///
    /// # Errors
    /// Neither has it; the error lists the names.
    pub fn set_template(&mut self, name: &str, of_eval: bool) -> Result<(), Error> {
        let of_sentiment = Instruction::ALL.into_iter().find(|i| instruction_name(*i) == name);
        match (of_sentiment, of_eval) {
            (Some(instruction), false) => self.instruction = instruction,
            (Some(instruction), true) => self.eval_instruction = Some(instruction),
            (None, _) if !Template::names().contains(&name) => return Err(unknown(name)),
            (None, false) => name.clone_into(&mut self.template),
            (None, true) => self.eval_template = Some(name.to_owned()),
        }
        Ok(())
    }

    /// Whether every wording named in the settings exists.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let named = std::iter::once(&self.template).chain(&self.eval_template);
        named
            .into_iter()
            .find(|name| !Template::names().contains(&name.as_str()))
            .map_or(Ok(()), |name| Err(unknown(name)))
    }
}

/// The name of a wording of the sentiment question.
pub(crate) fn instruction_name(instruction: Instruction) -> &'static str {
    match instruction {
        Instruction::Brief => "brief",
        Instruction::Paraphrase => "paraphrase",
        Instruction::Labels => "labels",
    }
}

fn unknown(name: &str) -> Error {
    let of_sentiment = Instruction::ALL.map(instruction_name).join(", ");
    Error::UnknownTemplate { name: name.to_owned(), of_sentiment, others: Template::names().join(", ") }
}
