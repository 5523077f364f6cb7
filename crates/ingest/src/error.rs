use artifacts::one_line;
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
    #[error("{}: no such file or folder; correct `path` of source `{name}`, or the folder given with --data", one_line(path.display()), name = one_line(name))]
    Missing { path: PathBuf, name: String },
    #[error("{}: no file ending in {expected}; correct `path` of source `{name}`", one_line(path.display()), expected = one_line(expected), name = one_line(name))]
    NoFiles { path: PathBuf, name: String, expected: String },
    #[error("{}: it has no rows; fetch the file again, or leave source `{name}` out", one_line(path.display()), name = one_line(name))]
    Empty { path: PathBuf, name: String },
    #[error("{}: cannot be read ({message}); {remedy}", one_line(path.display()), message = one_line(message))]
    Unreadable { path: PathBuf, message: String, remedy: &'static str },
    #[error("{}: no column `{wanted}`; it has {present}; name the right one under `columns` or with --map", one_line(path.display()), wanted = one_line(wanted), present = one_line(present))]
    MissingColumn { path: PathBuf, wanted: String, present: String },
    #[error("{}: row {row}: {message}; {remedy}", one_line(path.display()), message = one_line(message))]
    BadRow { path: PathBuf, row: u64, message: String, remedy: &'static str },
    #[error("{}: every one of its {rows} rows was refused, the first because: {first}; correct `kind`, `columns` or `labels` of source `{name}`", one_line(path.display()), first = one_line(first), name = one_line(name))]
    NothingKept { path: PathBuf, name: String, rows: u64, first: String },
    #[error("{language}: {have} rows can be used for {purpose}, {asked} are asked for; lower {flag}, or add a source", language = one_line(language))]
    TooFew { language: String, purpose: &'static str, have: usize, asked: u64, flag: &'static str },
    #[error(
        "{url}: answered {status} after {tries} tries: {message}; correct the address or the settings of its source, or try later", url = one_line(url), message = one_line(message))]
    BadAnswer { url: String, status: u16, tries: u32, message: String },
    #[error("{url}: not reached in {tries} tries: {message}; check the address and the network", url = one_line(url), message = one_line(message))]
    Unreachable { url: String, tries: u32, message: String },
    #[error("{url}: the stream broke {tries} times in a row: {message}; what was written is kept, call again to go on", url = one_line(url), message = one_line(message))]
    Stream { url: String, tries: u32, message: String },
    #[error("{}: {message}; give another folder, or remove this one to begin anew", one_line(path.display()), message = one_line(message))]
    BrokenLog { path: PathBuf, message: String },
    #[error("configuration: {}", one_line(.0))]
    BadConfig(String),
}

/// Any error of a reader as one line about a file.
pub(crate) fn unreadable(path: &std::path::Path, error: &dyn std::fmt::Display, remedy: &'static str) -> Error {
    let message = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    Error::Unreadable { path: path.to_owned(), message, remedy }
}
