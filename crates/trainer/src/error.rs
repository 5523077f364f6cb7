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
    Statistics(#[from] stats::Error),
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    #[error("setting {name} is {value}; it must be {allowed}")]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error("shape `{name}` is not known; known are {known}")]
    UnknownShape { name: String, known: String },
    #[error(
        "update {step}: {missing} of {of} trained tensors got no gradient ({names}); the model does not train where it should"
    )]
    NoGradient { step: u64, missing: usize, of: usize, names: String },
    #[error("update {step}: {what} is not finite (rows {rows}); lower the learning rate or look at those rows")]
    NotFinite { step: u64, what: String, rows: String },
    #[error(
        "the training needs {needed} MiB, but the machine has {available} MiB to give; set --memory to less, quantise the base model (--precision nf4), or close other programs"
    )]
    NoMemory { needed: u64, available: u64 },
    #[error("{}: row {row} ({id}) {problem}; format the data again with this model's tokenizer", path.display())]
    Preflight { path: PathBuf, row: usize, id: String, problem: String },
    #[error("{}: row {row} ({id}) is also in {}; held-out rows must not be trained on", dev.display(), train.display())]
    DevInTrain { dev: PathBuf, train: PathBuf, row: usize, id: String },
    #[error("{}: {message}; delete it to begin again", path.display())]
    BadCheckpoint { path: PathBuf, message: String },
    #[error("{}: no manifest that records this adapter; give the adapter folder of a finished training", folder.display())]
    NoManifest { folder: PathBuf },
    #[error("{}: not the adapter that the manifest beside it records; train again or push the folder with another tool", folder.display())]
    OtherAdapter { folder: PathBuf },
    #[error(transparent)]
    Hub(#[from] hub::Error),
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    #[error("{}: {documents} documents give {tokens} tokens, too few for one step of {needed}; make more text", path.display())]
    TooLittleText { path: PathBuf, documents: usize, tokens: usize, needed: usize },
}
