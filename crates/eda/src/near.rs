use crate::profiler::{line, short};
use crate::sample::SampleText;
use std::collections::{BTreeMap, BTreeSet};
use text::near_duplicates;

/// Texts that are nearly but not quite equal, among the texts of the sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NearCopies {
    /// Clusters of two or more texts.
    pub clusters: u64,
    /// Texts in them.
    pub texts: u64,
    /// Clusters with texts of more than one split.
    pub across: u64,
    /// Clusters with more than one label.
    pub conflicting: u64,
    /// Texts looked at.
    pub among: u64,
    /// Some of those across splits.
    pub(crate) leaks: Vec<String>,
    /// Some of those with more than one label.
    pub(crate) conflicts: Vec<String>,
}

pub(crate) fn find(
    texts: &[SampleText],
    (splits, labels): (&[String], &[String]),
    threshold: f64,
    seed: u64,
    examples: usize,
) -> NearCopies {
    let keys: Vec<&str> = texts.iter().map(|t| t.key.as_str()).collect();
    let clusters = near_duplicates(&keys, threshold, seed);
    let mut members: BTreeMap<usize, Vec<&SampleText>> = BTreeMap::new();
    for (text, representative) in texts.iter().zip(&clusters.representative) {
        members.entry(*representative).or_default().push(text);
    }
    let mut found = NearCopies { among: texts.len() as u64, ..NearCopies::default() };
    for cluster in members.into_values().filter(|c| c.len() > 1) {
        found.clusters += 1;
        found.texts += cluster.len() as u64;
        let all = || cluster.iter().flat_map(|t| &t.occurrences);
        let in_splits: BTreeSet<usize> = all().map(|o| o.split).collect();
        let with_labels: BTreeSet<usize> = all().filter_map(|o| o.label).collect();
        let shown = |of: &dyn Fn(&SampleText) -> String| {
            cluster.iter().take(4).map(|t| format!("{} {}", of(t), line(t.row, &short(&t.text)))).collect::<Vec<_>>()
        };
        if in_splits.len() > 1 {
            found.across += 1;
            if found.leaks.len() < examples {
                let split = |t: &SampleText| t.occurrences.first().and_then(|o| splits.get(o.split)).cloned();
                found.leaks.push(shown(&|t| split(t).unwrap_or_default()).join("\n"));
            }
        }
        if with_labels.len() > 1 {
            found.conflicting += 1;
            if found.conflicts.len() < examples {
                let label = |t: &SampleText| t.label_where(|_| true).and_then(|l| labels.get(l)).cloned();
                found.conflicts.push(shown(&|t| label(t).unwrap_or_default()).join("\n"));
            }
        }
    }
    found
}
