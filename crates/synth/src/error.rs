use artifacts::rows::{Language, Sentiment};
use std::path::PathBuf;

/// What can go wrong while making synthetic rows. A refused candidate is not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error("candidate {number}: {source}")]
    Candidate { number: u64, source: providers::Error },
    #[error(transparent)]
    Provider(#[from] providers::Error),
    #[error(
        "the training rows hold no {language} text labelled {label}, so nothing can judge a candidate; give a training file with rows of all three labels"
    )]
    NoRealRows { language: Language, label: Sentiment },
    #[error("setting {name} is {value}; it must be {allowed}")]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error("{}: {source}", path.display())]
    Journal { path: PathBuf, source: std::io::Error },
    #[error("{}: {message}", path.display())]
    Review { path: PathBuf, message: String },
    #[error(
        "{}: row {row}: column `correct` is {found:?}; write y or n, or leave it empty while it is not checked", path.display()
    )]
    ReviewRow { path: PathBuf, row: u64, found: String },
}
