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
    #[error("{}: {source}", path.display())]
    Model { path: PathBuf, source: Box<lm::Error> },
    #[error("{}: {source}", path.display())]
    Tokenizer { path: PathBuf, source: Box<chat::Error> },
    #[error("{}: the tokenizer has {tokens} tokens but the model's vocabulary {vocabulary}; they are not of one model, put the right tokenizer.json there", path.display())]
    Vocabulary { path: PathBuf, tokens: usize, vocabulary: usize },
    #[error("evaluating {subject}: {source}")]
    Answer { subject: String, source: Box<lm::Error> },
    #[error("{}: row {row} ({id}): {source}", path.display())]
    Row { path: PathBuf, row: usize, id: String, source: Box<chat::Refusal> },
    #[error("{}: row {row} ({id}): its messages are {problem}; run `formatter` again", path.display())]
    Messages { path: PathBuf, row: usize, id: String, problem: String },
    #[error("{}: row {row} ({id}): the model's tokenizer and template make other {what} tokens of its messages than `formatter` wrote (they part at token {at}); run `formatter` with this model's tokenizer and the same date ({date})", path.display())]
    OtherTokens { path: PathBuf, row: usize, id: String, what: &'static str, at: usize, date: String },
    #[error("{}: row {row} ({id}): {tokens} tokens with the answer, but the model reads {limit}; run `formatter` with this model", path.display())]
    TooLong { path: PathBuf, row: usize, id: String, tokens: usize, limit: usize },
    #[error("{}: row {row}: {problem}", path.display())]
    Task { path: PathBuf, row: usize, problem: String },
    #[error("setting {name} is {value}; it must be {allowed}")]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error("a statistic failed: {0}")]
    Statistics(#[from] stats::Error),
}
