use std::path::PathBuf;

/// What can go wrong while deciding.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error(transparent)]
    Provider(#[from] providers::Error),
    #[error("setting {name} is {value}; it must be {allowed}")]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error(
        "news {id}: even its first word does not fit into the model's context of {context} tokens; take a model with a longer one"
    )]
    NewsTooLong { id: String, context: usize },
    #[error("{}: no bars of symbol {symbol}; it has {present}", path.display())]
    NoSuchSymbol { path: PathBuf, symbol: String, present: String },
}
