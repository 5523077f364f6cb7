use std::path::PathBuf;

/// What stops the whole stage; a single bad row is refused instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error(transparent)]
    Chat(#[from] chat::Error),
    #[error(
        "all {rows} rows of the {split} split were refused ({reasons}); see rejected.parquet, then raise max_tokens or correct the rows"
    )]
    NothingLeft { split: &'static str, rows: u64, reasons: String },
    #[error("`{name}` is no wording; the sentiment question has {of_sentiment}; other tasks have {others}")]
    UnknownTemplate { name: String, of_sentiment: String, others: String },
    #[error("{}: {message}", path.display())]
    Templates { path: PathBuf, message: String },
    #[error("cannot write {what} as JSON: {source}")]
    Json { what: &'static str, source: serde_json::Error },
}
