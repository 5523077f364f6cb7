/// A key figure, shown large.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tile {
    /// What it is.
    pub label: String,
    /// Its value, formatted.
    pub value: String,
    /// What to compare it with, or its interval; may be empty.
    pub note: String,
}

impl Tile {
    /// A tile from its three texts.
    pub fn new(label: impl Into<String>, value: impl Into<String>, note: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), note: note.into() }
    }
}
