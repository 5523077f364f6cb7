use serde::{Deserialize, Serialize};

/// One turn of a conversation. Unknown fields (tool calls) are refused when reading: the templates would show them to
/// the model, and nothing here would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who speaks: `system`, `user` or `assistant` (a template may know more).
    pub role: String,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A turn of any role.
    pub fn new(role: &str, content: &str) -> Self {
        Self { role: role.to_owned(), content: content.to_owned() }
    }

    /// A turn of the user.
    pub fn user(content: &str) -> Self {
        Self::new("user", content)
    }

    /// A turn of the model.
    pub fn assistant(content: &str) -> Self {
        Self::new("assistant", content)
    }
}
