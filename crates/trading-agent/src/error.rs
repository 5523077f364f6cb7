use artifacts::one_line;
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
    #[error(transparent)]
    Retrieval(Box<retrieval::Error>),
    #[error("setting {name} is {value}; it must be {allowed}", value = one_line(value))]
    Setting { name: &'static str, value: String, allowed: &'static str },
    #[error(
        "news {id}: even its first word does not fit into the model's context of {context} tokens; take a model with a longer one", id = one_line(id))]
    NewsTooLong { id: String, context: usize },
    #[error("{}: no bars of symbol {symbol}; it has {present}", one_line(path.display()), symbol = one_line(symbol), present = one_line(present))]
    NoSuchSymbol { path: PathBuf, symbol: String, present: String },
    #[error("prompt {name}: {message}; the prompts are in crates/trading-agent/prompts", name = one_line(name), message = one_line(message))]
    Prompt { name: String, message: String },
    #[error("reasoner = \"{kind}\" needs {missing}")]
    NoReasoner { kind: &'static str, missing: &'static str },
    #[error("tool {tool} at {t}: fact {name:?} is known only from {available_at}; the tool looks ahead")]
    LooksAhead { tool: &'static str, t: artifacts::Timestamp, name: String, available_at: artifacts::Timestamp },
    #[error("web search: {message}", message = one_line(message))]
    WebSearch { message: String },
    #[error("{}: {action}: {message}; remove the folder to begin anew", one_line(path.display()), message = one_line(message))]
    Journal { path: PathBuf, action: &'static str, message: String },
}

// Boxed by hand: it carries paths and values, and every Result would be as large.
impl From<retrieval::Error> for Error {
    fn from(error: retrieval::Error) -> Self {
        Self::Retrieval(Box::new(error))
    }
}
