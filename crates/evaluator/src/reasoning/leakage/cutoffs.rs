use crate::reasoning::Error;
use artifacts::Timestamp;
use serde::Deserialize;
use std::path::Path;

/// What is known about a model family's training text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// What a model's name must contain.
    pub family: String,
    /// The last day that its training text reaches (`2023-12-31`); none where its makers do not state one.
    pub cutoff: Option<String>,
    /// Who says so.
    pub source: String,
}

/// Model families with their knowledge cut-offs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cutoffs {
    model: Vec<Family>,
}

/// The registry that comes with the program.
const EMBEDDED: &str = include_str!("cutoffs.toml");

impl Cutoffs {
    /// The registry that comes with the program.
    ///
    /// # Errors
    /// Never, unless the embedded file was damaged.
    pub fn embedded() -> Result<Self, Error> {
        Self::parse(EMBEDDED, Path::new("cutoffs.toml"))
    }

    /// A registry of one's own, of the same form.
    ///
    /// # Errors
    /// The file cannot be read, has unknown keys, or a date in it is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::Registry { path: path.to_owned(), message: e.to_string() })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let bad = |message: String| Error::Registry { path: path.to_owned(), message };
        let cutoffs: Self = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        for family in &cutoffs.model {
            if let Some(date) = &family.cutoff {
                last_moment(date).map_err(|e| bad(format!("{}: {e}", family.family)))?;
            }
        }
        Ok(cutoffs)
    }

    /// The family of a model by its name; none where no family matches. Of several the longest counts.
    ///
    /// ```
    /// use evaluator::reasoning::leakage::Cutoffs;
    /// let cutoffs = Cutoffs::embedded()?;
    /// let of = |name| cutoffs.family(name).and_then(|f| f.cutoff.as_deref());
    /// assert_eq!(of("meta-llama/Llama-3.2-1B-Instruct"), Some("2023-12-31"));
    /// assert_eq!(of("somebody/their-model"), None);
    /// # Ok::<(), evaluator::reasoning::Error>(())
    /// ```
    pub fn family(&self, name: &str) -> Option<&Family> {
        let plain: String =
            name.to_lowercase().chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' }).collect();
        self.model.iter().filter(|f| plain.contains(&f.family)).max_by_key(|f| f.family.len())
    }
}

/// The end of a day such as `2023-12-31`.
pub(crate) fn last_moment(date: &str) -> Result<Timestamp, Error> {
    let day = Timestamp::parse_with(date, "%Y-%m-%d")
        .map_err(|e| Error::Cutoff { value: date.to_owned(), message: e.to_string() })?;
    Ok(day.plus_seconds(86_400 - 1))
}
