use hf_hub::HFError;
use std::path::PathBuf;

/// Why a file could not come from the Hub or go to it. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(
        "`{text}`: {message}; write hf://datasets/ORG/NAME[@REVISION]/PATH, hf://ORG/NAME[@REVISION]/PATH, or a local path"
    )]
    BadSource { text: String, message: String },
    #[error("{repo}: {endpoint} refuses access (401{detail}); {remedy}, and check the name of the repository")]
    Unauthorised { repo: String, endpoint: String, detail: String, remedy: &'static str },
    #[error(
        "{repo}: {endpoint} forbids it (403{detail}); accept the repository's terms on its page, or use a token with the rights for it"
    )]
    Forbidden { repo: String, endpoint: String, detail: String },
    #[error(
        "{repo}: {endpoint} has no such repository (404); check the name, whether it is a dataset or a model, and whether the token may see it"
    )]
    NoSuchRepository { repo: String, endpoint: String },
    #[error("{repo}: no revision `{revision}` (404); leave it out, or name a branch, a tag or a commit")]
    NoSuchRevision { repo: String, revision: String },
    #[error("{repo}: no file `{path}` (404); it has {present}")]
    NoSuchFile { repo: String, path: String, present: String },
    #[error("{repo}: no file matches `{pattern}`; it has {present}")]
    NoMatch { repo: String, pattern: String, present: String },
    #[error(
        "{repo}: not a model that can be loaded ({missing} is missing); choose a repository with config.json and .safetensors weights"
    )]
    NotAModel { repo: String, missing: &'static str },
    #[error(
        "{repo}: cannot reach {endpoint} ({message}), and the cache has no copy; check the network and HF_ENDPOINT, or give a local path"
    )]
    Unreachable { repo: String, endpoint: String, message: String },
    #[error("{repo}: not in the cache {}, and the network is switched off; unset HF_HUB_OFFLINE once to fetch it", cache.display())]
    NotCached { repo: String, cache: PathBuf },
    #[error("{repo}: {endpoint} is asked too often (429); wait a few minutes, or set HF_TOKEN")]
    RateLimited { repo: String, endpoint: String },
    #[error("{repo}: pushing needs a token with write access; set HF_TOKEN")]
    NoToken { repo: String },
    #[error("{}: cannot push ({message}); give a folder with at least one file", folder.display())]
    BadFolder { folder: PathBuf, message: String },
    #[error("{repo}: unsafe file name `{path}` in the repository; use another one")]
    UnsafeName { repo: String, path: String },
    #[error("{repo}: {endpoint}: {message}")]
    Other { repo: String, endpoint: String, message: String },
}

/// Names of files, shortened for a message.
pub(crate) fn name_some(files: &[String]) -> String {
    match files.len() {
        0 => "no files".into(),
        n if n <= 8 => files.join(", "),
        n => format!("{}, and {} more", files.get(..8).unwrap_or_default().join(", "), n - 8),
    }
}

/// What an answer of the client means, for the request it came from.
pub(crate) fn explain(error: HFError, repo: &str, endpoint: &str, revision: &str, has_token: bool) -> Error {
    let (repo, endpoint) = (repo.to_owned(), endpoint.to_owned());
    let remedy = if has_token { "the token is wrong or expired: set HF_TOKEN to a valid one" } else { "set HF_TOKEN" };
    let status = match &error {
        HFError::AuthRequired { .. } => 401,
        HFError::Forbidden { .. } => 403,
        HFError::RepoNotFound { .. } => 404,
        HFError::RateLimited { .. } => 429,
        HFError::Http { context } => context.status.as_u16(),
        _ => 0,
    };
    let detail = match &error {
        HFError::AuthRequired { context } | HFError::Forbidden { context } | HFError::Http { context } => {
            context.server_message.as_ref().map(|m| format!(": {}", one_line(m))).unwrap_or_default()
        }
        _ => String::new(),
    };
    let missing_revision = match &error {
        HFError::RevisionNotFound { .. } => true,
        HFError::Http { context } => context.error_code.as_deref() == Some("RevisionNotFound"),
        _ => false,
    };
    match (status, error) {
        _ if missing_revision => Error::NoSuchRevision { repo, revision: revision.to_owned() },
        (401, _) => Error::Unauthorised { repo, endpoint, detail, remedy },
        (403, _) => Error::Forbidden { repo, endpoint, detail },
        (404, _) => Error::NoSuchRepository { repo, endpoint },
        (429, _) => Error::RateLimited { repo, endpoint },
        (_, HFError::Request { source, .. }) => {
            Error::Unreachable { repo, endpoint, message: one_line(&innermost(&source)) }
        }
        (_, HFError::EntryNotFound { path, .. } | HFError::LocalEntryNotFound { path }) => {
            Error::NoSuchFile { repo, path, present: "other files".into() }
        }
        (_, error) => Error::Other { repo, endpoint, message: one_line(&error.to_string()) },
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
