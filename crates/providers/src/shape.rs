use crate::{Reply, Usage};
use chat::Message;

/// What is put to a provider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Prompt<'a> {
    /// A conversation, through the model's chat template.
    Chat(&'a [Message]),
    /// Raw text to go on with, for base models.
    Raw(&'a str),
}

/// What every answer must look like, to the last character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Exactly one of these.
    Choice(Vec<String>),
    /// A regular expression (Rust's syntax, without look-around) that the whole answer matches.
    Regex(String),
    /// A context-free grammar in llguidance's dialect of Lark, beginning at `start`.
    Lark(String),
    /// JSON that this JSON schema describes.
    JsonSchema(String),
}

/// How an answer is shaped, beyond what [`crate::Completion`] says. By default not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// What it must look like.
    pub form: Option<Form>,
    /// Draw only among tokens at least this many times as likely as the likeliest, in (0, 1].
    pub min_p: Option<f64>,
    /// After so many drawn tokens, take the likeliest each time.
    pub greedy_after: Option<usize>,
    /// Stop once a further sentence has begun: for whoever wants only the first one. Where the first ends is the caller's to say;
    /// such a reply does not count as finished.
    pub one_sentence: bool,
}

impl Shape {
    /// One of these answers and nothing else.
    pub fn choice<'a>(answers: impl IntoIterator<Item = &'a str>) -> Self {
        let answers = answers.into_iter().map(str::to_owned).collect();
        Self { form: Some(Form::Choice(answers)), ..Self::default() }
    }

    /// Whether nothing is demanded that changes what may be written. Stopping early only saves work.
    pub fn is_free(&self) -> bool {
        self.form.is_none() && self.min_p.is_none() && self.greedy_after.is_none()
    }
}

/// What [`crate::Provider::write`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The answer.
    pub reply: Reply,
    /// False where the text's tokens are known not to be those that its tokenizer would choose. A grammar can force such a
    /// split; the model has hardly met it in training, so such text is not what the model would have written.
    pub canonical: bool,
    /// What this call took, as far as it is known.
    pub usage: Usage,
}
