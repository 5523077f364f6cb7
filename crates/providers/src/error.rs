use std::path::PathBuf;

/// What can go wrong between a prompt and its answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error("{}: no model here ({file} is missing); give a folder in Hugging Face form (config.json, tokenizer.json, model.safetensors) or a Hub id such as org/name", path.display())]
    NoModel { path: PathBuf, file: &'static str },
    #[error("{}: no adapter here ({file} is missing); give the folder that `trainer` wrote (adapter_config.json, adapter_model.safetensors)", path.display())]
    NoAdapter { path: PathBuf, file: &'static str },
    #[error("{}: the tokenizer has {tokens} tokens but the model's vocabulary {vocabulary}; they are not of one model, put the right tokenizer.json there", path.display())]
    VocabularyTooSmall { path: PathBuf, tokens: usize, vocabulary: usize },
    #[error(
        "a prompt of {prompt} tokens with {answer} tokens of answer does not fit the model's context of {context}; shorten the text or take a model with a longer context"
    )]
    PromptTooLong { prompt: usize, answer: usize, context: usize },
    #[error("an empty prompt; give at least one token")]
    EmptyPrompt,
    #[error("no answers to score; give at least one, none of them empty")]
    NoAnswers,
    #[error(
        "{provider} writes free text only and cannot promise {shape}; ask it for free text, or take a model on this machine"
    )]
    CannotShape { provider: String, shape: String },
    #[error(
        "{provider} gives no probabilities of answers; take a model on this machine, or an endpoint that returns logprobs"
    )]
    CannotScore { provider: String },
    #[error("grammar {grammar:?}: {message}")]
    BadGrammar { grammar: String, message: String },
    #[error("{url}: no answer after {tries} tries: {message}; is the server running and the address right?")]
    Unreachable { url: String, tries: u32, message: String },
    #[error("{url}: status {status} after {tries} tries: {message}")]
    Status { url: String, status: u16, tries: u32, message: String },
    #[error("{url}: the answer cannot be read: {message}")]
    BadResponse { url: String, message: String },
    #[error(
        "the budget is spent: this call may take {needed}, and of {limit} only {left} are left; raise the budget, or ask for less"
    )]
    BudgetSpent { needed: String, limit: String, left: String },
    #[error(
        "{}: this call is not on the cassette, and strict replay never asks anyone ({call}); record it first with mode `record` or `replay`", path.display()
    )]
    NotOnCassette { path: PathBuf, call: String },
    #[error(transparent)]
    Artifact(Box<artifacts::Error>),
    #[error("{}: {source}", path.display())]
    Load { path: PathBuf, source: Box<lm::Error> },
    #[error("{}: {source}", path.display())]
    LoadTokenizer { path: PathBuf, source: Box<chat::Error> },
    #[error("the conversation cannot be put to the model: {0}")]
    Refused(Box<chat::Refusal>),
    #[error("the conversation could not be put to the model when it was recorded: {message}")]
    RefusedOnRecord { message: String },
    #[error(transparent)]
    Chat(Box<chat::Error>),
    #[error(transparent)]
    Model(Box<lm::Error>),
    #[error(transparent)]
    Hub(Box<hub::Error>),
}

impl Error {
    /// Whether the text itself cannot be put to the model (it holds control tokens): another text may be.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::RefusedOnRecord { .. })
    }
}

// Boxed by hand: the inner errors carry paths and values, and every Result would be as large as the largest of them.
impl From<chat::Refusal> for Error {
    fn from(refusal: chat::Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<chat::Error> for Error {
    fn from(error: chat::Error) -> Self {
        Self::Chat(Box::new(error))
    }
}

impl From<lm::Error> for Error {
    fn from(error: lm::Error) -> Self {
        Self::Model(Box::new(error))
    }
}

impl From<artifacts::Error> for Error {
    fn from(error: artifacts::Error) -> Self {
        Self::Artifact(Box::new(error))
    }
}

impl From<hub::Error> for Error {
    fn from(error: hub::Error) -> Self {
        Self::Hub(Box::new(error))
    }
}
