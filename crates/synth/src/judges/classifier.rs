use super::Shares;
use artifacts::rows::{Example, Sentiment};
use stats::classification::{LogisticConfig, LogisticRegression};
use text::{TfIdf, TfIdfConfig};

/// Logistic regression on weighted words, word pairs and pieces of words: unlike a language model in every respect, which is what
/// makes it an independent judge.
pub(crate) struct Classifier {
    features: TfIdf,
    model: LogisticRegression,
}

/// What of a text the classifier sees.
pub(crate) fn features() -> TfIdfConfig {
    TfIdfConfig { words: (1, 2), characters: (3, 4), max_features: 30_000, ..TfIdfConfig::default() }
}

/// Classes count the same: candidates are asked for in equal shares. The pull towards zero is weak, because rows of length 1
/// leave a strong one nothing to be sure about.
pub(crate) fn settings() -> LogisticConfig {
    LogisticConfig { l2: 0.1, max_iterations: 50, tolerance: 1e-3, balanced: true }
}

impl Classifier {
    pub(crate) fn train(rows: &[&Example]) -> Self {
        let features = TfIdf::fit(rows.iter().map(|e| e.text.as_str()), &features());
        let vectors: Vec<_> = rows.iter().map(|e| features.transform(&e.text)).collect();
        let labels: Vec<usize> = rows.iter().map(|e| e.label as usize).collect();
        let model =
            LogisticRegression::fit(&vectors, &labels, Sentiment::ALL.len(), features.features(), &settings());
        Self { features, model }
    }

    pub(crate) fn probabilities(&self, text: &str) -> Shares {
        let p = self.model.probabilities(&self.features.transform(text));
        std::array::from_fn(|label| p.get(label).copied().unwrap_or(0.0))
    }
}
