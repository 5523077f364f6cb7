use crate::questions::Question;
use crate::track::{Track, Way};
use artifacts::rows::{Example, Sentiment};
use stats::classification::{LogisticConfig, LogisticRegression};
use text::{TfIdf, TfIdfConfig};

/// A classifier of words and pieces of words, trained on the rows that the model was tuned on: what a language model has to beat.
pub(crate) struct Baseline {
    tfidf: TfIdf,
    classifier: LogisticRegression,
}

impl Baseline {
    /// Fits one; none without training rows. Training rows that are evaluation rows are left out.
    pub(crate) fn fit(train: &[Example], questions: &[Question]) -> Option<Self> {
        let held_out: std::collections::BTreeSet<&str> = questions.iter().map(|q| q.id.as_str()).collect();
        let train: Vec<&Example> = train.iter().filter(|e| !held_out.contains(e.id.as_str())).collect();
        if train.is_empty() {
            return None;
        }
        let tfidf = TfIdf::fit(train.iter().map(|e| e.text.as_str()), &TfIdfConfig::default());
        let rows: Vec<Vec<(u32, f32)>> = train.iter().map(|e| tfidf.transform(&e.text)).collect();
        let labels: Vec<usize> = train.iter().map(|e| e.label as usize).collect();
        let classes = Sentiment::ALL.len();
        let classifier = LogisticRegression::fit(&rows, &labels, classes, tfidf.features(), &LogisticConfig::default());
        Some(Self { tfidf, classifier })
    }

    /// ln p of each label of each text.
    pub(crate) fn scores<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Vec<[f64; 3]> {
        texts
            .map(|text| {
                let p = self.classifier.probabilities(&self.tfidf.transform(text));
                // What is impossible to the classifier must stay a finite score.
                std::array::from_fn(|k| p.get(k).copied().unwrap_or(0.0).max(f64::MIN_POSITIVE).ln())
            })
            .collect()
    }

    /// The classifier's answers.
    pub(crate) fn track(&self, questions: &[Question]) -> Track {
        Track::of_scores("tfidf", Way::Scored, self.scores(questions.iter().map(|q| q.text.as_str())))
    }
}

/// The commonest label, always: of the training rows where they are known, of the evaluated ones else, which flatters it.
pub(crate) fn majority(train: &[Example], questions: &[Question]) -> Track {
    let labels: Vec<Sentiment> = if train.is_empty() {
        questions.iter().map(|q| q.label).collect()
    } else {
        train.iter().map(|e| e.label).collect()
    };
    let count = |label: Sentiment| labels.iter().filter(|l| **l == label).count();
    let mut best = Sentiment::Negative;
    for label in Sentiment::ALL {
        if count(*label) > count(best) {
            best = *label;
        }
    }
    Track::constant("majority", best, questions.len())
}
