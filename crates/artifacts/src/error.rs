use std::path::PathBuf;

/// A name, value or message from outside as part of one line: line breaks, tabs and terminal codes show as `\n`, `\t`,
/// `\u{1b}`. What an error says about somebody's data goes through here.
///
/// ```
/// assert_eq!(artifacts::one_line("BTC\n# approved"), r"BTC\n# approved");
/// ```
pub fn one_line(text: impl std::fmt::Display) -> String {
    let text = text.to_string();
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if !text.contains(breaks) {
        return text;
    }
    text.chars().fold(String::new(), |mut line, c| {
        if breaks(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}

/// What to do about a path that cannot be read or written.
fn remedy(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound => "correct the path",
        Kind::PermissionDenied => "change who may read and write there, or give another path",
        Kind::NotADirectory | Kind::AlreadyExists => {
            "a file has the name of a folder of this path: remove it, or give another path"
        }
        Kind::IsADirectory | Kind::DirectoryNotEmpty => {
            "a folder has the name of this file: remove it, or give another path"
        }
        Kind::StorageFull | Kind::QuotaExceeded => {
            "make room on that disk, or give a path on another, and run this again"
        }
        Kind::ReadOnlyFilesystem => "give a path on a disk that can be written",
        Kind::InvalidFilename => "give a shorter name without special characters",
        Kind::InvalidData | Kind::UnexpectedEof => "the content is damaged: write or fetch the file again",
        _ => "check the disk and the path, and run this again",
    }
}

/// Everything that can be wrong with an artifact. Each message names the file and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error("{}: cannot {action}: {source}; {}", one_line(path.display()), remedy(source))]
    Io { path: PathBuf, action: &'static str, source: std::io::Error },
    #[error("{}: no such file; run the stage that writes it first, or correct the path", one_line(path.display()))]
    Missing { path: PathBuf },
    #[error("{}: a folder, not a file; give the Parquet file inside it", one_line(path.display()))]
    Folder { path: PathBuf },
    #[error("{}: not a Parquet file (it does not begin with PAR1); give the Parquet file itself", one_line(path.display()))]
    NotParquet { path: PathBuf },
    #[error("{}: truncated ({bytes} bytes, no Parquet footer at the end); delete it and run its stage again", one_line(path.display()))]
    Truncated { path: PathBuf, bytes: u64 },
    #[error("{}: corrupt Parquet footer ({message}); delete it and run its stage again", one_line(path.display()), message = one_line(message))]
    CorruptFooter { path: PathBuf, message: String },
    #[error("{}: row group {row_group}: corrupt ({message}); delete the file and run its stage again", one_line(path.display()), message = one_line(message))]
    CorruptRowGroup { path: PathBuf, row_group: usize, message: String },
    #[error("{}: row group {row_group}: its header claims {claimed}, more than {limit}; the file is damaged or hostile, write it again with row groups under that", one_line(path.display()))]
    HugeRowGroup { path: PathBuf, row_group: usize, claimed: String, limit: String },
    #[error("{}: not written by seafin (no `seafin.row` in its metadata, expected `{expected}` rows); bring foreign data in with `ingest`", one_line(path.display()))]
    Foreign { path: PathBuf, expected: &'static str },
    #[error("{}: holds `{found}` rows, expected `{expected}`; give the file of the right stage", one_line(path.display()), found = one_line(found))]
    WrongRow { path: PathBuf, expected: &'static str, found: String },
    #[error("{}: schema version {found} of `{row}`, this build reads version {expected}; run the stage that wrote it again with this build", one_line(path.display()), found = one_line(found))]
    WrongVersion { path: PathBuf, row: &'static str, expected: u32, found: String },
    #[error("{}: column `{column}` of `{row}` is missing; it has {present}; run the stage that wrote it again", one_line(path.display()), column = one_line(column), present = one_line(present))]
    MissingColumn { path: PathBuf, row: &'static str, column: String, present: String },
    #[error("{}: column `{column}` has type {found}, expected {expected}; run the stage that wrote it again", one_line(path.display()), column = one_line(column), found = one_line(found))]
    WrongType { path: PathBuf, column: String, expected: String, found: String },
    #[error("{}: row {row}: column `{column}`: {message}; correct that row at its source and run the stage again", one_line(path.display()), message = one_line(message))]
    BadValue { path: PathBuf, row: u64, column: &'static str, message: String },
    #[error("{}: row {row}: {message}; correct that row at its source and run the stage again", one_line(path.display()), message = one_line(message))]
    BadRow { path: PathBuf, row: u64, message: String },
    #[error("{}: row {row}: {message}; sort the rows and remove duplicates at their source", one_line(path.display()), message = one_line(message))]
    BadOrder { path: PathBuf, row: u64, message: String },
    #[error("{}: 0 rows of `{row}`; the stage that wrote it had nothing to write, check its rejected.parquet", one_line(path.display()))]
    Empty { path: PathBuf, row: &'static str },
    #[error("{}: its content changed since {} recorded it (blake3 {recorded}, now {found}); run stage `{stage}` again with --force", one_line(path.display()), one_line(manifest.display()), recorded = one_line(recorded), found = one_line(found), stage = one_line(stage))]
    InputChanged { path: PathBuf, manifest: PathBuf, stage: String, recorded: String, found: String },
    #[error("{}: not a manifest ({message}); delete the folder it lies in and run that stage again", one_line(path.display()), message = one_line(message))]
    BadManifest { path: PathBuf, message: String },
    #[error("`{value}` is not a time; write it as 2025-02-24T00:10:00Z, 2025-02-24 00:10[:00] or 2025-02-24", value = one_line(value))]
    BadTime { value: String },
    #[error(
        "row {row}: available_at {available_at} is earlier than event_at {event_at}; nobody can know a thing before it happens"
    )]
    KnownTooEarly { row: usize, event_at: crate::Timestamp, available_at: crate::Timestamp },
    #[error("`{value}` is not a {what}; known values are {choices}", value = one_line(value))]
    UnknownValue { what: &'static str, value: String, choices: String },
    #[error("the settings of stage {stage} cannot be written as JSON ({message}); correct that setting", message = one_line(message))]
    BadSettings { stage: &'static str, message: String },
    #[error("setting {name} is {value}; give a number from {low} to {high}")]
    OutOfRange { name: &'static str, value: f64, low: f64, high: f64 },
    #[error("{}: cannot write ({}); check the disk, and run its stage again", one_line(path.display()), one_line(message))]
    Write { path: PathBuf, message: String },
}
