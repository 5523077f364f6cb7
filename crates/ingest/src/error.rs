use std::path::PathBuf;

/// Why a source cannot be brought in. Each message names the file and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error(transparent)]
    Hub(#[from] hub::Error),
    #[error("{}: no such file or folder; correct `path` of source `{name}`, or the folder given with --data", path.display())]
    Missing { path: PathBuf, name: String },
    #[error("{}: no file ending in {expected}; correct `path` of source `{name}`", path.display())]
    NoFiles { path: PathBuf, name: String, expected: String },
    #[error("{}: it has no rows; fetch the file again, or leave source `{name}` out", path.display())]
    Empty { path: PathBuf, name: String },
    #[error("{}: cannot be read ({message}); {remedy}", path.display())]
    Unreadable { path: PathBuf, message: String, remedy: &'static str },
    #[error("{}: no column `{wanted}`; it has {present}; name the right one under `columns` or with --map", path.display())]
    MissingColumn { path: PathBuf, wanted: String, present: String },
    #[error("{}: row {row}: {message}; {remedy}", path.display())]
    BadRow { path: PathBuf, row: u64, message: String, remedy: &'static str },
    #[error("{}: every one of its {rows} rows was refused, the first because: {first}; correct `kind`, `columns` or `labels` of source `{name}`", path.display())]
    NothingKept { path: PathBuf, name: String, rows: u64, first: String },
    #[error("{language}: {have} rows can be used for {purpose}, {asked} are asked for; lower {flag}, or add a source")]
    TooFew { language: String, purpose: &'static str, have: usize, asked: u64, flag: &'static str },
    #[error(
        "{url}: answered {status} after {tries} tries: {message}; correct the address or the settings of its source, or try later"
    )]
    BadAnswer { url: String, status: u16, tries: u32, message: String },
    #[error("{url}: not reached in {tries} tries: {message}; check the address and the network")]
    Unreachable { url: String, tries: u32, message: String },
    #[error("{url}: the stream broke {tries} times in a row: {message}; what was written is kept, call again to go on")]
    Stream { url: String, tries: u32, message: String },
    #[error("{}: {message}; give another folder, or remove this one to begin anew", path.display())]
    BrokenLog { path: PathBuf, message: String },
    #[error("configuration: {0}")]
    BadConfig(String),
}

/// Any error of a reader as one line about a file.
pub(crate) fn unreadable(path: &std::path::Path, error: &dyn std::fmt::Display, remedy: &'static str) -> Error {
    let message = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    Error::Unreadable { path: path.to_owned(), message, remedy }
}
