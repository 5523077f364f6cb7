use std::path::PathBuf;

/// What can go wrong while evaluating.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error(transparent)]
    Provider(#[from] providers::Error),
    #[error("{}: row {row} ({id}): {source}", path.display())]
    Row { path: PathBuf, row: usize, id: String, source: providers::Error },
    #[error("{}: row {row} ({id}): its messages are {problem}; run `formatter` again", path.display())]
    Messages { path: PathBuf, row: usize, id: String, problem: String },
    #[error("{}: row {row} ({id}): the model's tokenizer and template make other {what} tokens of its messages than `formatter` wrote (they part at token {at}); run `formatter` with this model's tokenizer and the same date ({date})", path.display())]
    OtherTokens { path: PathBuf, row: usize, id: String, what: &'static str, at: usize, date: String },
    #[error("setting {name} is {value}; it must be {allowed}")]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error("a statistic failed: {0}")]
    Statistics(#[from] stats::Error),
}
