use super::answers::Answers;
use super::{Arm, Method};
use artifacts::rows::{Example, Language, Sentiment};
use stats::classification::{LogisticConfig, LogisticRegression};
use text::{TfIdf, TfIdfConfig};

/// What needs no language model: the same for every seed. Each language has its own.
pub(super) fn answers(arm: &Arm, train: &[Example], rows: &[Example]) -> Answers {
    let mut scored = vec![Sentiment::Neutral; rows.len()];
    for language in Language::ALL {
        let inside: Vec<&Example> = train.iter().filter(|row| row.language == *language).collect();
        let labels: Vec<usize> = inside.iter().map(|row| row.label as usize).collect();
        let asked = rows.iter().enumerate().filter(|(_, row)| row.language == *language);
        if arm.method == Method::Majority {
            let count = |label: &Sentiment| labels.iter().filter(|found| **found == *label as usize).count();
            let most = Sentiment::ALL.iter().copied().rev().max_by_key(count).unwrap_or(Sentiment::Neutral);
            asked.for_each(|(at, _)| scored[at] = most);
            continue;
        }
        let tfidf = TfIdf::fit(inside.iter().map(|row| row.text.as_str()), &TfIdfConfig::default());
        let vectors: Vec<_> = inside.iter().map(|row| tfidf.transform(&row.text)).collect();
        let classes = Sentiment::ALL.len();
        let model = LogisticRegression::fit(&vectors, &labels, classes, tfidf.features(), &LogisticConfig::default());
        for (at, row) in asked {
            scored[at] = Sentiment::ALL[model.predict(&tfidf.transform(&row.text))];
        }
    }
    Answers { arm: arm.name.clone(), scored: vec![scored], generated: Vec::new() }
}
