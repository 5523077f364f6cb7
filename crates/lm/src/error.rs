use std::path::PathBuf;

/// Everything that can be wrong with a model or with what it is given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error("{}: {message}", path.display())]
    BadConfig { path: PathBuf, message: String },
    #[error("{}: `{field}` is {found}; {supported}", path.display())]
    Unsupported { path: PathBuf, field: String, found: String, supported: &'static str },
    #[error("model configuration: {field} is {found}; it must be {expected}")]
    BadSetting { field: &'static str, found: String, expected: String },
    #[error("{}: no model.safetensors and no model.safetensors.index.json; give the folder of a Hugging Face model", dir.display())]
    NoWeights { dir: PathBuf },
    #[error("{}: tensor `{name}` is missing; it has {present}", path.display())]
    MissingTensor { path: PathBuf, name: String, present: String },
    #[error("{}: unknown tensor `{name}`: it would be ignored and the result would be wrong; only plain Llama models can be read", path.display())]
    UnknownTensor { path: PathBuf, name: String },
    #[error("the batch has no rows")]
    EmptyBatch,
    #[error("row {row} has no tokens")]
    EmptyRow { row: usize },
    #[error(
        "row {row}: token {id} at position {position} is not below the vocabulary size {vocab_size}; tokenizer and model do not belong together"
    )]
    Token { row: usize, position: usize, id: u32, vocab_size: usize },
    #[error("row {row}: {tokens} tokens are more than the model's {limit} positions; shorten the text")]
    TooLong { row: usize, tokens: usize, limit: usize },
    #[error("row {row}: {ids} tokens but {mask} mask values; there must be one a token")]
    MaskLength { row: usize, ids: usize, mask: usize },
    #[error("row {row}: its first token is supervised, but nothing comes before it to predict it from")]
    FirstSupervised { row: usize },
    #[error(
        "a cache follows one row, the batch has {rows}; use `hidden_after` for several continuations of the same text"
    )]
    CacheRows { rows: usize },
    #[error("device `{name}`: {message}")]
    Device { name: String, message: String },
    #[error("unknown {what} `{found}`; known are {choices}")]
    UnknownChoice { what: &'static str, found: String, choices: &'static str },
    #[error(
        "a memory of {budget} MiB is too small: {needed} MiB are needed at least, with every block computed twice and one row at a time; {remedy}"
    )]
    MemoryBudget { budget: u64, needed: u64, remedy: &'static str },
    #[error("the model carries an adapter; merge it before saving the whole model")]
    Adapted,
    #[error("the model carries no adapter; attach or load one first")]
    NoAdapter,
    #[error("the prompt has no tokens; begin with the model's first token (BOS)")]
    EmptyPrompt,
    #[error("logits contain {value}: the model has diverged")]
    NotFinite { value: f32 },
    #[error("sampling: {field} is {found}; it must be {expected}")]
    BadSampling { field: &'static str, found: String, expected: &'static str },
    #[error(
        "after {tokens} tokens nothing may follow that the constraint allows; it and the tokenizer do not belong together"
    )]
    DeadEnd { tokens: usize },
    #[error("constrained generation: {message}")]
    Constraint { message: String },
    #[error(transparent)]
    Lora(#[from] lora::Error),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}
