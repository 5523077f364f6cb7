use serde::{Deserialize, Serialize};

/// From where on a figure becomes an alert, and how much is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Largest class over smallest class from which a split counts as imbalanced.
    pub imbalance_ratio: f64,
    /// Rows of a class below which its scores say little: at 30 rows a 95 % interval is about 18 points wide to each side.
    pub few_rows: u64,
    /// Share of rows that seem to be in another language than they claim.
    pub language_mismatch_share: f64,
    /// How sure the language detector must be before a row counts as a mismatch.
    pub language_confidence: f64,
    /// Share of rows that contain the name of their own label.
    pub label_word_share: f64,
    /// Cramér's V between source and label from which a model could learn the source instead of the text.
    pub source_label_v: f64,
    /// Jaccard similarity of character 5-grams from which two texts are near duplicates.
    pub near_duplicate_threshold: f64,
    /// Random splits that say how far two splits differ by chance.
    pub chance_draws: usize,
    /// Distinctive words listed for each class.
    pub distinctive_words: usize,
    /// Weight of the prior of the distinctive words, in words: how often a rare word must occur before it counts.
    pub distinctive_prior: f64,
    /// Rows shown as examples of a problem.
    pub examples: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            imbalance_ratio: 3.0,
            few_rows: 30,
            language_mismatch_share: 0.02,
            language_confidence: 0.6,
            label_word_share: 0.02,
            source_label_v: 0.5,
            near_duplicate_threshold: 0.8,
            chance_draws: 100,
            distinctive_words: 12,
            distinctive_prior: 500.0,
            examples: 5,
        }
    }
}
