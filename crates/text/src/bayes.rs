use crate::words;
use std::collections::HashMap;

/// A multinomial naive Bayes classifier over words and pairs of neighbouring words (McCallum and Nigam 1998, with the
/// bigrams of Wang and Manning 2012), with add-`ALPHA` smoothing. `K` is the number of classes.
///
/// Small, quick to train and unlike a language model in every respect, which is what makes it an independent judge.
///
/// ```
/// let judge = text::NaiveBayes::<2>::train([("profit fell", 0), ("a heavy loss", 0), ("profit rose", 1), ("a fine gain", 1)]);
/// assert!(judge.predict_proba("the loss fell")[0] > 0.5);
/// ```
#[derive(Debug, Clone)]
pub struct NaiveBayes<const K: usize> {
    features: HashMap<String, [u32; K]>,
    totals: [f64; K],
    log_priors: [f64; K],
}

const ALPHA: f64 = 0.5;

impl<const K: usize> NaiveBayes<K> {
    /// Counts the features of labelled texts; a class of `K` or more is left out. Priors are the classes' shares (plus
    /// one row each, so that a class without rows is unlikely rather than impossible).
    pub fn train<'a>(rows: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        let mut model = Self { features: HashMap::new(), totals: [0.0; K], log_priors: [0.0; K] };
        let mut classes = [1.0_f64; K];
        for (text, class) in rows {
            let (Some(total), Some(rows)) = (model.totals.get_mut(class), classes.get_mut(class)) else { continue };
            *rows += 1.0;
            for feature in features(text) {
                *total += 1.0;
                if let Some(count) = model.features.entry(feature).or_insert([0; K]).get_mut(class) {
                    *count += 1;
                }
            }
        }
        let all: f64 = classes.iter().sum();
        model.log_priors = classes.map(|n| (n / all).ln());
        model
    }

    /// The same counts with equal priors: for judging rows that were made to be balanced.
    #[must_use]
    pub fn with_equal_priors(mut self) -> Self {
        self.log_priors = [0.0; K];
        self
    }

    /// How many different features were seen.
    pub fn vocabulary(&self) -> usize {
        self.features.len()
    }

    /// Probability of each class; sums to 1. Features never seen say nothing.
    pub fn predict_proba(&self, text: &str) -> [f64; K] {
        let mut scores = self.log_priors;
        let smoothed = self.features.len() as f64 * ALPHA;
        for counts in features(text).filter_map(|f| self.features.get(&f)) {
            for ((score, &count), total) in scores.iter_mut().zip(counts).zip(self.totals) {
                *score += ((f64::from(count) + ALPHA) / (total + smoothed)).ln();
            }
        }
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights = scores.map(|s| (s - highest).exp());
        let sum: f64 = weights.iter().sum();
        weights.map(|w| w / sum)
    }

    /// The most likely class and its probability; the lower index wins a tie.
    pub fn predict(&self, text: &str) -> (usize, f64) {
        let probabilities = self.predict_proba(text);
        probabilities.into_iter().enumerate().fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
    }
}

fn features(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut previous: Option<String> = None;
    words(text).flat_map(move |word| {
        let pair = previous.as_ref().map(|p| format!("{p} {word}"));
        previous = Some(word.clone());
        std::iter::once(word).chain(pair)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_words_can_outweigh_its_parts() {
        let rows = [("not good", 0), ("not good at all", 0), ("good", 1), ("very good", 1), ("not bad", 1), ("bad", 0)];
        let model = NaiveBayes::<2>::train(rows);
        assert_eq!(model.predict("not good").0, 0);
        assert_eq!(model.predict("good").0, 1);
    }

    #[test]
    fn probabilities_sum_to_one_and_unknown_words_give_the_prior() {
        let model = NaiveBayes::<3>::train([("a", 0), ("b", 1), ("c", 1)]);
        let p = model.predict_proba("zzz");
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((p[1] - 0.5).abs() < 1e-12, "3 of 6 smoothed rows: {p:?}");
        assert!(model.with_equal_priors().predict_proba("zzz").iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-12));
    }
}
