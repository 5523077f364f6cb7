use std::path::PathBuf;

/// Everything that can be wrong with an artifact. Each message names the file and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error("{}: cannot {action}: {source}", path.display())]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error("{}: no such file; run the stage that writes it first, or correct the path", path.display())]
    Missing { path: PathBuf },
    #[error("{}: a folder, not a file; give the Parquet file inside it", path.display())]
    Folder { path: PathBuf },
    #[error("{}: not a Parquet file (it does not begin with PAR1); give the Parquet file itself", path.display())]
    NotParquet { path: PathBuf },
    #[error("{}: truncated ({bytes} bytes, no Parquet footer at the end); delete it and run its stage again", path.display())]
    Truncated { path: PathBuf, bytes: u64 },
    #[error("{}: corrupt Parquet footer ({message}); delete it and run its stage again", path.display())]
    CorruptFooter { path: PathBuf, message: String },
    #[error("{}: row group {row_group}: corrupt ({message}); delete the file and run its stage again", path.display())]
    CorruptRowGroup { path: PathBuf, row_group: usize, message: String },
    #[error("{}: row group {row_group}: its header claims {claimed}, more than {limit}; the file is damaged or hostile, write it again with row groups under that", path.display())]
    HugeRowGroup { path: PathBuf, row_group: usize, claimed: String, limit: String },
    #[error("{}: not written by seafin (no `seafin.row` in its metadata, expected `{expected}` rows); bring foreign data in with `ingest`", path.display())]
    Foreign { path: PathBuf, expected: &'static str },
    #[error("{}: holds `{found}` rows, expected `{expected}`; give the file of the right stage", path.display())]
    WrongRow { path: PathBuf, expected: &'static str, found: String },
    #[error("{}: schema version {found} of `{row}`, this build reads version {expected}; run the stage that wrote it again with this build", path.display())]
    WrongVersion { path: PathBuf, row: &'static str, expected: u32, found: String },
    #[error("{}: column `{column}` of `{row}` is missing; it has {present}; run the stage that wrote it again", path.display())]
    MissingColumn { path: PathBuf, row: &'static str, column: String, present: String },
    #[error("{}: column `{column}` has type {found}, expected {expected}; run the stage that wrote it again", path.display())]
    WrongType { path: PathBuf, column: String, expected: String, found: String },
    #[error("{}: row {row}: column `{column}`: {message}; correct that row at its source and run the stage again", path.display())]
    BadValue { path: PathBuf, row: u64, column: &'static str, message: String },
    #[error("{}: row {row}: {message}; correct that row at its source and run the stage again", path.display())]
    BadRow { path: PathBuf, row: u64, message: String },
    #[error("{}: row {row}: {message}; sort the rows and remove duplicates at their source", path.display())]
    BadOrder { path: PathBuf, row: u64, message: String },
    #[error("{}: 0 rows of `{row}`; the stage that wrote it had nothing to write, check its rejected.parquet", path.display())]
    Empty { path: PathBuf, row: &'static str },
    #[error("{}: its content changed since {} recorded it (blake3 {recorded}, now {found}); run stage `{stage}` again with --force", path.display(), manifest.display())]
    InputChanged { path: PathBuf, manifest: PathBuf, stage: String, recorded: String, found: String },
    #[error("{}: not a manifest ({message}); delete the folder it lies in and run that stage again", path.display())]
    BadManifest { path: PathBuf, message: String },
    #[error("`{value}` is not a time; write it as 2025-02-24T00:10:00Z, 2025-02-24 00:10[:00] or 2025-02-24")]
    BadTime { value: String },
    #[error(
        "row {row}: available_at {available_at} is earlier than event_at {event_at}; nobody can know a thing before it happens"
    )]
    KnownTooEarly { row: usize, event_at: crate::Timestamp, available_at: crate::Timestamp },
    #[error("`{value}` is not a {what}; known values are {choices}")]
    UnknownValue { what: &'static str, value: String, choices: String },
    #[error("{}: cannot write ({message})", path.display())]
    Write { path: PathBuf, message: String },
}
