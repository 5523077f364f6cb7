use artifacts::{Timestamp, one_line};
use std::path::PathBuf;

/// What can go wrong while making features.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error("feature `{name}`: {source}", name = one_line(name))]
    Parameter { name: String, source: stats::Error },
    #[error("feature `{name}`: {message}", name = one_line(name), message = one_line(message))]
    Definition { name: String, message: String },
    #[error("feature `{name}` is defined twice; give each definition its own name", name = one_line(name))]
    Twice { name: String },
    #[error("feature `{name}` has the name of an observation in {}; give the feature another name", one_line(path.display()), name = one_line(name))]
    Clash { name: String, path: PathBuf },
    #[error("no feature is defined; leave `definitions` out for the built-in ones")]
    NoDefinitions,
    #[error("the plot of `{name}` is asked for, but no feature has that name; features are {choices}", name = one_line(name), choices = one_line(choices))]
    UnknownPlot { name: String, choices: String },
    #[error(
        "{symbol}: the bar of {event_at} (known at {available_at}) comes after one known at {known_at}; put them in the order in which they could be known", symbol = one_line(symbol))]
    OutOfOrder { symbol: String, event_at: Timestamp, available_at: Timestamp, known_at: Timestamp },
    #[error("{}: a bar of `{found}` in a log of `{expected}`; a log folder holds one symbol", one_line(path.display()), found = one_line(found), expected = one_line(expected))]
    OtherSymbol { path: PathBuf, expected: String, found: String },
    #[error("{}: no features: no segment of bars came before the end of the log", one_line(path.display()))]
    EmptyLog { path: PathBuf },
    #[error("{}: {message}; delete that folder to begin anew", one_line(path.display()), message = one_line(message))]
    Progress { path: PathBuf, message: String },
    #[error("{}: no log can be read there ({message}); give the folder that `ingest follow` writes", one_line(path.display()), message = one_line(message))]
    NoLog { path: PathBuf, message: String },
    #[error("{}: {message}; the log is damaged: bring the missing file back, or follow the stream into a new folder", one_line(path.display()), message = one_line(message))]
    BrokenLog { path: PathBuf, message: String },
    #[error("{}: {source}", one_line(path.display()))]
    InFile { path: PathBuf, source: Box<Error> },
    #[error("a state cannot be stored: {message}", message = one_line(message))]
    State { message: String },
    #[error("{}: nothing new for {seconds} s and no end.json; the log is unfinished, run follow again when it grows", one_line(path.display()))]
    Idle { path: PathBuf, seconds: u64 },
}
