use crate::exercise::{Exercise, Split, Tokens, Wordings};
use crate::fit::{Fitted, fit};
use crate::templates::Templates;
use crate::{Config, Error};
use artifacts::rows::{Example, Formatted, Rejected, Shortened};
use artifacts::{Progress, Reader};
use chat::{ChatTokenizer, Refusal};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One training row through the template and the preflight, in the built-in wording that the settings name.
///
/// # Errors
/// The reason why it must not be trained on.
pub fn format_row(
    tokenizer: &ChatTokenizer,
    example: &Example,
    config: &Config,
    limit: usize,
) -> Result<Formatted, Refusal> {
    let wordings = Wordings { config, own: Templates::default() };
    fit(tokenizer, example, &wordings, Split::Train, limit).map(|fitted| fitted.row)
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
    /// Rows kept whose input had to be shortened.
    pub shortened: u64,
    /// Tokens of each row kept, by language.
    pub lengths: BTreeMap<String, Vec<u32>>,
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

    fn keep(&mut self, row: &Tokens) {
        self.rows += 1;
        self.tokens += row.ids.len() as u64;
        self.supervised += row.learned() as u64;
        self.longest = self.longest.max(row.ids.len() as u64);
        *self.by_language.entry(row.language.to_string()).or_default() += 1;
        self.lengths.entry(row.language.to_string()).or_default().push(row.ids.len() as u32);
    }
}

/// Where the rows of a split go.
pub(crate) struct Sink<'a, F> {
    pub(crate) kept: &'a mut dyn FnMut(F, &Tokens) -> Result<(), Error>,
    pub(crate) shortened: &'a mut dyn FnMut(Shortened) -> Result<(), Error>,
    pub(crate) refused: &'a mut dyn FnMut(Rejected) -> Result<(), Error>,
}

/// What every split is formatted with.
pub(crate) struct Formatter<'a> {
    pub(crate) tokenizer: &'a ChatTokenizer,
    pub(crate) wordings: &'a Wordings<'a>,
    pub(crate) limit: usize,
    pub(crate) progress: &'a dyn Progress,
}

impl Formatter<'_> {
    /// Streams the files of one split. `forbidden` are the ids that may not occur in it (those of the evaluation
    /// rows); `seen` are the ids that occurred so far: a second row of the same id is refused, since repeating rows
    /// is the trainer's business (epochs) and not the data's.
    pub(crate) fn split<E: Exercise>(
        &self,
        split: Split,
        files: &[PathBuf],
        forbidden: &BTreeSet<String>,
        seen: &mut BTreeSet<String>,
        sink: &mut Sink<'_, E::Formatted>,
    ) -> Result<Figures, Error> {
        let name = split.name();
        let mut figures = Figures::default();
        for file in files {
            let reader = Reader::<E>::open(file)?;
            let ticker = self.progress.start(&format!("format {name}"), reader.total());
            let mut done = 0;
            for batch in reader {
                for exercise in batch? {
                    done += 1;
                    let refusal = if forbidden.contains(exercise.id()) {
                        Some(("in-eval", "the same text is an evaluation row".to_owned()))
                    } else if seen.contains(exercise.id()) {
                        Some(("duplicate", format!("a row with the id {} came before", exercise.id())))
                    } else {
                        match fit(self.tokenizer, &exercise, self.wordings, split, self.limit) {
                            Ok(Fitted { row, shortened }) => {
                                let tokens: Tokens = row.clone().into();
                                figures.keep(&tokens);
                                (sink.kept)(row, &tokens)?;
                                if let Some(shortened) = shortened {
                                    figures.shortened += 1;
                                    (sink.shortened)(shortened)?;
                                }
                                None
                            }
                            Err(refusal) => Some((refusal.reason(), refusal.to_string())),
                        }
                    };
                    if let Some((reason, detail)) = refusal {
                        *figures.refused.entry(reason.to_owned()).or_default() += 1;
                        *figures.refused_by_language.entry(exercise.language().to_string()).or_default() += 1;
                        (sink.refused)(exercise.refused(reason, &format!("{name}: {detail}")))?;
                    }
                    seen.insert(exercise.id().to_owned());
                }
                ticker.at(done, "");
            }
            figures.rows_in += done;
        }
        Ok(figures)
    }
}
