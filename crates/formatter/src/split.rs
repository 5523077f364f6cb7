use crate::{Config, Error};
use artifacts::rows::{Example, Formatted, Rejected};
use artifacts::{Progress, Reader};
use chat::{ChatTokenizer, Message, Refusal, prompts};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One row through the template and the preflight.
///
/// # Errors
/// The reason why it must not be trained on.
pub fn format_row(
    tokenizer: &ChatTokenizer,
    example: &Example,
    config: &Config,
    limit: usize,
) -> Result<Formatted, Refusal> {
    let mut messages = prompts::sentiment_messages(&example.text, example.language.as_str(), config.instruction);
    messages.push(Message::assistant(example.label.as_str()));
    let row = tokenizer.doctor(&messages, limit)?;
    let messages = messages.iter().map(|m| serde_json::json!({"role": m.role, "content": m.content})).collect();
    Ok(Formatted {
        id: example.id.clone(),
        language: example.language,
        label: example.label,
        messages: serde_json::Value::Array(messages).to_string(),
        text: row.text,
        ids: row.ids,
        supervised: row.mask,
        prompt_tokens: row.prompt_tokens as u32,
    })
}

/// The size of one split, in rows and tokens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Rows read.
    pub rows_in: u64,
    /// Rows kept.
    pub rows: u64,
    /// Tokens of the rows kept.
    pub tokens: u64,
    /// How many of them are learned.
    pub supervised: u64,
    /// Tokens of the longest row kept.
    pub longest: u64,
    /// Rows kept, by language.
    pub by_language: BTreeMap<String, u64>,
    /// Rows refused, by language.
    pub refused_by_language: BTreeMap<String, u64>,
    /// Rows refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

impl Figures {
    /// Mean tokens of the rows kept; 0 where there are none.
    pub fn mean(&self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.tokens as f64 / self.rows as f64 }
    }

    /// `too-long 12, smuggled-token 1`, or `none`.
    pub fn reasons(&self) -> String {
        if self.refused.is_empty() {
            return "none".into();
        }
        self.refused.iter().map(|(reason, n)| format!("{reason} {n}")).collect::<Vec<_>>().join(", ")
    }

    fn keep(&mut self, row: &Formatted) {
        self.rows += 1;
        self.tokens += row.ids.len() as u64;
        self.supervised += row.supervised.iter().filter(|s| **s).count() as u64;
        self.longest = self.longest.max(row.ids.len() as u64);
        *self.by_language.entry(row.language.to_string()).or_default() += 1;
    }
}

/// Where the rows of a split go.
pub(crate) struct Sink<'a> {
    pub(crate) kept: &'a mut dyn FnMut(Formatted) -> Result<(), Error>,
    pub(crate) refused: &'a mut dyn FnMut(Rejected) -> Result<(), Error>,
}

/// What every split is formatted with.
pub(crate) struct Formatter<'a> {
    pub(crate) tokenizer: &'a ChatTokenizer,
    pub(crate) config: &'a Config,
    pub(crate) limit: usize,
    pub(crate) progress: &'a dyn Progress,
}

impl Formatter<'_> {
    /// Streams the files of one split. `forbidden` are the ids that may not occur in it (those of the evaluation
    /// rows); `seen` are the ids that occurred so far: a second row of the same id is refused, since repeating rows
    /// is the trainer's business (epochs) and not the data's.
    pub(crate) fn split(
        &self,
        name: &'static str,
        files: &[PathBuf],
        forbidden: &BTreeSet<String>,
        seen: &mut BTreeSet<String>,
        sink: &mut Sink<'_>,
    ) -> Result<Figures, Error> {
        let mut figures = Figures::default();
        for file in files {
            let reader = Reader::<Example>::open(file)?;
            let ticker = self.progress.start(&format!("format {name}"), reader.total());
            let mut done = 0;
            for batch in reader {
                for example in batch? {
                    done += 1;
                    let refusal = if forbidden.contains(&example.id) {
                        Some(("in-eval", "the same text is an evaluation row".to_owned()))
                    } else if seen.contains(&example.id) {
                        Some(("duplicate", format!("a row with the id {} came before", example.id)))
                    } else {
                        match format_row(self.tokenizer, &example, self.config, self.limit) {
                            Ok(row) => {
                                figures.keep(&row);
                                (sink.kept)(row)?;
                                None
                            }
                            Err(refusal) => Some((refusal.reason(), refusal.to_string())),
                        }
                    };
                    if let Some((reason, detail)) = refusal {
                        *figures.refused.entry(reason.to_owned()).or_default() += 1;
                        *figures.refused_by_language.entry(example.language.to_string()).or_default() += 1;
                        (sink.refused)(Rejected::new(
                            &example.source,
                            example.source_row,
                            &example.text,
                            &example.raw_label,
                            reason,
                            &format!("{name}: {detail}"),
                        ))?;
                    }
                    seen.insert(example.id);
                }
                ticker.at(done, "");
            }
            figures.rows_in += done;
        }
        Ok(figures)
    }
}
