use std::path::PathBuf;

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error(transparent)]
    Model(#[from] lm::Error),
    #[error(transparent)]
    Lora(#[from] lora::Error),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    #[error("setting {name} is {value}; it must be {allowed}")]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error("{}: row {row} ({id}) holds token {token}, but the model knows only {vocabulary}; format the data with this model's tokenizer", path.display())]
    ForeignToken { path: PathBuf, row: usize, id: String, token: u32, vocabulary: usize },
    #[error("{}: row {row} ({id}) has {tokens} tokens, the model's context is {context}; format the data again with max_tokens = {context}", path.display())]
    TooLong { path: PathBuf, row: usize, id: String, tokens: usize, context: usize },
    #[error("step {step}: {name} got no gradient; the model does not train where it should")]
    NoGradient { step: u64, name: String },
    #[error("step {step}: the {what} is not finite (rows {rows}); lower the learning rate or look at those rows")]
    NotFinite { step: u64, what: &'static str, rows: String },
    #[error("{}: {message}; delete it to begin again", path.display())]
    BadCheckpoint { path: PathBuf, message: String },
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    #[error("{}: {documents} documents give {tokens} tokens, too few for one step of {needed}; make more text", path.display())]
    TooLittleText { path: PathBuf, documents: usize, tokens: usize, needed: usize },
}
