use artifacts::rows::Example;
use std::collections::{BTreeMap, BTreeSet};
use text::{comparison_key, near_duplicates};

/// Texts of one language that occur more than once, within a split and across splits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Duplicates {
    /// For each split, rows whose text occurred before in the same split.
    pub repeats: BTreeMap<String, u64>,
    /// Texts that occur in more than one split: leakage.
    pub across: u64,
    /// Texts that occur with more than one label.
    pub conflicting: u64,
    /// Clusters of near duplicates (exact ones included).
    pub near_clusters: u64,
    /// Rows in these clusters.
    pub near_rows: u64,
    /// Clusters with rows of more than one split.
    pub near_across: u64,
    /// Clusters with more than one label: one text says it is good news, its near copy that it is bad.
    pub near_conflicting: u64,
    /// The first few texts of conflicting clusters, as `label: text`.
    pub conflicts: Vec<String>,
}

/// Looks for duplicates among the rows of one language; `rows` are (split, row).
pub(crate) fn find(rows: &[(&str, &Example)], threshold: f64, seed: u64, examples: usize) -> Duplicates {
    let keys: Vec<String> = rows.iter().map(|(_, row)| comparison_key(&row.text)).collect();
    let mut found = Duplicates::default();
    let mut exact: BTreeMap<&str, Cluster> = BTreeMap::new();
    for ((split, row), key) in rows.iter().zip(&keys) {
        let cluster = exact.entry(key).or_default();
        let again = cluster.splits.contains(split);
        *found.repeats.entry((*split).to_owned()).or_default() += u64::from(again);
        cluster.add(split, row);
    }
    found.across = exact.values().filter(|c| c.splits.len() > 1).count() as u64;
    found.conflicting = exact.values().filter(|c| c.labels.len() > 1).count() as u64;

    let clusters = near_duplicates(&keys, threshold, seed);
    let mut near: BTreeMap<usize, Cluster> = BTreeMap::new();
    for ((split, row), representative) in rows.iter().zip(&clusters.representative) {
        near.entry(*representative).or_default().add(split, row);
    }
    for cluster in near.values().filter(|c| c.rows.len() > 1) {
        found.near_clusters += 1;
        found.near_rows += cluster.rows.len() as u64;
        found.near_across += u64::from(cluster.splits.len() > 1);
        if cluster.labels.len() > 1 {
            found.near_conflicting += 1;
            if found.conflicts.len() < examples {
                let lines = cluster.rows.iter().map(|row| format!("{}: {}", row.label, row.text));
                found.conflicts.push(lines.collect::<Vec<_>>().join("\n"));
            }
        }
    }
    found
}

#[derive(Default)]
struct Cluster<'a> {
    splits: BTreeSet<&'a str>,
    labels: BTreeSet<&'static str>,
    rows: Vec<&'a Example>,
}

impl<'a> Cluster<'a> {
    fn add(&mut self, split: &'a str, row: &'a Example) {
        self.splits.insert(split);
        self.labels.insert(row.label.as_str());
        self.rows.push(row);
    }
}
