//! What the news say: each text is read by the model by itself, then the texts known at a moment are averaged with decay.

use crate::Error;
use artifacts::rows::News;
use artifacts::{AsOf, Progress};
use chat::prompts::{self, Instruction};
use providers::Provider;
use std::collections::BTreeMap;
use text::Detected;

/// What traces call the question that each text is put with ([`chat::prompts::VERSION`]).
pub(crate) const PROMPT_VERSION: &str = "sentiment v1";

/// The model's view of each text: P(positive) - P(negative) among the three labels, from -1 to 1.
///
/// A text's score depends on that text alone, so scoring all texts before the replay tells a decision nothing about later ones.
#[derive(Debug, Clone, Default)]
pub struct Moods {
    by_text: BTreeMap<String, f64>,
    /// How many texts were shortened to fit the model's context.
    pub shortened: u64,
    /// How many texts the model refused to read, because they hold its own control tokens; they count as no news.
    pub refused: u64,
}

impl Moods {
    /// Reads every text once; equal texts share a score.
    ///
    /// # Errors
    /// The model fails, or its context does not hold the prompt with even one word.
    pub fn read(provider: &dyn Provider, news: &[News], progress: &dyn Progress) -> Result<Self, Error> {
        let mut moods = Self::default();
        let ticker = progress.start("reading news", news.len() as u64);
        for (done, item) in news.iter().enumerate() {
            if !moods.by_text.contains_key(&item.text) {
                match score(provider, item) {
                    Ok((score, shortened)) => {
                        moods.shortened += u64::from(shortened);
                        moods.by_text.insert(item.text.clone(), score);
                    }
                    Err(Error::Provider(providers::Error::Refused(refusal))) => {
                        tracing::warn!("news {}: not read: {refusal}", item.id);
                        moods.refused += 1;
                    }
                    Err(other) => return Err(other),
                }
            }
            ticker.at(done as u64 + 1, "");
        }
        Ok(moods)
    }

    /// From scores already known, by text.
    pub fn from_scores(by_text: BTreeMap<String, f64>) -> Self {
        Self { by_text, ..Self::default() }
    }

    /// The score of a text, if it was read.
    pub fn of(&self, text: &str) -> Option<f64> {
        self.by_text.get(text).copied()
    }

    /// The average score of the news of the last `window_seconds`, each weighted by 0.5^(age / half_life), together with the ids read.
    /// `prior` is the weight of an imaginary neutral text: few or old texts say little. None where no news is known.
    pub fn decayed(
        &self,
        news: &AsOf<'_, News>,
        window_seconds: i64,
        half_life_seconds: f64,
        prior: f64,
    ) -> Option<(f64, Vec<String>)> {
        decayed(news, window_seconds, half_life_seconds, prior, |item| self.of(&item.text))
    }
}

/// The score of one text, and whether it had to be shortened: a text longer than the context is cut at its end, in steps of a quarter.
pub(crate) fn score(provider: &dyn Provider, item: &News) -> Result<(f64, bool), Error> {
    let language = if text::detect_language(&item.text).language == Detected::Vietnamese { "vi" } else { "en" };
    let words: Vec<&str> = item.text.split_whitespace().collect();
    let mut keep = words.len();
    loop {
        let messages = prompts::sentiment_messages(&words[..keep].join(" "), language, Instruction::Brief);
        match provider.score(&messages, &prompts::LABELS) {
            Ok(p) => {
                let of = |label: &str| {
                    prompts::LABELS.iter().position(|l| *l == label).and_then(|i| p.get(i)).copied().unwrap_or(0.0)
                };
                return Ok((of("positive") - of("negative"), keep < words.len()));
            }
            Err(providers::Error::PromptTooLong { context, .. }) => {
                if keep <= 1 {
                    return Err(Error::NewsTooLong { id: item.id.clone(), context });
                }
                keep = keep * 3 / 4;
            }
            Err(other) => return Err(other.into()),
        }
    }
}

/// What the model has said about the texts of the last while, by news id; what is older than the window is forgotten.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Readings {
    /// None: the model refused to read it.
    by_id: BTreeMap<String, Option<f64>>,
}

impl Readings {
    /// The score of a news item, if it was read.
    pub fn of(&self, id: &str) -> Option<f64> {
        self.by_id.get(id).copied().flatten()
    }

    /// Whether a news item has been put to the model.
    pub fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Notes what the model said; none: it refused.
    pub fn note(&mut self, id: &str, score: Option<f64>) {
        self.by_id.insert(id.to_owned(), score);
    }

    /// Forgets what is not among `kept`.
    pub fn retain(&mut self, kept: &[News]) {
        let ids: std::collections::BTreeSet<&str> = kept.iter().map(|item| item.id.as_str()).collect();
        self.by_id.retain(|id, _| ids.contains(id.as_str()));
    }

    /// As [`Moods::decayed`].
    pub fn decayed(
        &self,
        news: &AsOf<'_, News>,
        window_seconds: i64,
        half_life_seconds: f64,
        prior: f64,
    ) -> Option<(f64, Vec<String>)> {
        decayed(news, window_seconds, half_life_seconds, prior, |item| self.of(&item.id))
    }
}

fn decayed(
    news: &AsOf<'_, News>,
    window_seconds: i64,
    half_life_seconds: f64,
    prior: f64,
    score: impl Fn(&News) -> Option<f64>,
) -> Option<(f64, Vec<String>)> {
    let (mut sum, mut weights, mut ids) = (0.0, prior, Vec::new());
    for item in news.within(window_seconds) {
        let Some(score) = score(item) else { continue };
        let weight = 0.5_f64.powf(news.t().seconds_since(item.available_at) / half_life_seconds);
        sum += weight * score;
        weights += weight;
        ids.push(item.id.clone());
    }
    (!ids.is_empty() && weights > 0.0).then(|| (sum / weights, ids))
}
