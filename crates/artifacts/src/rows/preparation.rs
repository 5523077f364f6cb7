use super::{Language, Sentiment};
use crate::Checks;
use crate::column::text_enum;
use crate::row::rows;

text_enum! {
    /// What a model is asked to do with a text.
    TaskKind, "task" {
        /// Name its class.
        Classification = "classification",
        /// List the entities in it.
        Extraction = "extraction",
        /// Answer a question from it.
        QuestionAnswering = "question-answering",
        /// Say it in fewer words.
        Summarisation = "summarisation",
    }
}

rows! {
    /// One exercise of any task: what `ingest` makes of any table and `formatter` turns into tokens.
    TaskExample = "task-example", version 1, not_empty {
        /// 16 hexadecimal digits of the blake3 of language and comparison key of question and input.
        id: String,
        /// The task.
        task: TaskKind,
        /// The language of the input.
        language: Language,
        /// The text to work on, clean.
        input: String,
        /// What is asked about it, where the task needs a question.
        question: Option<String>,
        /// The answer to learn.
        answer: String,
        /// The data set it comes from.
        source: String,
        /// Row in the source, from 0.
        source_row: u64,
        /// The id of the near-duplicate cluster it stands for (its own id where it is alone).
        cluster: String,
    }

    /// An exercise of any task, ready to train on: like [`super::Formatted`], with a free answer instead of a label.
    FormattedTask = "formatted-task", version 1, not_empty {
        /// The id of the [`TaskExample`].
        id: String,
        /// Its task.
        task: TaskKind,
        /// Its language.
        language: Language,
        /// The instruction template, by name and version.
        template: String,
        /// The answer to learn.
        answer: String,
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

    /// A row whose input was shortened so that the whole answer fits: never silently.
    Shortened = "shortened", version 1, may_be_empty {
        /// The id of the row.
        id: String,
        /// The split it is in.
        split: String,
        /// Tokens of the whole row before.
        tokens_before: u64,
        /// Tokens of the row as it is written.
        tokens_after: u64,
        /// Characters of the input before.
        characters_before: u64,
        /// Characters of the input that were kept.
        characters_after: u64,
    }

    /// One step of the cleaning, with what it did.
    CleaningStep = "cleaning-step", version 1, not_empty {
        /// Its place in the order, from 1.
        number: u64,
        /// Its name.
        step: String,
        /// Rows that came to it.
        rows_in: u64,
        /// Rows whose text it changed.
        changed: u64,
        /// Rows that it refused.
        refused: u64,
    }

    /// A row before and after one step of the cleaning, drawn at random among those it changed or refused.
    CleaningSample = "cleaning-sample", version 1, may_be_empty {
        /// The name of the [`CleaningStep`].
        step: String,
        /// The data set it comes from.
        source: String,
        /// Row in the source, from 0.
        source_row: u64,
        /// Before the step.
        before: String,
        /// After it; for a refused row, why it went.
        after: String,
    }

    /// Equal texts whose labels disagree, and what was decided.
    Conflict = "conflict", version 1, may_be_empty {
        /// The language of the text.
        language: Language,
        /// The text, as the first row has it.
        text: String,
        /// Each row with its label: `fingpt row 3: positive`, separated by semicolons.
        rows: String,
        /// Different sources that vote for each label, such as `negative 1, positive 2`.
        votes: String,
        /// `voted` (the label with most votes stays) or `dropped`.
        outcome: String,
        /// The label that stays, where one does.
        label: Option<Sentiment>,
    }

    /// A ticker symbol in a row's text. The text keeps it; here it can be counted and joined with prices.
    TickerMention = "ticker-mention", version 1, may_be_empty {
        /// The id of the [`super::Example`].
        id: String,
        /// The split it is in.
        split: String,
        /// The symbol in capitals, without sign or exchange.
        ticker: String,
    }
}

impl Checks for TaskExample {
    fn check(&self) -> Result<(), String> {
        if self.input.trim().is_empty() {
            return Err("the input is empty".into());
        }
        if self.answer.trim().is_empty() { Err("the answer is empty".into()) } else { Ok(()) }
    }
}

impl Checks for FormattedTask {
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

impl Checks for Shortened {}
impl Checks for CleaningStep {}
impl Checks for CleaningSample {}
impl Checks for Conflict {}
impl Checks for TickerMention {}
