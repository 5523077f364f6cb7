use crate::judges::{features, settings};
use artifacts::Seed;
use artifacts::rows::{Example, Sentiment};
use stats::classification::{LabelQuality, LogisticConfig, confident_learning, out_of_fold};
use text::{TfIdf, TfIdfConfig};

/// Parts of the rows, each judged by a classifier that learned from the others.
const FOLDS: usize = 5;
/// Rows below which a fold holds too few of a label to learn it from.
const MIN_ROWS: usize = 60;
/// Real rows beside the candidates: as many again, so that the candidates' own errors do not set the standard.
const REAL_FOR_EACH: usize = 2;

/// Confident learning on candidates that the judges let pass, among real rows of their language: the quality of each
/// candidate's label. Empty where there are too few rows to say anything.
pub(crate) fn label_quality(candidates: &[(&str, Sentiment)], real: &[&Example], seed: Seed) -> Vec<LabelQuality> {
    let real: Vec<&Example> = spread(real, REAL_FOR_EACH * candidates.len());
    let texts: Vec<(&str, Sentiment)> =
        candidates.iter().copied().chain(real.iter().map(|e| (e.text.as_str(), e.label))).collect();
    if texts.len() < MIN_ROWS || candidates.is_empty() {
        return Vec::new();
    }
    let labels: Vec<usize> = texts.iter().map(|(_, label)| *label as usize).collect();
    let config = TfIdfConfig { max_features: 20_000, ..features() };
    let tfidf = TfIdf::fit(texts.iter().map(|(text, _)| *text), &config);
    let rows: Vec<_> = texts.iter().map(|(text, _)| tfidf.transform(text)).collect();
    let classes = Sentiment::ALL.len();
    let settings = LogisticConfig { max_iterations: 40, tolerance: 1e-3, ..settings() };
    let probabilities = out_of_fold(&rows, &labels, classes, tfidf.features(), FOLDS, seed.0, &settings);
    let mut quality = confident_learning(&probabilities, &labels, classes);
    quality.truncate(candidates.len());
    quality
}

/// `n` rows at equal distances, or all.
fn spread<'e>(rows: &[&'e Example], n: usize) -> Vec<&'e Example> {
    let n = n.min(rows.len());
    (0..n).filter_map(|i| rows.get(i * rows.len() / n.max(1)).copied()).collect()
}
