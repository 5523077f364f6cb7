use crate::forest::Forest;
use crate::join::join_similar;
use crate::tokens::hash_ngrams;
use crate::{FastMap, MinHasher, ngram_hashes};
use rayon::prelude::*;
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
        let sizes = self.sizes();
        let large = sizes.iter().filter(|n| **n > 1);
        (large.clone().count(), large.sum())
    }

    /// How many texts each cluster holds, in the order of the first text of each.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        for &r in &self.representative {
            *sizes.entry(r).or_default() += 1;
        }
        sizes.into_values().collect()
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
pub fn near_duplicates<T: AsRef<str> + Sync>(keys: &[T], threshold: f64, seed: u64) -> Clusters {
    grouped(keys, |different, forest| {
        let hasher = MinHasher::new(BANDS * ROWS, seed);
        let bands_of = |grams: &mut Vec<u64>, key: &&str| {
            // Neither order nor repeats matter to a signature.
            hash_ngrams(key, GRAM, grams);
            hasher.signature(grams).bands(ROWS).collect::<Vec<u64>>()
        };
        let bands: Vec<Vec<u64>> = different.par_iter().map_init(Vec::new, bands_of).collect();
        let of_band = |band: usize| shared_entries(|| bands.iter().map(move |bands| bands[band]));
        let buckets: Vec<Vec<(u64, usize)>> = (0..BANDS).into_par_iter().map(of_band).collect();
        let mut met = vec![false; different.len()];
        for (_, text) in buckets.iter().flatten() {
            met[*text] = true;
        }
        let set_of = |(key, met): (&&str, &bool)| if *met { ngram_hashes(key, GRAM) } else { Vec::new() };
        let sets: Vec<Vec<u64>> = different.par_iter().zip(&met).map(set_of).collect();
        let mut compared = 0;
        for entries in &buckets {
            let buckets: Vec<&[(u64, usize)]> = entries.chunk_by(|x, y| x.0 == y.0).collect();
            let joined = &*forest;
            let found: Vec<_> = buckets.par_iter().map(|bucket| links(bucket, &sets, threshold, joined)).collect();
            for (links, n) in found {
                compared += n;
                for (a, b) in links {
                    forest.join(a, b);
                }
            }
        }
        compared
    })
}

/// The hashes that more than one text has, each with its texts, in order. Most hashes are one text's alone: counts by their
/// lowest bits leave out nearly all of those before the others are sorted.
fn shared_entries<I: Iterator<Item = u64>>(hashes: impl Fn() -> I) -> Vec<(u64, usize)> {
    let places = (4 * hashes().count()).next_power_of_two();
    let place = |hash: u64| hash as usize & (places - 1);
    let mut counts = vec![0_u8; places];
    for hash in hashes() {
        let count = &mut counts[place(hash)];
        *count = count.saturating_add(1);
    }
    let mut entries: Vec<(u64, usize)> =
        hashes().enumerate().filter(|(_, hash)| counts[place(*hash)] > 1).map(|(text, hash)| (hash, text)).collect();
    entries.sort_unstable();
    entries.chunk_by(|x, y| x.0 == y.0).filter(|bucket| bucket.len() > 1).flatten().copied().collect()
}

/// [`near_duplicates`] without chance: an exact join ([`crate::similar_pairs`]) proposes every pair there is. What must hold
/// for certain, such as that no near duplicate crosses a split, is clustered with this.
///
/// ```
/// let keys = ["netsalesrosetoeur10mnfromeur9mn", "netsalesrosetoeur10mnfromeur8mn", "thebankcutitsdividend"];
/// assert_eq!(text::all_near_duplicates(&keys, 0.7).representative, [0, 0, 2]);
/// ```
pub fn all_near_duplicates<T: AsRef<str> + Sync>(keys: &[T], threshold: f64) -> Clusters {
    grouped(keys, |different, forest| join_similar(different, GRAM, threshold, forest))
}

/// The similar pairs of one bucket that are not joined yet, and how many pairs were compared. Texts that one of them
/// joins are not compared with each other, so that a bucket of copies costs little.
fn links(bucket: &[(u64, usize)], sets: &[Vec<u64>], threshold: f64, joined: &Forest) -> (Vec<(usize, usize)>, usize) {
    let mut roots: Vec<usize> = bucket.iter().map(|(_, text)| joined.find(*text)).collect();
    let (mut links, mut compared) = (Vec::new(), 0);
    for (i, (_, a)) in bucket.iter().enumerate() {
        for (j, (_, b)) in bucket.iter().enumerate().take(i) {
            let (own, other) = (roots[i], roots[j]);
            if own == other {
                continue;
            }
            compared += 1;
            if jaccard(&sets[*a], &sets[*b]) >= threshold {
                links.push((*a, *b));
                roots.iter_mut().filter(|root| **root == own).for_each(|root| *root = other);
            }
        }
    }
    (links, compared)
}

/// Joins equal texts, and lets `similar` join the different ones (it gets them and a forest over them, and says how many
/// pairs it compared).
fn grouped<'a, T: AsRef<str>>(keys: &'a [T], similar: impl FnOnce(&[&'a str], &mut Forest) -> usize) -> Clusters {
    let mut first: FastMap<&str, usize> = FastMap::default();
    first.reserve(keys.len());
    let (mut different, mut places) = (Vec::new(), Vec::new());
    // For each text, which of the different ones it is; the empty ones are nobody's.
    let mut which: Vec<Option<usize>> = Vec::with_capacity(keys.len());
    for (place, key) in keys.iter().map(AsRef::as_ref).enumerate() {
        let number = (!key.is_empty()).then(|| {
            *first.entry(key).or_insert_with(|| {
                different.push(key);
                places.push(place);
                different.len() - 1
            })
        });
        which.push(number);
    }
    let mut forest = Forest::new(different.len());
    let compared = similar(&different, &mut forest);
    let representative = which.into_iter().enumerate();
    let representative =
        representative.map(|(place, number)| number.map_or(place, |n| places[forest.find(n)])).collect();
    Clusters { representative, compared }
}
