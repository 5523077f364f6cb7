/// What stops the stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error("{figure}: {source}")]
    Statistic { figure: &'static str, source: stats::Error },
    #[error("no file of examples given; give at least one with --examples")]
    NoExamples,
    #[error("cannot write {what} as JSON: {source}")]
    Json { what: &'static str, source: serde_json::Error },
}
