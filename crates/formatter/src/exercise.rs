use crate::config::instruction_name;
use crate::templates::{SENTIMENT, Templates};
use crate::{Config, Error};
use artifacts::Row;
use artifacts::rows::{Example, Formatted, FormattedTask, Language, Rejected, TaskExample};
use chat::templates::{self, Template};
use chat::{Message, Supervised, prompts};

/// The split a row is in: it decides the wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    Train,
    Eval,
}

impl Split {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Eval => "eval",
        }
    }
}

/// A row that asks the model for something: what all tasks have in common.
pub(crate) trait Exercise: Row + Clone {
    /// What it becomes.
    type Formatted: Row + Clone + Into<Tokens>;

    fn id(&self) -> &str;
    fn language(&self) -> Language;
    /// The text that may be shortened.
    fn input(&self) -> &str;
    fn answer(&self) -> &str;
    /// The task, as templates name it.
    fn task(&self) -> &str;
    /// What is asked besides the input.
    fn question(&self) -> Option<&str>;
    /// The conversation up to the answer, about this input, in the built-in wording.
    fn prompt(&self, input: &str, config: &Config, split: Split) -> Vec<Message>;
    /// The name of the built-in wording.
    fn wording(config: &Config, split: Split) -> &str;
    fn formatted(&self, messages: String, row: Supervised, wording: &str) -> Self::Formatted;
    fn refused(&self, reason: &str, detail: &str) -> Rejected;
}

/// In what words rows are asked.
pub(crate) struct Wordings<'a> {
    pub(crate) config: &'a Config,
    pub(crate) own: Templates,
}

impl<'a> Wordings<'a> {
    /// The settings' names, and the user's file where there is one.
    pub(crate) fn new(config: &'a Config) -> Result<Self, Error> {
        config.check()?;
        Ok(Self { config, own: Templates::read(config.templates.as_deref())? })
    }

    /// The conversation up to the answer.
    pub(crate) fn prompt<E: Exercise>(&self, row: &E, input: &str, split: Split) -> Vec<Message> {
        match self.own.find(row.task(), row.language(), split, row.id()) {
            Some(own) => templates::messages(&own.wording, input, row.question()),
            None => row.prompt(input, self.config, split),
        }
    }

    /// The name of the wording of a row.
    pub(crate) fn name<E: Exercise>(&self, row: &E, split: Split) -> &str {
        let own = self.own.find(row.task(), row.language(), split, row.id());
        own.map_or_else(|| E::wording(self.config, split), |own| own.name.as_str())
    }

    /// The names of all wordings of a split.
    pub(crate) fn names<E: Exercise>(&self, split: Split) -> String {
        let mut names = self.own.names(split);
        if names.is_empty() {
            names.push(E::wording(self.config, split));
        }
        names.join(", ")
    }
}

/// A formatted row of any kind, for counting and showing.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What the row is about, such as its label: the example's title.
    pub title: String,
    /// Its language.
    pub language: Language,
    /// The messages, as JSON.
    pub messages: String,
    /// The messages after the chat template.
    pub text: String,
    /// Its tokens.
    pub ids: Vec<u32>,
    /// Which of them are learned.
    pub supervised: Vec<bool>,
}

impl Tokens {
    /// How many tokens are learned.
    pub fn learned(&self) -> usize {
        self.supervised.iter().filter(|s| **s).count()
    }
}

impl From<Formatted> for Tokens {
    fn from(row: Formatted) -> Self {
        let Formatted { language, label, messages, text, ids, supervised, .. } = row;
        Self { title: label.to_string(), language, messages, text, ids, supervised }
    }
}

impl From<FormattedTask> for Tokens {
    fn from(row: FormattedTask) -> Self {
        let FormattedTask { task, language, messages, text, ids, supervised, .. } = row;
        Self { title: task.to_string(), language, messages, text, ids, supervised }
    }
}

impl Exercise for Example {
    type Formatted = Formatted;

    fn id(&self) -> &str {
        &self.id
    }

    fn language(&self) -> Language {
        self.language
    }

    fn input(&self) -> &str {
        &self.text
    }

    fn answer(&self) -> &str {
        self.label.as_str()
    }

    fn task(&self) -> &str {
        SENTIMENT
    }

    fn question(&self) -> Option<&str> {
        None
    }

    fn prompt(&self, input: &str, config: &Config, split: Split) -> Vec<Message> {
        let own = Some(config.instruction);
        let instruction = if split == Split::Eval { config.eval_instruction.or(own) } else { own };
        prompts::sentiment_messages(input, self.language.as_str(), instruction.unwrap_or_default())
    }

    fn wording(config: &Config, split: Split) -> &str {
        let of_eval = config.eval_instruction.filter(|_| split == Split::Eval);
        instruction_name(of_eval.unwrap_or(config.instruction))
    }

    fn formatted(&self, messages: String, row: Supervised, _wording: &str) -> Formatted {
        Formatted {
            id: self.id.clone(),
            language: self.language,
            label: self.label,
            messages,
            text: row.text,
            ids: row.ids,
            supervised: row.mask,
            prompt_tokens: row.prompt_tokens as u32,
        }
    }

    fn refused(&self, reason: &str, detail: &str) -> Rejected {
        Rejected::new(&self.source, self.source_row, &self.text, &self.raw_label, reason, detail)
    }
}

impl Exercise for TaskExample {
    type Formatted = FormattedTask;

    fn id(&self) -> &str {
        &self.id
    }

    fn language(&self) -> Language {
        self.language
    }

    fn input(&self) -> &str {
        &self.input
    }

    fn answer(&self) -> &str {
        &self.answer
    }

    fn task(&self) -> &str {
        self.task.as_str()
    }

    fn question(&self) -> Option<&str> {
        self.question.as_deref()
    }

    fn prompt(&self, input: &str, config: &Config, split: Split) -> Vec<Message> {
        let name = Self::wording(config, split);
        // The settings are checked before any row is read, and every task has every wording in both languages.
        Template::find(self.task.as_str(), self.language.as_str(), name)
            .map(|template| template.messages(input, self.question.as_deref()))
            .unwrap_or_default()
    }

    fn wording(config: &Config, split: Split) -> &str {
        config.eval_template.as_deref().filter(|_| split == Split::Eval).unwrap_or(&config.template)
    }

    fn formatted(&self, messages: String, row: Supervised, wording: &str) -> FormattedTask {
        FormattedTask {
            id: self.id.clone(),
            task: self.task,
            language: self.language,
            template: wording.to_owned(),
            answer: self.answer.clone(),
            messages,
            text: row.text,
            ids: row.ids,
            supervised: row.mask,
            prompt_tokens: row.prompt_tokens as u32,
        }
    }

    fn refused(&self, reason: &str, detail: &str) -> Rejected {
        Rejected::new(&self.source, self.source_row, &self.input, &self.answer, reason, detail)
    }
}
