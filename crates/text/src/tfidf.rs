//! Words and pieces of words as weighted features.
//!
//! Term frequency × inverse document frequency in the form scikit-learn's `TfidfVectorizer` documents: idf = ln((1 + n) / (1 + df)) + 1,
//! tf = 1 + ln(count) if sublinear, each row scaled to length 1. Character n-grams stay inside a word with one space on either
//! side (its `char_wb`).

use crate::FastMap;

/// Which n-grams count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TfIdfConfig {
    /// Shortest and longest n-gram of words; (0, 0) for none.
    pub words: (usize, usize),
    /// Shortest and longest n-gram of characters; (0, 0) for none.
    pub characters: (usize, usize),
    /// Features found in fewer texts are left out.
    pub min_documents: usize,
    /// At most this many features: those in most texts.
    pub max_features: usize,
    /// 1 + ln(count) instead of the count.
    pub sublinear: bool,
}

impl Default for TfIdfConfig {
    fn default() -> Self {
        Self { words: (1, 2), characters: (2, 5), min_documents: 2, max_features: 200_000, sublinear: true }
    }
}

/// A vocabulary with a weight for each entry.
///
/// ```
/// let texts = ["profit rose", "profit fell", "loss fell"];
/// let tfidf = text::TfIdf::fit(texts, &text::TfIdfConfig { characters: (0, 0), min_documents: 1, ..Default::default() });
/// let row = tfidf.transform("profit rose sharply");
/// let rare = row.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
/// assert_ne!(tfidf.name(rare.0), "profit");
/// ```
#[derive(Debug, Clone)]
pub struct TfIdf {
    config: TfIdfConfig,
    index: FastMap<String, u32>,
    names: Vec<String>,
    weights: Vec<f32>,
}

impl TfIdf {
    /// Learns vocabulary and weights. Equal texts in any order give equal features.
    pub fn fit<'a>(texts: impl IntoIterator<Item = &'a str>, config: &TfIdfConfig) -> Self {
        Self::fit_transform(texts, config).0
    }

    /// [`TfIdf::fit`], and [`TfIdf::transform`] of each text, in one reading.
    pub fn fit_transform<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        config: &TfIdfConfig,
    ) -> (Self, Vec<Vec<(u32, f32)>>) {
        // N-grams are numbered in the order met. Of each: how many texts hold it, and the last of them, since it counts once a text.
        let mut numbers: FastMap<String, u32> = FastMap::default();
        let mut frequency: Vec<(usize, usize)> = Vec::new();
        let mut documents: Vec<Vec<u32>> = Vec::new();
        for text in texts {
            let document = documents.len();
            let mut met = Vec::new();
            each_feature(text, config, |feature| {
                let number = numbers.get(feature).copied().unwrap_or_else(|| {
                    let next = frequency.len() as u32;
                    numbers.insert(feature.to_owned(), next);
                    frequency.push((0, usize::MAX));
                    next
                });
                let (count, last) = &mut frequency[number as usize];
                *count += usize::from(std::mem::replace(last, document) != document);
                met.push(number);
            });
            documents.push(met);
        }
        let in_enough = |(_, number): &(String, u32)| frequency[*number as usize].0 >= config.min_documents;
        let mut kept: Vec<(String, u32)> = numbers.into_iter().filter(in_enough).collect();
        if kept.len() > config.max_features {
            let count = |number: u32| frequency[number as usize].0;
            kept.sort_unstable_by(|a, b| count(b.1).cmp(&count(a.1)).then_with(|| a.0.cmp(&b.0)));
            kept.truncate(config.max_features);
        }
        kept.sort_unstable();
        let all = documents.len() as f64;
        let weight = |number: u32| ((1.0 + all) / (1.0 + frequency[number as usize].0 as f64)).ln() + 1.0;
        let weights = kept.iter().map(|(_, number)| weight(*number) as f32).collect();
        let mut feature_of: Vec<Option<u32>> = vec![None; frequency.len()];
        for ((_, number), feature) in kept.iter().zip(0..) {
            feature_of[*number as usize] = Some(feature);
        }
        let names: Vec<String> = kept.into_iter().map(|(name, _)| name).collect();
        let index = names.iter().enumerate().map(|(i, name)| (name.clone(), i as u32)).collect();
        let tfidf = Self { config: config.clone(), index, names, weights };
        let row = |met: Vec<u32>| tfidf.row(met.into_iter().filter_map(|number| feature_of[number as usize]).collect());
        let rows = documents.into_iter().map(row).collect();
        (tfidf, rows)
    }

    /// The features of a text with their weights, ordered by feature, of Euclidean length 1; empty if none is known.
    pub fn transform(&self, text: &str) -> Vec<(u32, f32)> {
        let mut found: Vec<u32> = Vec::new();
        each_feature(text, &self.config, |feature| found.extend(self.index.get(feature)));
        self.row(found)
    }

    /// The row of the features found in a text, each as often as it was found.
    fn row(&self, mut found: Vec<u32>) -> Vec<(u32, f32)> {
        found.sort_unstable();
        let tf = |count: f32| if self.config.sublinear { 1.0 + count.ln() } else { count };
        let mut row: Vec<(u32, f32)> = found
            .chunk_by(|a, b| a == b)
            .map(|same| (same[0], tf(same.len() as f32) * self.weights[same[0] as usize]))
            .collect();
        let length = row.iter().map(|(_, v)| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
        if length > 0.0 {
            for (_, value) in &mut row {
                *value = (f64::from(*value) / length) as f32;
            }
        }
        row
    }

    /// How many features there are.
    pub fn features(&self) -> usize {
        self.names.len()
    }

    /// The n-gram behind a feature that [`TfIdf::transform`] returned. Those of characters begin with `~`.
    ///
    /// # Panics
    /// If `feature` is not below [`TfIdf::features`].
    pub fn name(&self, feature: u32) -> &str {
        &self.names[feature as usize]
    }
}

/// Calls `visit` with every n-gram of a text, repeated ones too. Words are runs of letters and digits, in lower case.
fn each_feature(text: &str, config: &TfIdfConfig, mut visit: impl FnMut(&str)) {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let (least, most) = config.words;
    let mut gram = String::new();
    for length in least.max(1)..=most {
        for window in words.windows(length) {
            gram.clear();
            for (i, word) in window.iter().enumerate() {
                if i > 0 {
                    gram.push(' ');
                }
                gram.push_str(word);
            }
            visit(&gram);
        }
    }
    let (least, most) = config.characters;
    if most == 0 {
        return;
    }
    let mut padded = String::new();
    let mut ends = Vec::new();
    for word in lower.split_whitespace() {
        padded.clear();
        padded.push(' ');
        padded.push_str(word);
        padded.push(' ');
        ends.clear();
        ends.extend(padded.char_indices().map(|(at, _)| at));
        ends.push(padded.len());
        for length in least.max(1)..=most {
            for bounds in ends.windows(length + 1) {
                gram.clear();
                gram.push('~');
                gram.push_str(&padded[bounds[0]..bounds[length]]);
                visit(&gram);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_words() -> TfIdfConfig {
        TfIdfConfig { words: (1, 1), characters: (0, 0), min_documents: 1, max_features: 1000, sublinear: false }
    }

    #[test]
    fn weights_are_those_of_the_documented_formula() {
        let tfidf = TfIdf::fit(["a b", "a c", "a a"], &only_words());
        let row = tfidf.transform("a a b");
        let (a, b) = (2.0f64, (4.0f64 / 2.0).ln() + 1.0);
        let length = (a * a + b * b).sqrt();
        assert_eq!(row.len(), 2);
        assert!((f64::from(row[0].1) - a / length).abs() < 1e-6, "{row:?}");
        assert!((f64::from(row[1].1) - b / length).abs() < 1e-6, "{row:?}");
    }

    #[test]
    fn the_rows_of_one_reading_are_those_of_a_second_one() {
        let texts =
            ["Lợi nhuận tăng, tăng mạnh", "profit rose 5.1 %", "", "Profit fell; profit rose", "lợi nhuận giảm"];
        for (words, characters, max_features) in [((1, 2), (0, 0), 1000), ((1, 2), (2, 4), 7), ((0, 0), (2, 3), 20)] {
            let config = TfIdfConfig { words, characters, min_documents: 1, max_features, sublinear: true };
            let (tfidf, rows) = TfIdf::fit_transform(texts, &config);
            assert_eq!(rows, texts.map(|text| tfidf.transform(text)));
            assert!(rows.iter().any(|row| row.len() > 2) && tfidf.features() <= max_features);
        }
    }

    #[test]
    fn a_feature_counts_once_a_text_and_rare_ones_are_left_out() {
        let config = TfIdfConfig { min_documents: 2, ..only_words() };
        let tfidf = TfIdf::fit(["x x x", "y", "y z"], &config);
        assert_eq!(tfidf.features(), 1);
        assert_eq!(tfidf.name(0), "y");
        assert!(tfidf.transform("x unknown").is_empty());
    }

    #[test]
    fn pieces_of_words_do_not_cross_spaces() {
        let config = TfIdfConfig { words: (0, 0), characters: (2, 2), min_documents: 1, ..only_words() };
        let tfidf = TfIdf::fit(["lãi to"], &config);
        let names: Vec<&str> = (0..tfidf.features() as u32).map(|i| tfidf.name(i)).collect();
        assert_eq!(names, ["~ l", "~ t", "~i ", "~lã", "~o ", "~to", "~ãi"]);
    }

    #[test]
    fn most_frequent_features_are_kept_in_a_fixed_order() {
        let config = TfIdfConfig { max_features: 2, ..only_words() };
        let tfidf = TfIdf::fit(["c b a", "c b", "c"], &config);
        assert_eq!((tfidf.name(0), tfidf.name(1), tfidf.features()), ("b", "c", 2));
    }
}
