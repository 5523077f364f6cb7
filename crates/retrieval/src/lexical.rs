use std::collections::{BTreeMap, HashMap};

/// The two constants of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bm25Weights {
    /// How soon more of the same word stops to count.
    pub k1: f64,
    /// How much long texts are held back, from 0 to 1.
    pub b: f64,
}

impl Default for Bm25Weights {
    fn default() -> Self {
        Self { k1: 1.2, b: 0.75 }
    }
}

impl Bm25Weights {
    /// The weight of a word found in `with_word` of `texts` texts, in the form that is never negative:
    /// ln(1 + (N - n + 0.5) / (n + 0.5)).
    pub fn idf(texts: usize, with_word: usize) -> f64 {
        let (all, with) = (texts as f64, with_word as f64);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }

    /// What one word of the query adds for a text of `length` words that holds it `count` times:
    /// idf · count / (count + k1 (1 - b + b length / mean length)).
    pub fn word(self, idf: f64, count: u32, length: u32, mean_length: f64) -> f64 {
        let count = f64::from(count);
        let stretch = if mean_length > 0.0 { f64::from(length) / mean_length } else { 1.0 };
        idf * count / (count + self.k1 * (1.0 - self.b + self.b * stretch))
    }
}

/// BM25 over texts in the order in which they became known, for any beginning of that order: the scores among the
/// first `n` texts use the statistics of those alone, and are the same whatever comes after.
///
/// That costs nothing: a word's texts are listed in order, so how many of the first `n` hold it is a binary search, and
/// their mean length is a difference of running sums.
///
/// ```
/// use retrieval::{Bm25, Bm25Weights};
/// let mut index = Bm25::new(Bm25Weights::default());
/// for text in ["rates rise", "rates fall", "an exchange fails"] {
///     index.push(text);
/// }
/// let before = index.scores("rates rise", 2);
/// index.push("rates rise and rise");
/// assert_eq!(before, index.scores("rates rise", 2));
/// assert!(before[0] > before[1]);
/// ```
#[derive(Debug, Clone)]
pub struct Bm25 {
    weights: Bm25Weights,
    postings: HashMap<String, Vec<Posting>>,
    lengths: Vec<u32>,
    /// Words in all texts up to and with this one.
    running: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Posting {
    text: u32,
    count: u32,
}

impl Bm25 {
    /// No texts yet.
    pub fn new(weights: Bm25Weights) -> Self {
        Self { weights, postings: HashMap::new(), lengths: Vec::new(), running: Vec::new() }
    }

    /// Adds the text that became known next.
    pub fn push(&mut self, text: &str) {
        let number = self.lengths.len() as u32;
        let (counts, length) = count_words(text);
        for (word, count) in counts {
            self.postings.entry(word).or_default().push(Posting { text: number, count });
        }
        self.lengths.push(length);
        self.running.push(self.running.last().unwrap_or(&0) + u64::from(length));
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The score of each of the first `known` texts; 0 for a text that shares no word with the query. A word that the
    /// query repeats counts as often.
    pub fn scores(&self, query: &str, known: usize) -> Vec<f64> {
        let known = known.min(self.lengths.len());
        let mut scores = vec![0.0; known];
        let Some(words) = known.checked_sub(1).map(|last| self.running[last]) else { return scores };
        let mean = words as f64 / known as f64;
        for word in words_of(query) {
            let Some(postings) = self.postings.get(&word) else { continue };
            let with = postings.partition_point(|p| (p.text as usize) < known);
            let idf = Bm25Weights::idf(known, with);
            for p in &postings[..with] {
                let text = p.text as usize;
                scores[text] += self.weights.word(idf, p.count, self.lengths[text], mean);
            }
        }
        scores
    }
}

/// The words that BM25 compares, in order.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    text::words(&text::nfc(text)).collect()
}

/// Each word of a text with how often it is there, and how many words there are.
pub(crate) fn count_words(text: &str) -> (BTreeMap<String, u32>, u32) {
    let words = words_of(text);
    let length = words.len() as u32;
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_insert(0) += 1;
    }
    (counts, length)
}
