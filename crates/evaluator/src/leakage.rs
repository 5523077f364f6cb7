use crate::Config;
use crate::questions::Question;
use artifacts::rows::{Example, Nearest};
use std::collections::BTreeMap;
use text::{comparison_key, similar_to};

/// Length of the character runs that texts are compared by, as `ingest` compares them.
const GRAM: usize = 5;
/// Below this similarity two sentences share little but common words.
const FLOOR: f64 = 0.2;

/// How near the evaluation rows come to the rows that were trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Leakage {
    /// Evaluation rows.
    pub rows: usize,
    /// Training rows.
    pub train_rows: usize,
    /// Evaluation rows whose comparison key is that of a training row.
    pub same_key: usize,
    /// Evaluation rows with a training row of at least the similarity that counts as the same.
    pub near: usize,
    /// The training row most like each evaluation row, where they are at all alike; the most alike first.
    pub nearest: Vec<Nearest>,
}

/// Holds every evaluation row against every training row; none without training rows.
pub(crate) fn leakage(questions: &[Question], train: &[Example], config: &Config) -> Option<Leakage> {
    if train.is_empty() {
        return None;
    }
    let asked: Vec<String> = questions.iter().map(|q| comparison_key(&q.text)).collect();
    let known: Vec<String> = train.iter().map(|e| comparison_key(&e.text)).collect();
    let mut by_key: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, key) in known.iter().enumerate() {
        by_key.entry(key).or_insert(row);
    }
    let similar = similar_to(&asked, &known, GRAM, FLOOR.min(config.leakage));
    let mut found = Leakage { rows: asked.len(), train_rows: known.len(), same_key: 0, near: 0, nearest: Vec::new() };
    for ((question, key), similar) in questions.iter().zip(&asked).zip(similar) {
        let same = by_key.get(key.as_str()).copied();
        let nearest = same.map(|row| (row, 1.0)).or(similar.map(|pair| (pair.b, pair.similarity)));
        found.same_key += usize::from(same.is_some());
        let Some((example, jaccard)) = nearest.and_then(|(row, jaccard)| Some((train.get(row)?, jaccard))) else {
            continue;
        };
        found.near += usize::from(jaccard >= config.leakage);
        found.nearest.push(Nearest {
            example_id: question.id.clone(),
            train_id: example.id.clone(),
            jaccard,
            same_key: same.is_some(),
            text: question.text.clone(),
            train_text: example.text.clone(),
        });
    }
    found.nearest.sort_by(|a, b| b.jaccard.total_cmp(&a.jaccard).then_with(|| a.example_id.cmp(&b.example_id)));
    Some(found)
}
