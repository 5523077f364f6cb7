use super::config::{SourceConfig, SourceKind, TextColumns};
use crate::table::{self, Cell, Encoding, Wanted};
use crate::{Error, error};
use artifacts::rows::{Language, Sentiment};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use text::{Detected, detect_language};

/// Where a stranger's table has what: the flags of `ingest --source`, or a TOML file that says the same.
///
/// ```
/// let mapping: ingest::sentiment::Mapping = toml::from_str(r#"
///     text = "Body"
///     label = "stars"
///     labels = { 1 = "negative", 3 = "neutral", 5 = "positive" }
/// "#).unwrap();
/// assert_eq!(mapping.text.as_deref(), Some("Body"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// The file, a folder of them, or `hf://datasets/ORG/NAME`.
    pub source: Option<String>,
    /// The name its rows bear; by default that of the file.
    pub name: Option<String>,
    /// The column with the text.
    pub text: Option<String>,
    /// The column with the label.
    pub label: Option<String>,
    /// The column with an instruction that belongs to the row.
    pub instruction: Option<String>,
    /// What its labels mean.
    pub labels: BTreeMap<String, Sentiment>,
    /// Its language; by default that of most of its texts.
    pub language: Option<Language>,
    /// How its bytes are to be read.
    pub encoding: Encoding,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// It cannot be read, is not TOML, or has a setting that no mapping has.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let remedy = "give a TOML file with text, label, labels and, if needed, source, name, language, encoding";
        let content = std::fs::read_to_string(path).map_err(|e| error::unreadable(path, &e, remedy))?;
        toml::from_str(&content).map_err(|e| error::unreadable(path, &e.message(), remedy))
    }

    /// Adds columns as `--map` gives them: `text=Body,label=stars`.
    ///
    /// # Errors
    /// No `=`, or a role that no column has.
    pub fn add_columns(&mut self, written: &str) -> Result<(), Error> {
        for (role, column) in pairs(written, "--map", "text=COLUMN,label=COLUMN")? {
            let place = match role.as_str() {
                "text" => &mut self.text,
                "label" => &mut self.label,
                "instruction" => &mut self.instruction,
                _ => {
                    let known = "text, label, instruction";
                    return Err(Error::BadConfig(format!("--map {role}={column}: no such role; there are {known}")));
                }
            };
            *place = Some(column);
        }
        Ok(())
    }

    /// Adds labels as `--labels` gives them: `0=negative,1=positive`.
    ///
    /// # Errors
    /// No `=`, or a meaning that is none of the three.
    pub fn add_labels(&mut self, written: &str) -> Result<(), Error> {
        for (label, meaning) in pairs(written, "--labels", "0=negative,1=positive")? {
            let sentiment = meaning
                .parse::<Sentiment>()
                .map_err(|e| Error::BadConfig(format!("--labels {label}={meaning}: {e}")))?;
            self.labels.insert(label, sentiment);
        }
        Ok(())
    }

    /// The source this describes, as the settings have it. Looks into the table where no language is given.
    ///
    /// # Errors
    /// There is no source; the table cannot be read; its language is neither of the two.
    pub fn source(&self, data: &Path) -> Result<SourceConfig, Error> {
        let Some(path) = self.source.clone() else {
            return Err(Error::BadConfig("no source: name the table with --source or in the mapping file".into()));
        };
        let file = path.rsplit('/').next().unwrap_or(&path);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let own = |column: &Option<String>, default: Vec<String>| column.clone().map_or(default, |c| vec![c]);
        let default = TextColumns::default();
        let columns = TextColumns {
            text: own(&self.text, default.text),
            label: own(&self.label, default.label),
            instruction: own(&self.instruction, default.instruction),
        };
        let language = match self.language {
            Some(language) => language,
            None => guess_language(&data.join(&path), &columns.text, self.encoding)?,
        };
        Ok(SourceConfig {
            name: self.name.clone().unwrap_or_else(|| stem.to_owned()),
            language,
            kind: SourceKind::Table,
            path,
            columns,
            labels: self.labels.clone(),
            encoding: self.encoding,
        })
    }
}

/// `a=b,c=d`; the last `=` of each counts, so that a label may have one.
pub(crate) fn pairs(written: &str, flag: &str, example: &str) -> Result<Vec<(String, String)>, Error> {
    let pair = |part: &str| {
        part.rsplit_once('=')
            .map(|(left, right)| (left.trim().to_owned(), right.trim().to_owned()))
            .filter(|(left, right)| !left.is_empty() && !right.is_empty())
            .ok_or_else(|| Error::BadConfig(format!("{flag} {part}: write it as {example}")))
    };
    written.split(',').filter(|part| !part.trim().is_empty()).map(pair).collect()
}

/// Texts that are looked at to tell the language of a table.
const LOOKED_AT: usize = 1000;

/// The language of most of a local table's first texts.
pub(crate) fn guess_language(path: &Path, column: &[String], encoding: Encoding) -> Result<Language, Error> {
    let flag = "say --language en or --language vi";
    if !path.is_file() {
        if path.exists() || path.to_string_lossy().contains("hf:/") {
            return Err(Error::BadConfig(format!("{}: it is no single file here; {flag}", path.display())));
        }
        return Err(error::unreadable(path, &"no such file", "correct --source, or `source` in the mapping file"));
    }
    let (mut english, mut vietnamese, mut other) = (0, 0, 0);
    table::read_as(path, encoding, &[Wanted::required(column)], &mut |record| {
        if english + vietnamese + other < LOOKED_AT
            && let Some(text) = record.content.ok().and_then(|cells| cells.first().and_then(Cell::text))
        {
            match detect_language(&text::repair_encoding(&text)).language {
                Detected::English => english += 1,
                Detected::Vietnamese => vietnamese += 1,
                Detected::Other => other += 1,
                Detected::Unknown => {}
            }
        }
        Ok(())
    })?;
    if other > english.max(vietnamese) {
        let message = format!("{}: most texts are neither English nor Vietnamese; {flag} to go on", path.display());
        return Err(Error::BadConfig(message));
    }
    Ok(if vietnamese > english { Language::Vietnamese } else { Language::English })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_name_columns_and_labels_and_a_wrong_one_says_what_there_is() {
        let mut mapping = Mapping::default();
        mapping.add_columns("text=Body, label=stars").unwrap();
        mapping.add_labels("a=b=negative,5=positive").unwrap();
        assert_eq!((mapping.text.as_deref(), mapping.label.as_deref()), (Some("Body"), Some("stars")));
        assert_eq!(mapping.labels["a=b"], Sentiment::Negative);
        let wrong = |result: Result<(), Error>| result.unwrap_err().to_string();
        assert!(wrong(mapping.add_columns("body=Body")).contains("text, label, instruction"));
        assert!(wrong(mapping.add_columns("text")).contains("write it as text=COLUMN"));
        assert!(wrong(mapping.add_labels("1=good")).contains("negative, neutral, positive"));
    }
}
