use std::path::PathBuf;

/// What stops the stage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error(transparent)]
    Tokenizer(#[from] chat::Error),
    #[error("{figure}: {source}")]
    Statistic { figure: &'static str, source: stats::Error },
    #[error("no file of examples given; give at least one with --examples")]
    NoExamples,
    #[error("no file given; give at least one with --source [NAME=]FILE")]
    NoSource,
    #[error("no row in {files}; there is nothing to look at")]
    NoRows { files: String },
    #[error("cannot write {what} as JSON: {source}")]
    Json { what: &'static str, source: serde_json::Error },
    #[error("{}: cannot read ({message}); {remedy}", path.display())]
    Unreadable { path: PathBuf, message: String, remedy: &'static str },
    #[error("{}: no column `{wanted}` for {role}; it has {present}; name the right one with --map {role}=COLUMN", path.display())]
    MissingColumn { path: PathBuf, role: &'static str, wanted: String, present: String },
    #[error("--map {text}: {message}; write it as text=COLUMN,label=COLUMN[,source=COLUMN][,language=COLUMN]")]
    BadMap { text: String, message: String },
    #[error("--labels {text}: write it as 0=negative,1=neutral,2=positive")]
    BadLabels { text: String },
}
