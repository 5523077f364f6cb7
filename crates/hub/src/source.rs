use crate::Error;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// What a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepoKind {
    /// Weights and a tokenizer.
    Model,
    /// Data.
    Dataset,
}

/// A place in a repository on the Hub.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HubPath {
    /// Model or data set.
    pub kind: RepoKind,
    /// `ORG/NAME`.
    pub repo: String,
    /// Branch, tag or commit; the main branch where there is none.
    pub revision: Option<String>,
    /// File or folder within the repository; empty for all of it.
    pub path: String,
}

/// Where data come from, as a user writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A repository on the Hub.
    Hub(HubPath),
    /// A file or folder here.
    Local(PathBuf),
}

impl Source {
    /// Reads `hf://datasets/ORG/NAME[@REVISION][/PATH]`, `hf://[models/]ORG/NAME[@REVISION][/PATH]`, or a local path
    /// (anything without `hf://`). A revision with slashes is written `refs/convert/parquet`, `refs/pr/1`, or with `%2F`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Some(rest) = text.strip_prefix("hf://") else {
            return if text.is_empty() { Err(bad(text, "it is empty")) } else { Ok(Self::Local(PathBuf::from(text))) };
        };
        let (kind, rest) = match (rest.strip_prefix("datasets/"), rest.strip_prefix("models/")) {
            (Some(rest), _) => (RepoKind::Dataset, rest),
            (None, Some(rest)) => (RepoKind::Model, rest),
            (None, None) => (RepoKind::Model, rest),
        };
        let mut parts = rest.split('/').filter(|p| !p.is_empty());
        let (Some(org), Some(name)) = (parts.next(), parts.next()) else {
            return Err(bad(text, "it names no ORG/NAME"));
        };
        let (name, revision) = match name.split_once('@') {
            None => (name, None),
            Some((name, "refs")) => {
                let (Some(a), Some(b)) = (parts.next(), parts.next()) else {
                    return Err(bad(text, "its revision `refs/…` is not complete"));
                };
                (name, Some(format!("refs/{a}/{b}")))
            }
            Some((_, "")) => return Err(bad(text, "its revision is empty")),
            Some((name, revision)) => (name, Some(revision.replace("%2F", "/").replace("%2f", "/"))),
        };
        let path = parts.collect::<Vec<_>>().join("/");
        if !is_plain(Path::new(&path)) || name.is_empty() || [org, name].contains(&"..") {
            return Err(bad(text, "it leaves the repository"));
        }
        Ok(Self::Hub(HubPath { kind, repo: format!("{org}/{name}"), revision, path }))
    }
}

fn bad(text: &str, message: &str) -> Error {
    Error::BadSource { text: text.to_owned(), message: message.to_owned() }
}

/// Whether a path only goes down.
pub(crate) fn is_plain(path: &Path) -> bool {
    path.components().all(|c| matches!(c, Component::Normal(_)))
}

impl HubPath {
    /// The whole of a model repository.
    pub fn model(repo: &str) -> Self {
        Self { kind: RepoKind::Model, repo: repo.to_owned(), revision: None, path: String::new() }
    }

    /// The whole of a data set repository.
    pub fn dataset(repo: &str) -> Self {
        Self { kind: RepoKind::Dataset, ..Self::model(repo) }
    }

    /// The same repository at another place.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// The revision asked for, or the main branch.
    pub fn revision_or_main(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }
}

impl fmt::Display for HubPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == RepoKind::Dataset { "datasets/" } else { "" };
        write!(f, "hf://{kind}{}", self.repo)?;
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        if self.path.is_empty() { Ok(()) } else { write!(f, "/{}", self.path) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in [
            "hf://datasets/o/n",
            "hf://o/n/config.json",
            "hf://datasets/o/n@refs/convert/parquet/default/train/0000.parquet",
            "hf://o/n@v1",
        ] {
            let Source::Hub(at) = Source::parse(text).unwrap() else { panic!("{text}") };
            assert_eq!(at.to_string(), text);
        }
        assert_eq!(Source::parse("data/x.csv").unwrap(), Source::Local("data/x.csv".into()));
    }

    #[test]
    fn what_cannot_be_a_place_says_how_to_write_one() {
        for text in ["hf://datasets/only", "hf://o/n@", "hf://o/n@refs/convert", "hf://o/n/../../x", "", "hf://o/@v1"] {
            let message = Source::parse(text).unwrap_err().to_string();
            assert!(message.contains("hf://datasets/ORG/NAME"), "{message}");
        }
    }
}
