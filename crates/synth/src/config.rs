use crate::Error;
use artifacts::rows::{Language, Sentiment};
use serde::{Deserialize, Serialize};

/// How the model is asked. A change of wording is a new name, so that old candidates stay explainable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Strategy {
    /// Raw continuation of a heading such as `Good news today:`, for base models.
    #[serde(rename = "heading-v1")]
    Heading,
    /// Raw continuation of three real rows of the label, one a line, for base models.
    #[serde(rename = "few-shot-v1")]
    FewShot,
    /// A chat message that asks for one headline of the label, for models tuned to follow instructions.
    #[serde(rename = "instruct-v1")]
    Instruct,
}

impl Strategy {
    /// All strategies.
    pub const ALL: [Self; 3] = [Self::Heading, Self::FewShot, Self::Instruct];

    /// The name in settings and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heading => "heading-v1",
            Self::FewShot => "few-shot-v1",
            Self::Instruct => "instruct-v1",
        }
    }
}

/// The settings of `synth`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The language to write.
    pub language: Language,
    /// How many rows to keep, shared evenly among the labels.
    pub rows: u64,
    /// Candidates to make at most; with a model that cannot write, this ends the work.
    pub max_candidates: u64,
    /// Ways to ask, used in turn.
    pub strategies: Vec<Strategy>,
    /// Sampling temperature: above 0; below 1 for likelier, above for more varied text.
    pub temperature: f64,
    /// Sample among the likeliest tokens that together have this probability, in (0, 1].
    pub top_p: f64,
    /// Tokens of an answer at most.
    pub max_tokens: usize,
    /// Words of a candidate at least.
    pub min_words: usize,
    /// Words of a candidate at most.
    pub max_words: usize,
    /// Confidence of the language identification at least. Headlines have few function words, so it is seldom high.
    pub language_confidence: f64,
    /// Jaccard similarity of character 5-grams from which on two texts are one.
    pub near_duplicate: f64,
    /// How typical a text must be: at least as much as this share of held-out real rows, measured by their words and word
    /// pairs. Below that the judges abstain, which is the verdict `label`: they know only texts like the real ones. 0
    /// turns it off; with fewer than 200 real rows of the language it has no effect.
    pub typical: f64,
    /// Probability that the classifier trained on real rows must give the intended label. Naive Bayes is far too sure of
    /// itself: on held-out English rows (FinGPT's, and the embedded ones) it was right in 71 to 74 % where it said 0.7 or
    /// more, in 79 to 81 % at 0.95, in 84 % at 0.99. Every run measures this anew (fact `classifier_precision`).
    pub classifier_probability: f64,
    /// Whether the language model's own label score must prefer the intended label too. Off by default: the zero-shot
    /// label of a model that is not tuned yet is noise, and a model that both writes and judges agrees with itself.
    pub require_model_agreement: bool,
    /// What the chat template prints as today's date.
    pub date: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            language: Language::English,
            rows: 500,
            max_candidates: 5000,
            strategies: vec![Strategy::Heading, Strategy::FewShot],
            temperature: 0.9,
            top_p: 0.95,
            max_tokens: 56,
            min_words: 5,
            max_words: 45,
            language_confidence: 0.4,
            near_duplicate: 0.8,
            typical: 0.2,
            classifier_probability: 0.95,
            require_model_agreement: false,
            date: "26 Jul 2024".into(),
        }
    }
}

impl Config {
    /// Whether every setting means something.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        if self.strategies.is_empty() {
            return refuse("strategies", "empty".into(), "one or more of heading-v1, few-shot-v1, instruct-v1");
        }
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return refuse(
                "temperature",
                self.temperature.to_string(),
                "above 0, or all candidates of a prompt are equal",
            );
        }
        if self.max_tokens == 0 || self.min_words == 0 || self.min_words > self.max_words {
            let value = format!("{}, {}, {}", self.max_tokens, self.min_words, self.max_words);
            return refuse("max_tokens, min_words, max_words", value, "1 or more, the smallest number of words first");
        }
        let shares = [
            ("top_p", self.top_p),
            ("near_duplicate", self.near_duplicate),
            ("classifier_probability", self.classifier_probability),
        ];
        for (name, value) in shares {
            if !(value > 0.0 && value <= 1.0) {
                return refuse(name, value.to_string(), "above 0 and at most 1");
            }
        }
        for (name, value) in [("language_confidence", self.language_confidence), ("typical", self.typical)] {
            if !(0.0..=1.0).contains(&value) {
                return refuse(name, value.to_string(), "from 0 to 1");
            }
        }
        Ok(())
    }

    /// How many rows of each label to keep; what does not divide goes to the first labels.
    pub(crate) fn shares(&self) -> [u64; 3] {
        let labels = Sentiment::ALL.len() as u64;
        std::array::from_fn(|label| self.rows / labels + u64::from((label as u64) < self.rows % labels))
    }
}
