use crate::{MinHasher, ngram_hashes};
use std::collections::BTreeMap;

/// Length of the character runs that near duplicates are compared by.
const GRAM: usize = 5;
/// 20 bands of 4: a pair of similarity 0.8 is overlooked with probability (1 - 0.8^4)^20 = 3e-5, one of 0.7 with 4e-3.
const BANDS: usize = 20;
const ROWS: usize = 4;

/// Jaccard similarity of two sorted sets without repeats: shared members over all members; 1 for two empty sets.
pub fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut shared) = (0, 0, 0_usize);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        shared += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let all = a.len() + b.len() - shared;
    if all == 0 { 1.0 } else { shared as f64 / all as f64 }
}

/// Texts grouped so that near duplicates are together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// For each text, the index of the first text of its cluster (its own where it is alone).
    pub representative: Vec<usize>,
    /// Pairs that had to be compared exactly.
    pub compared: usize,
}

impl Clusters {
    /// How many clusters have more than one text, and how many texts they hold together.
    pub fn shared(&self) -> (usize, usize) {
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        for &r in &self.representative {
            *sizes.entry(r).or_default() += 1;
        }
        let large = sizes.values().filter(|&&n| n > 1);
        (large.clone().count(), large.sum())
    }
}

/// Groups texts whose sets of character 5-grams have a Jaccard similarity of at least `threshold`. `MinHash` signatures
/// propose pairs (locality-sensitive hashing by bands), the exact similarity decides, and union-find joins them: texts may be in
/// one cluster through a chain of similar ones. Give comparison keys rather than raw text. Texts without characters
/// stay alone.
///
/// ```
/// let keys = ["netsalesrosetoeur10mnfromeur9mn", "netsalesrosetoeur10mnfromeur8mn", "thebankcutitsdividend"];
/// assert_eq!(text::near_duplicates(&keys, 0.7, 1).representative, [0, 0, 2]);
/// ```
pub fn near_duplicates<T: AsRef<str>>(keys: &[T], threshold: f64, seed: u64) -> Clusters {
    let hasher = MinHasher::new(BANDS * ROWS, seed);
    let sets: Vec<Vec<u64>> = keys.iter().map(|k| ngram_hashes(k.as_ref(), GRAM)).collect();
    let mut buckets: BTreeMap<(usize, u64), Vec<usize>> = BTreeMap::new();
    for (text, set) in sets.iter().enumerate().filter(|(_, s)| !s.is_empty()) {
        for (band, hash) in hasher.signature(set).bands(ROWS).enumerate() {
            buckets.entry((band, hash)).or_default().push(text);
        }
    }
    let mut forest = Forest((0..keys.len()).collect());
    let mut compared = 0;
    for bucket in buckets.values().filter(|b| b.len() > 1) {
        for (i, &a) in bucket.iter().enumerate() {
            for &b in bucket.iter().skip(i + 1) {
                if forest.root(a) == forest.root(b) {
                    continue;
                }
                compared += 1;
                if let (Some(x), Some(y)) = (sets.get(a), sets.get(b))
                    && jaccard(x, y) >= threshold
                {
                    forest.join(a, b);
                }
            }
        }
    }
    Clusters { representative: (0..keys.len()).map(|i| forest.root(i)).collect(), compared }
}

/// Union-find whose roots are the smallest index of their tree.
struct Forest(Vec<usize>);

impl Forest {
    fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
