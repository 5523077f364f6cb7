use std::path::PathBuf;

/// What can go wrong while evaluating reasoning.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error("a statistic failed: {0}")]
    Statistics(#[from] stats::Error),
    #[error(transparent)]
    Provider(#[from] Box<providers::Error>),
    #[error("setting {name} is {value}; it must be {allowed}")]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error("{}: decision {row} is on the bar {bar} of {symbol}, which {} does not have; give the market that these decisions were made on", decisions.display(), bars.display())]
    NoBar { decisions: PathBuf, row: usize, symbol: String, bar: String, bars: PathBuf },
    #[error("{}: {found} decisions, but {} has {expected} and their bars cannot be matched: {why}", other.display(), first.display())]
    Unmatched { first: PathBuf, other: PathBuf, expected: usize, found: usize, why: &'static str },
    #[error("twin {name:?} is unknown; known twins are anonymised, date-shifted, flipped-news, inverted, placebo")]
    UnknownTwin { name: String },
    #[error("{}: the registry of knowledge cut-offs cannot be read: {message}; correct it, or leave --registry out for the one that comes with the program", path.display())]
    Registry { path: PathBuf, message: String },
    #[error("knowledge cut-off {value:?}: {message}; give a date such as 2023-12-31, or `unknown`")]
    Cutoff { value: String, message: String },
}
