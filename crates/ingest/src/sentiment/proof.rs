use super::select::{Placed, Selection};
use artifacts::rows::Language;
use std::collections::BTreeSet;
use text::similar_to;

/// Length of the character runs that texts are compared by, as for the clusters.
const GRAM: usize = 5;
/// From here on the highest similarity is told; below it there is nothing to tell.
const FLOOR: f64 = 0.5;

/// How close the rows of one set come to those of another: looked up for every row, after the split and apart from it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leak {
    /// The set whose rows are asked about.
    pub(super) asked: &'static str,
    /// The set that must not hold them.
    pub(super) against: &'static str,
    /// Rows asked about.
    pub(super) rows: usize,
    /// Rows with the same comparison key on the other side.
    pub(super) equal: usize,
    /// Rows with a similarity of the threshold or more to a row of the other side.
    pub(super) similar: usize,
    /// The highest similarity there is; nothing below 0.5.
    pub(super) highest: Option<f64>,
}

impl Leak {
    pub(super) fn is_train_against_eval(&self) -> bool {
        self.against == "train" && self.asked.starts_with("eval")
    }
}

/// Every held-out set against everything that is or may be trained on.
pub(super) fn leaks(result: &Selection, threshold: f64) -> Vec<Leak> {
    let held_out = [("eval", &result.eval), ("eval_balanced", &result.eval_balanced), ("test", &result.test)];
    let trained = [("train", &result.train), ("pool", &result.pool)];
    let mut leaks = Vec::new();
    for (asked, rows) in held_out {
        for (against, others) in trained {
            if !rows.is_empty() && !others.is_empty() {
                leaks.push(leak((asked, rows), (against, others), threshold));
            }
        }
    }
    leaks
}

fn leak(asked: (&'static str, &[Placed]), against: (&'static str, &[Placed]), threshold: f64) -> Leak {
    let mut found =
        Leak { asked: asked.0, against: against.0, rows: asked.1.len(), equal: 0, similar: 0, highest: None };
    for &language in Language::ALL {
        let keys = |rows: &'_ [Placed]| -> Vec<String> {
            rows.iter().filter(|p| p.row.raw.language == language).map(|p| p.row.key.clone()).collect()
        };
        let (asked, others) = (keys(asked.1), keys(against.1));
        let known: BTreeSet<&String> = others.iter().collect();
        found.equal += asked.iter().filter(|key| known.contains(key)).count();
        for pair in similar_to(&asked, &others, GRAM, FLOOR.min(threshold)).into_iter().flatten() {
            found.similar += usize::from(pair.similarity >= threshold);
            found.highest = Some(found.highest.map_or(pair.similarity, |h| h.max(pair.similarity)));
        }
    }
    found
}
