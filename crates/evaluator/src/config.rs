use crate::Error;
use crate::forms::Form;
use lm::Precision;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The evaluator's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the rows are called in the report where they are not the evaluation rows by which settings are chosen; may be empty.
    pub set_name: String,
    /// What the chat template prints as today's date; the same as the formatter's, or the prompts would differ.
    pub date: String,
    /// What the model's weights are kept in: `f32`, `bf16`, `int8`, `w8a8`, `nf4`.
    pub precision: Precision,
    /// About so many tokens are computed at once.
    pub tokens_at_once: usize,
    /// Tokens a model may write. A label needs up to ten with the smallest vocabularies; more only costs time.
    pub max_new_tokens: usize,
    /// What stands in the place of the text to ask what the model answers about nothing; their scores are averaged.
    pub content_free: Vec<String>,
    /// At most so many of the held-out rows that the temperature is fitted on, where such rows are given; 0: all.
    pub dev_rows: usize,
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// Bins of the calibration error.
    pub calibration_bins: usize,
    /// Longest text of each length slice but the last, in words.
    pub length_edges: Vec<usize>,
    /// A slice of fewer rows gets no line of its own.
    pub least_rows: usize,
    /// From which Jaccard similarity on a training row and an evaluation row count as the same.
    pub leakage: f64,
    /// How many of the worst errors the report shows.
    pub worst: usize,
    /// The same rows in other forms.
    pub robustness: RobustnessConfig,
}

/// The same rows in other forms: does the model read, or has it learned one spelling?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RobustnessConfig {
    /// Which forms; none switches this off.
    pub forms: Vec<Form>,
    /// How many rows are put in other forms, drawn once; 0: all.
    pub rows: usize,
    /// The share of words of four letters or more that get a slip of the finger.
    pub typo_share: f64,
    /// What the user says instead, for each language; `{text}` is the text.
    pub paraphrases: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            set_name: String::new(),
            date: "26 Jul 2024".into(),
            precision: Precision::F32,
            tokens_at_once: 2048,
            max_new_tokens: 12,
            content_free: ["N/A", "[MASK]", ""].map(str::to_owned).to_vec(),
            dev_rows: 500,
            resamples: 2000,
            confidence: 0.95,
            calibration_bins: 10,
            length_edges: vec![10, 25],
            least_rows: 20,
            leakage: 0.7,
            worst: 20,
            robustness: RobustnessConfig::default(),
        }
    }
}

impl Default for RobustnessConfig {
    fn default() -> Self {
        let paraphrases =
            [("en", "What mood does this text convey?\n{text}"), ("vi", "Câu này mang sắc thái gì?\n{text}")];
        Self {
            forms: Form::ALL.to_vec(),
            rows: 200,
            typo_share: 0.3,
            paraphrases: paraphrases.map(|(language, text)| (language.to_owned(), text.to_owned())).into(),
        }
    }
}

impl Config {
    /// Whether every setting means something.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, allowed| Err(Error::Setting { name, value, allowed });
        let positive = [
            ("max_new_tokens", self.max_new_tokens),
            ("tokens_at_once", self.tokens_at_once),
            ("resamples", self.resamples),
            ("calibration_bins", self.calibration_bins),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return refuse(name, "0".into(), "1 or more");
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return refuse("confidence", self.confidence.to_string(), "between 0 and 1");
        }
        if !(self.leakage > 0.0 && self.leakage <= 1.0) {
            return refuse("leakage", self.leakage.to_string(), "above 0 and at most 1");
        }
        if self.content_free.is_empty() {
            return refuse("content_free", "empty".into(), "one text or more");
        }
        if !self.length_edges.is_sorted_by(|a, b| a < b) {
            return refuse("length_edges", format!("{:?}", self.length_edges), "ascending numbers of words");
        }
        if !(0.0..=1.0).contains(&self.robustness.typo_share) {
            return refuse("robustness.typo_share", self.robustness.typo_share.to_string(), "between 0 and 1");
        }
        if let Some(template) = self.robustness.paraphrases.values().find(|t| t.matches("{text}").count() != 1) {
            return refuse("robustness.paraphrases", format!("\"{template}\""), "a text with {text} in it once");
        }
        Ok(())
    }
}
