use std::path::PathBuf;

/// Everything that can go wrong between texts and the cases that resemble them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifacts(#[from] artifacts::Error),
    #[error(transparent)]
    Hub(#[from] hub::Error),
    #[error("case `{id}`: {message}")]
    BadCase { id: String, message: String },
    #[error("case `{id}` is there twice; give each case an id of its own")]
    DuplicateId { id: String },
    #[error("retrieval: {field} is {value}; it must be {wanted}")]
    BadConfig { field: &'static str, value: String, wanted: &'static str },
    #[error("embedder `{embedder}`: text {text} of {texts}: {message}")]
    BadEmbedding { embedder: String, text: usize, texts: usize, message: String },
    #[error("memory: no case `{id}`; it was never remembered, or has been forgotten to make room")]
    NotRemembered { id: String },
    #[error("memory: asked as of {t}, but it already holds what became known at {latest}; ask in order of time")]
    MemoryIsAhead { t: artifacts::Timestamp, latest: artifacts::Timestamp },
    #[error("{}: cannot read: {source}; the model folder needs config.json, model.safetensors and tokenizer.json", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: {message}", path.display())]
    BadFile { path: PathBuf, message: String },
    #[cfg(feature = "tantivy")]
    #[error("compressed index: {0}")]
    Tantivy(#[from] tantivy::TantivyError),
    #[error("{}: {source}", folder.display())]
    Model { folder: PathBuf, source: candle_core::Error },
}
