use crate::config::RobustnessConfig;
use crate::model::Model;
use crate::questions::Question;
use artifacts::Seed;
use serde::{Deserialize, Serialize};
use stats::SplitMix64;

/// Another form of the same row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The question in other words.
    Paraphrase,
    /// The text without diacritics.
    NoDiacritics,
    /// The text in canonical decomposition: it looks the same.
    Nfd,
    /// The text in capitals.
    UpperCase,
    /// The text with slips of the finger.
    Typos,
}

/// The name of the form in which the formatter wrote the rows.
pub(crate) const PLAIN: &str = "plain";

impl Form {
    /// All forms.
    pub const ALL: [Self; 5] = [Self::Paraphrase, Self::NoDiacritics, Self::Nfd, Self::UpperCase, Self::Typos];

    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paraphrase => "paraphrase",
            Self::NoDiacritics => "no-diacritics",
            Self::Nfd => "nfd",
            Self::UpperCase => "upper-case",
            Self::Typos => "typos",
        }
    }

    /// The question in this form, still with the plain prompt; none where the row's language has no paraphrase. Equal seeds
    /// give equal slips, whatever the order of the rows.
    fn put(self, question: &Question, config: &RobustnessConfig, seed: Seed) -> Option<Question> {
        let text = question.text.as_str();
        let other = match self {
            Self::Paraphrase => {
                let template = config.paraphrases.get(question.language.as_str())?;
                let mut messages = question.messages.clone();
                let said = messages.iter_mut().rfind(|m| m.role == "user")?;
                said.content = template.replace("{text}", text);
                return Some(Question { messages, ..question.clone() });
            }
            Self::NoDiacritics => text::without_marks(text),
            Self::Nfd => text::nfd(text),
            Self::UpperCase => text.to_uppercase(),
            Self::Typos => {
                let mut random = SplitMix64::new(seed.derive(&question.id).0);
                text::typos(text, config.typo_share, &mut |below| random.below(below))
            }
        };
        Some(Question { messages: question.about(&other), text: other, ..question.clone() })
    }
}

/// Rows in one form.
pub(crate) struct Formed {
    pub(crate) form: Form,
    /// Numbers of the rows, and their questions.
    pub(crate) questions: Vec<(usize, Question)>,
    /// Rows whose prompt differs from the plain one.
    pub(crate) changed: usize,
    /// Rows that cannot be put in this form: no paraphrase, too long for the model, a control token.
    pub(crate) left_out: usize,
}

/// The drawn rows in each form.
pub(crate) fn formed(model: &Model, questions: &[Question], config: &RobustnessConfig, seed: Seed) -> Vec<Formed> {
    let rows = drawn(questions.len(), config.rows, seed);
    let in_form = |form: Form| {
        let mut formed = Formed { form, questions: Vec::new(), changed: 0, left_out: 0 };
        for &row in &rows {
            let Some(question) = questions.get(row) else { continue };
            let longest = question.answers.iter().map(Vec::len).max().unwrap_or(0);
            let other = form.put(question, config, seed.derive(form.name())).and_then(|other| {
                let prompt = model.prompt(&other.messages).ok()?;
                (prompt.len() + longest <= model.context()).then_some(Question { prompt, ..other })
            });
            match other {
                Some(other) => {
                    formed.changed += usize::from(other.prompt != question.prompt);
                    formed.questions.push((row, other));
                }
                None => formed.left_out += 1,
            }
        }
        formed
    };
    config.forms.iter().map(|&form| in_form(form)).collect()
}

/// `count` of `rows` row numbers (all for 0), in ascending order: a partial Fisher-Yates shuffle.
pub(crate) fn drawn(rows: usize, count: usize, seed: Seed) -> Vec<usize> {
    let mut all: Vec<usize> = (0..rows).collect();
    if count == 0 || count >= rows {
        return all;
    }
    let mut random = SplitMix64::new(seed.derive("rows").0);
    for place in 0..count {
        all.swap(place, place + random.below(rows - place));
    }
    all.truncate(count);
    all.sort_unstable();
    all
}
