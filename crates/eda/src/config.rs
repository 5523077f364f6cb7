use artifacts::rows::Language;
use serde::{Deserialize, Serialize};

/// From where on a figure becomes an alert, how much memory may be used, and how much is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Look at rows of this language only; all of them where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Language>,
    /// Limits of the alerts.
    pub limits: Limits,
    /// The labels that a data set should have. Others, and missing ones, are an alert. Case does not matter.
    pub expected_labels: Vec<String>,
    /// Jaccard similarity of character 5-grams from which two texts are near duplicates.
    pub near_duplicate_threshold: f64,
    /// Different texts that are counted exactly; beyond, counts of repeated texts are estimated from as many.
    pub exact_texts: usize,
    /// Different texts of each language that words, near copies, tokens, clusters and label errors are looked for in: a
    /// uniform sample, or all where there are no more.
    pub sample_texts: usize,
    /// Texts of either side of a comparison.
    pub compare_texts: usize,
    /// Random splits that say how far two sides differ by chance.
    pub chance_draws: usize,
    /// Distinctive words and pairs of words listed for each class.
    pub distinctive_words: usize,
    /// Weight of the prior of the distinctive words, in words: how often a rare word must occur before it counts.
    pub distinctive_prior: f64,
    /// Look for label errors by confident learning, among so many texts of each language; 0 for not at all.
    pub label_error_texts: usize,
    /// Parts that the texts are cut into for that: each is judged by a classifier trained on the others.
    pub label_error_folds: usize,
    /// The likeliest label errors that are shown.
    pub label_errors_shown: usize,
    /// Clusters of texts of each language; 0 for none.
    pub clusters: usize,
    /// Texts of each language that are clustered.
    pub cluster_texts: usize,
    /// Longest row that the model is to read, in tokens of the text.
    pub max_tokens: usize,
    /// Rows shown as examples of a problem.
    pub examples: usize,
}

/// From where on a figure becomes an alert. Shares are of the rows of one language in one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Rows that repeat an earlier text byte for byte.
    pub duplicate_share: f64,
    /// Rows that repeat an earlier text but for case, spacing and punctuation.
    pub folded_duplicate_share: f64,
    /// Texts with more than one label.
    pub conflicting_texts: u64,
    /// Texts in more than one split.
    pub leaked_texts: u64,
    /// Largest class over smallest class.
    pub imbalance_ratio: f64,
    /// Rows of a class below which its scores say little: at 30 rows a 95 % interval is about 18 points wide to each side.
    pub few_rows: u64,
    /// Rows with text that was decoded with the wrong character set, or damaged.
    pub encoding_share: f64,
    /// Rows with HTML entities, control or invisible characters.
    pub markup_share: f64,
    /// Rows that seem to be in another language than stated.
    pub language_share: f64,
    /// How sure the language detector must be before a row counts.
    pub language_confidence: f64,
    /// Rows longer than the upper quartile by three interquartile ranges, or without a word.
    pub length_outlier_share: f64,
    /// Rows of more tokens than the model reads.
    pub too_many_tokens_share: f64,
    /// Rows without text or label.
    pub missing_share: f64,
    /// Rows that cannot be read.
    pub unreadable_share: f64,
    /// Cramér's V between source and label.
    pub source_label_v: f64,
    /// Rows that contain the name of their own label.
    pub label_word_share: f64,
    /// Rows with letters and marks apart.
    pub unicode_form_share: f64,
    /// Rows with characters that only look like Vietnamese letters.
    pub look_alike_share: f64,
    /// The rarer of the two places of the tone mark, among syllables that have the choice.
    pub tone_placement_share: f64,
    /// Rows with words that stand for characters.
    pub placeholder_share: f64,
    /// Rows with a web address.
    pub url_share: f64,
    /// Rows with a cash tag, hash tag or mention.
    pub ticker_share: f64,
    /// Rows with chat spelling.
    pub chat_share: f64,
    /// Texts whose label is probably wrong.
    pub label_error_share: f64,
    /// How much further apart two sides are than random halves of them, in Jensen–Shannon distance.
    pub shift_excess: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            only: None,
            limits: Limits::default(),
            expected_labels: ["negative", "neutral", "positive"].map(str::to_owned).to_vec(),
            near_duplicate_threshold: 0.8,
            // Just under what a hash table of 2^20 places holds: 40 MB.
            exact_texts: 900_000,
            sample_texts: 20_000,
            compare_texts: 4_000,
            chance_draws: 40,
            distinctive_words: 12,
            distinctive_prior: 500.0,
            label_error_texts: 4_000,
            label_error_folds: 3,
            label_errors_shown: 12,
            clusters: 8,
            cluster_texts: 4_000,
            max_tokens: 512,
            examples: 5,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            duplicate_share: 0.01,
            folded_duplicate_share: 0.01,
            conflicting_texts: 0,
            leaked_texts: 0,
            imbalance_ratio: 2.0,
            few_rows: 30,
            encoding_share: 0.0,
            markup_share: 0.001,
            language_share: 0.02,
            language_confidence: 0.6,
            length_outlier_share: 0.01,
            too_many_tokens_share: 0.0,
            missing_share: 0.0,
            unreadable_share: 0.0,
            source_label_v: 0.3,
            label_word_share: 0.02,
            unicode_form_share: 0.0,
            look_alike_share: 0.0,
            tone_placement_share: 0.05,
            placeholder_share: 0.001,
            url_share: 0.05,
            ticker_share: 0.05,
            chat_share: 0.02,
            label_error_share: 0.02,
            shift_excess: 0.05,
        }
    }
}
