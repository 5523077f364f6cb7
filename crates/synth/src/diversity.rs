use crate::judges::features;
use artifacts::Seed;
use artifacts::rows::Example;
use rand::seq::SliceRandom;
use stats::classification::{LogisticConfig, out_of_fold};
use text::{TfIdf, compression_ratio, distinct, self_bleu};

/// Texts of each kind below which the figures say nothing.
const MIN_TEXTS: usize = 20;
const FOLDS: usize = 5;

/// How varied one set of texts is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variety {
    /// Mean length in words.
    pub words: f64,
    /// Distinct-1, -2 and -3.
    pub distinct: [Option<f64>; 3],
    /// Self-BLEU: high where texts repeat each other.
    pub self_bleu: Option<f64>,
    /// How many times smaller compression makes the texts.
    pub compression: Option<f64>,
}

/// Synthetic against real texts, equally many and equally long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diversity {
    /// Texts of each kind.
    pub texts: usize,
    /// The synthetic ones.
    pub synthetic: Variety,
    /// The real ones.
    pub real: Variety,
    /// Area under the ROC curve of a classifier (logistic regression on TF-IDF, out of fold) that tells synthetic from real:
    /// 0.5 where it cannot, 1 where it always can (the two-sample test of Lopez-Paz and Oquab, ICLR 2017).
    pub auc: f64,
}

/// Compares synthetic texts with real ones of the same language and length. None with fewer than 20 of either.
pub fn compare(synthetic: &[&str], real: &[&Example], seed: Seed) -> Option<Diversity> {
    let pairs = matched(synthetic, real, seed.derive("pairs"));
    if pairs.len() < MIN_TEXTS {
        return None;
    }
    let (synthetic, real): (Vec<&str>, Vec<&str>) = pairs.into_iter().unzip();
    let texts = synthetic.len();
    let all: Vec<&str> = synthetic.iter().chain(&real).copied().collect();
    let labels: Vec<usize> = (0..all.len()).map(|i| usize::from(i < texts)).collect();
    let tfidf = TfIdf::fit(all.iter().copied(), &features());
    let rows: Vec<_> = all.iter().map(|text| tfidf.transform(text)).collect();
    let config = LogisticConfig { max_iterations: 60, tolerance: 1e-4, ..LogisticConfig::default() };
    let p = out_of_fold(&rows, &labels, 2, tfidf.features(), FOLDS, seed.derive("folds").0, &config);
    let scores: Vec<f64> = p.iter().map(|p| p.get(1).copied().unwrap_or(0.5)).collect();
    let (of_synthetic, of_real) = scores.split_at(texts);
    Some(Diversity {
        texts,
        synthetic: variety(&synthetic),
        real: variety(&real),
        auc: area_under_curve(of_synthetic, of_real),
    })
}

fn variety(texts: &[&str]) -> Variety {
    let words: usize = texts.iter().map(|t| text::words(t).count()).sum();
    Variety {
        words: words as f64 / texts.len().max(1) as f64,
        distinct: [1, 2, 3].map(|n| distinct(texts.iter().copied(), n)),
        self_bleu: self_bleu(texts),
        compression: compression_ratio(texts),
    }
}

/// Each synthetic text with a real one of its length in words, or of the nearest length that is left; no real text twice. Drawn,
/// because rows of a file often stand in order of source.
fn matched<'a>(synthetic: &[&'a str], real: &[&'a Example], seed: Seed) -> Vec<(&'a str, &'a str)> {
    let mut left: Vec<(usize, &str)> = real.iter().map(|e| (text::words(&e.text).count(), e.text.as_str())).collect();
    left.shuffle(&mut seed.rng());
    let mut pairs = Vec::new();
    for text in synthetic {
        let length = text::words(text).count();
        let nearest = left.iter().enumerate().min_by_key(|(i, (words, _))| (words.abs_diff(length), *i));
        let Some(nearest) = nearest.map(|(i, _)| i) else { break };
        pairs.push((*text, left.swap_remove(nearest).1));
    }
    pairs
}

/// Share of pairs of a positive and a negative in which the positive has the higher score; ties count half (Mann-Whitney).
fn area_under_curve(positive: &[f64], negative: &[f64]) -> f64 {
    let mut sorted = negative.to_vec();
    sorted.sort_by(f64::total_cmp);
    let below = |score: f64| {
        let less = sorted.partition_point(|n| *n < score);
        let equal = sorted.partition_point(|n| *n <= score) - less;
        less as f64 + equal as f64 / 2.0
    };
    positive.iter().map(|p| below(*p)).sum::<f64>() / (positive.len() * negative.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use artifacts::rows::{Language, Sentiment};

    fn row(text: String) -> Example {
        Example {
            id: text.clone(),
            cluster: String::new(),
            text,
            label: Sentiment::Neutral,
            raw_label: String::new(),
            language: Language::English,
            source: String::new(),
            source_row: 0,
            instruction: None,
            synthetic: false,
        }
    }

    #[test]
    fn the_curve_counts_pairs_and_half_of_ties() {
        assert!((area_under_curve(&[0.9, 0.5], &[0.1, 0.5]) - 0.875).abs() < 1e-12);
        assert!((area_under_curve(&[0.2], &[0.3]) - 0.0).abs() < 1e-12);
    }

    #[test]
    fn texts_of_one_source_cannot_be_told_apart_and_copies_of_one_text_can() {
        let words = ["profit", "sales", "mill", "bank", "rose", "fell", "order", "plant", "year", "court", "euros"];
        let text = |i: usize, k: usize| {
            let pick = |j: usize| words[(i * (7 + 2 * j) + j * j * 13 + k * 5 + i * i * (j + 1)) % words.len()];
            format!("{} {} {} {} {} {}", pick(0), pick(1), pick(2), pick(3), pick(4), pick(5))
        };
        let real: Vec<Example> = (0..150).map(|i| row(text(i, 0))).collect();
        let real: Vec<&Example> = real.iter().collect();
        let alike: Vec<String> = (150..250).map(|i| text(i, 0)).collect();
        let alike: Vec<&str> = alike.iter().map(String::as_str).collect();
        let found = compare(&alike, &real, Seed(1)).unwrap();
        assert!((0.3..0.7).contains(&found.auc), "{found:?}");
        assert_eq!(found.texts, 100);

        let copies = vec!["the mill won an order today"; 100];
        let found = compare(&copies, &real, Seed(1)).unwrap();
        assert!(found.auc > 0.99, "{found:?}");
        assert!(found.synthetic.compression.unwrap() > found.real.compression.unwrap());
        assert!(found.synthetic.distinct[1].unwrap() < found.real.distinct[1].unwrap());
        assert!((found.synthetic.words - found.real.words).abs() < 1e-9, "equally long");
    }
}
