use std::path::PathBuf;

/// What can be wrong with a tokenizer folder, a template or a date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error("{}: cannot read: {source}; give a folder with the model's tokenizer.json", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: not the JSON expected ({message}); download the file again", path.display())]
    Json { path: PathBuf, message: String },
    #[error("{}: not a tokenizer ({message}); it must be the tokenizer.json of the `tokenizers` library", path.display())]
    Tokenizer { path: PathBuf, message: String },
    #[error("{}: {name} `{token}` is not in the vocabulary of tokenizer.json; the two files belong to different models", path.display())]
    UnknownSpecial { path: PathBuf, name: &'static str, token: String },
    #[error("{}: no end-of-turn token: neither eos_token in tokenizer_config.json nor eos_token_id in generation_config.json or config.json; add one", folder.display())]
    NoEnd { folder: PathBuf },
    #[error("{}: several chat templates and none is called `default`; it has {names}", path.display())]
    NoDefaultTemplate { path: PathBuf, names: String },
    #[error("chat template: {message}")]
    Template { message: String },
    #[error("`{value}` is not a date; write it as 26 Jul 2024 or 2024-07-26")]
    Date { value: String },
    #[error("cannot tokenise: {message}")]
    Encode { message: String },
}

/// Why a row cannot be trained on. [`Refusal::reason`] is the short constant that counts go by.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Refusal {
    #[error("{0}")]
    Broken(#[from] Error),
    #[error("the last message is {found}, expected the assistant's answer")]
    NoAnswer { found: String },
    #[error("the answer is empty")]
    EmptyAnswer,
    #[error("the {role} message contains the control token `{token}`; remove it from the text")]
    Smuggled { role: String, token: String },
    #[error(
        "{found} begin-of-text tokens `{token}`, expected exactly 1, at the front; template and tokenizer disagree on who writes it"
    )]
    BosCount { token: String, found: usize },
    #[error(
        "the rendered prompt is not a prefix of prompt and answer (they part at character {at}); the template cannot be trained on answer only"
    )]
    PromptNotTextPrefix { at: usize },
    #[error(
        "the tokens of the prompt are not a prefix of those of prompt and answer (they part at token {at}: {prompt} or {full}); a token spans the border"
    )]
    PromptNotTokenPrefix { at: usize, prompt: String, full: String },
    #[error("the template does not write the answer as given: `{answer}` became `{written}`")]
    AnswerAltered { answer: String, written: String },
    #[error(
        "no end-of-turn token follows the answer, so the model would never learn to stop; the end tokens are {ends}"
    )]
    UnsupervisedEnd { ends: String },
    #[error("{tokens} tokens, {limit} at most; the answer would be cut off")]
    TooLong { tokens: usize, limit: usize },
}

impl Refusal {
    /// A short constant, such as `too-long`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Broken(_) => "template",
            Self::NoAnswer { .. } => "no-answer",
            Self::EmptyAnswer => "empty-answer",
            Self::Smuggled { .. } => "smuggled-token",
            Self::BosCount { .. } => "bos-count",
            Self::PromptNotTextPrefix { .. } | Self::PromptNotTokenPrefix { .. } => "prompt-not-prefix",
            Self::AnswerAltered { .. } => "answer-altered",
            Self::UnsupervisedEnd { .. } => "unsupervised-end",
            Self::TooLong { .. } => "too-long",
        }
    }
}
