use crate::Config;
use artifacts::rows::{Example, Language, Sentiment};
use std::collections::BTreeMap;
use text::{Detected, detect_language, words};

/// The classes in the order of all tables.
pub(crate) const LABELS: [Sentiment; 3] = [Sentiment::Negative, Sentiment::Neutral, Sentiment::Positive];

/// The place of a label in [`LABELS`].
pub(crate) fn class(label: Sentiment) -> usize {
    match label {
        Sentiment::Negative => 0,
        Sentiment::Neutral => 1,
        Sentiment::Positive => 2,
    }
}

/// How long the texts of a group are.
#[derive(Debug, Clone, PartialEq)]
pub struct Lengths {
    /// Each row's length, in the order of the rows.
    pub values: Vec<f64>,
}

impl Lengths {
    /// Arithmetic mean.
    pub fn mean(&self) -> Option<f64> {
        stats::distribution::mean(&self.values)
    }

    /// The `q` quantile, 0.5 the median, 1 the longest.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        stats::distribution::quantile(&self.values, q)
    }
}

/// The rows of one language in one split.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The split's name.
    pub split: String,
    /// How many rows.
    pub rows: u64,
    /// How many of them a model wrote.
    pub synthetic: u64,
    /// Rows of each class: negative, neutral, positive.
    pub labels: [u64; 3],
    /// Length in characters (Unicode scalar values).
    pub characters: Lengths,
    /// Length in words.
    pub words: Lengths,
    /// Rows of each class by source.
    pub sources: BTreeMap<String, [u64; 3]>,
    /// Rows by what the language detector says: `as stated`, `other`, `undecided`.
    pub detected: BTreeMap<&'static str, u64>,
    /// Rows that are clearly in another language, as `source row: text`; the first few.
    pub mismatches: Vec<String>,
    /// Rows that contain the name of their own label.
    pub label_words: u64,
}

impl Group {
    /// Counts the rows of one language in one split.
    pub fn new(split: &str, language: Language, rows: &[&Example], config: &Config) -> Self {
        let expected = match language {
            Language::English => Detected::English,
            Language::Vietnamese => Detected::Vietnamese,
        };
        let mut group = Self {
            split: split.to_owned(),
            rows: rows.len() as u64,
            synthetic: rows.iter().filter(|r| r.synthetic).count() as u64,
            labels: [0; 3],
            characters: Lengths { values: rows.iter().map(|r| r.text.chars().count() as f64).collect() },
            words: Lengths { values: Vec::with_capacity(rows.len()) },
            sources: BTreeMap::new(),
            detected: BTreeMap::from([("as stated", 0), ("other", 0), ("undecided", 0)]),
            mismatches: Vec::new(),
            label_words: 0,
        };
        for row in rows {
            let k = class(row.label);
            bump(&mut group.labels, k);
            bump(group.sources.entry(row.source.clone()).or_default(), k);
            let tokens: Vec<String> = words(&row.text).collect();
            group.words.values.push(tokens.len() as f64);
            group.label_words += u64::from(tokens.iter().any(|w| w == row.label.as_str()));
            let guess = detect_language(&row.text);
            let verdict = if guess.language == expected {
                "as stated"
            } else if guess.language == Detected::Unknown || guess.confidence < config.language_confidence {
                "undecided"
            } else {
                if group.mismatches.len() < config.examples {
                    group.mismatches.push(format!("{} {}: {}", row.source, row.source_row, row.text));
                }
                "other"
            };
            *group.detected.entry(verdict).or_default() += 1;
        }
        group
    }

    /// Rows that are clearly in another language than stated, as a share.
    pub fn mismatch_share(&self) -> f64 {
        self.detected.get("other").copied().unwrap_or(0) as f64 / self.rows.max(1) as f64
    }

    /// Rows of the largest class over rows of the smallest; none where a class has no row.
    pub fn imbalance(&self) -> Option<f64> {
        let (low, high) = (self.labels.iter().min()?, self.labels.iter().max()?);
        (*low > 0).then(|| *high as f64 / *low as f64)
    }
}

/// Counts one row of a class.
pub(crate) fn bump(counts: &mut [u64; 3], class: usize) {
    if let Some(count) = counts.get_mut(class) {
        *count += 1;
    }
}
