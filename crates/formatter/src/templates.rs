//! Wordings from a user's file, beside the built-in ones.
//!
//! The file is TOML, a list of `[[template]]`, or JSON, `{"template": [..]}`:
//!
//! ```toml
//! [[template]]
//! name = "minutes-v1"        # stands in the formatted rows and in the evaluation by template
//! task = "summarisation"     # sentiment, classification, extraction, question-answering, summarisation
//! language = "en"            # en, vi
//! split = "train"            # train, eval
//! wording = "Write the minutes of this:\n{input}"
//! ```
//!
//! Each task and language that the file names needs a wording to train on and another to evaluate on; rows of others
//! are asked in the built-in ones. Several for one split share its rows evenly, by the rows' ids.

use crate::Error;
use crate::exercise::Split;
use artifacts::Seed;
use artifacts::rows::{Language, TaskKind};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The task of rows that ask for their sentiment.
pub(crate) const SENTIMENT: &str = "sentiment";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    template: Vec<Template>,
}

/// One wording.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    pub(crate) name: String,
    task: String,
    language: String,
    split: String,
    pub(crate) wording: String,
}

/// The wordings of a user's file; none where there is no file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Templates {
    all: Vec<Template>,
}

impl Templates {
    /// Reads and checks a file: TOML, or JSON where it is called `.json`.
    ///
    /// # Errors
    /// It cannot be read, or an entry cannot be used; the error names both and what to do.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self::default()) };
        let fail = |message: String| Error::Templates { path: path.to_owned(), message };
        let text = std::fs::read_to_string(path).map_err(|e| fail(format!("cannot read: {e}")))?;
        let form = "it must be a list of [[template]] with name, task, language, split and wording";
        let file: File = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
            serde_json::from_str(&text).map_err(|e| fail(format!("{e}; {form} (in JSON: {{\"template\": [..]}})")))?
        } else {
            toml::from_str(&text).map_err(|e| fail(format!("{}; {form}", e.to_string().trim_end())))?
        };
        let templates = Self { all: file.template };
        templates.check().map_err(fail)?;
        Ok(templates)
    }

    fn check(&self) -> Result<(), String> {
        if self.all.is_empty() {
            return Err("there is no template in it; add entries to train and to evaluate on".into());
        }
        let mut wordings = BTreeSet::new();
        let mut names = BTreeSet::new();
        for (i, template) in self.all.iter().enumerate() {
            let Template { name, task, language, wording, .. } = template;
            let refuse = |what: String| Err(format!("template {} (`{name}`): {what}", i + 1));
            if let Err(what) = template.check() {
                return refuse(what);
            }
            if !names.insert((task, language, name)) {
                return refuse(format!("a {task} template in {language} has this name already; give it its own"));
            }
            if !wordings.insert((task, language, wording.trim())) {
                return refuse(format!("another {task} template in {language} has the same words; give it its own"));
            }
        }
        for template in &self.all {
            let Template { task, language, .. } = template;
            for split in [Split::Train, Split::Eval] {
                if self.of(task, language, split).next().is_none() {
                    let what = split.name();
                    return Err(format!(
                        "there is no {task} template in {language} with split = \"{what}\"; add one: training and evaluation ask in different words"
                    ));
                }
            }
        }
        Ok(())
    }

    fn of<'a>(&'a self, task: &str, language: &str, split: Split) -> impl Iterator<Item = &'a Template> {
        self.all.iter().filter(move |t| (&*t.task, &*t.language, &*t.split) == (task, language, split.name()))
    }

    /// The wording for a row, if the file has one for its task and language.
    pub(crate) fn find(&self, task: &str, language: Language, split: Split, id: &str) -> Option<&Template> {
        let of: Vec<&Template> = self.of(task, language.as_str(), split).collect();
        let turn = Seed(0).derive(id).0.checked_rem(of.len() as u64)?;
        of.get(turn as usize).copied()
    }

    /// The names of a split's wordings, for reports.
    pub(crate) fn names(&self, split: Split) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.all.iter().filter(|t| t.split == split.name()).map(|t| t.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Template {
    fn check(&self) -> Result<(), String> {
        let Self { name, task, language, split, wording } = self;
        let one_of = |what: &str, value: &str, allowed: &[&str]| {
            if allowed.contains(&value) {
                return Ok(());
            }
            Err(format!("{what} is `{value}`; it must be one of {}", allowed.join(", ")))
        };
        if name.trim().is_empty() {
            return Err("name is empty; give it one with its version, such as minutes-v1".into());
        }
        let tasks: Vec<&str> = std::iter::once(SENTIMENT).chain(TaskKind::ALL.iter().map(|t| t.as_str())).collect();
        one_of("task", task, &tasks)?;
        one_of("language", language, &Language::ALL.iter().map(|l| l.as_str()).collect::<Vec<_>>())?;
        one_of("split", split, &[Split::Train.name(), Split::Eval.name()])?;
        let asks = task == TaskKind::QuestionAnswering.as_str();
        for (slot, wanted) in [("{input}", 1), ("{question}", usize::from(asks))] {
            let found = wording.matches(slot).count();
            if found != wanted {
                return Err(format!("its wording has {slot} {found} times; {task} needs it {wanted} times"));
            }
        }
        let other = slots(wording).find(|slot| !matches!(*slot, "{input}" | "{question}"));
        other.map_or(Ok(()), |slot| {
            Err(format!("its wording has {slot}, which nothing fills; write {{input}} where the text goes"))
        })
    }
}

/// What looks like a placeholder: a name in braces. Other braces, such as those of JSON, are text.
fn slots(wording: &str) -> impl Iterator<Item = &str> {
    wording.match_indices('{').filter_map(|(from, _)| {
        let rest = wording.get(from..)?;
        let name = rest.get(1..rest.find('}')?)?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then(|| rest.get(..name.len() + 2)).flatten()
    })
}
