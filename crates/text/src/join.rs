//! All pairs of similar sets, exactly: a prefix-filtered similarity join.
//!
//! Members are ordered from the rarest to the commonest. Two sets of similarity t or more share at least one member
//! among the first few of each (AllPairs, Bayardo, Ma and Srikant 2007), and their sizes differ by a factor of t at
//! most. An index of those first members proposes pairs, the exact similarity decides: nothing is overlooked, unlike
//! with signatures, and on sentences it is also faster, because what sentences rarely share is looked up first.

use crate::forest::Forest;
use crate::ngram_hashes;
use rayon::prelude::*;
use std::collections::HashMap;

/// Guards a bound computed in floating point: it may ask for one member too few, never for one too many.
const SLACK: f64 = 1e-9;

/// Two texts and how similar they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimilarPair {
    /// Index of the one (of the text asked about, in [`similar_to`]).
    pub a: usize,
    /// Index of the other.
    pub b: usize,
    /// Jaccard similarity of their sets of character n-grams.
    pub similarity: f64,
}

/// All pairs a < b of texts whose sets of character n-grams (of `gram` characters) have a Jaccard similarity of at
/// least `threshold`, in order. Texts without characters are in no pair. Also returns how many pairs had to be
/// compared. Memory grows with the number of pairs: of n copies there are n²/2.
///
/// ```
/// let (pairs, _) = text::similar_pairs(&["net sales rose in may", "oil fell", "net sales rose in mai"], 5, 0.7);
/// assert_eq!(pairs.iter().map(|p| (p.a, p.b)).collect::<Vec<_>>(), [(0, 2)]);
/// ```
pub fn similar_pairs<T: AsRef<str> + Sync>(texts: &[T], gram: usize, threshold: f64) -> (Vec<SimilarPair>, usize) {
    let join = Join::new(texts, gram, threshold);
    let of_place = |met: &mut [u32], place: usize| {
        let mut pairs = Vec::new();
        let compared = join.before(place, met, |other, found| {
            if let Some(similarity) = found() {
                let (x, y) = (join.order[place] as usize, join.order[other as usize] as usize);
                pairs.push(SimilarPair { a: x.min(y), b: x.max(y), similarity });
            }
            true
        });
        (pairs, compared)
    };
    let found = each(0..join.order.len(), &mut join.buffers(), of_place);
    let compared = found.iter().map(|(_, n)| n).sum();
    let mut pairs: Vec<SimilarPair> = found.into_iter().flat_map(|(pairs, _)| pairs).collect();
    pairs.par_sort_unstable_by_key(|p| (p.a, p.b));
    (pairs, compared)
}

/// Texts that are looked up before what was found is joined. Fixed, so that the work done does not depend on the machine.
const ROUND: usize = 512;

/// Joins every two similar texts in `forest`, directly or through others: pairs that are joined already are not compared,
/// so that many copies cost little. Returns how many pairs were compared.
pub(crate) fn join_similar<T: AsRef<str> + Sync>(
    texts: &[T],
    gram: usize,
    threshold: f64,
    forest: &mut Forest,
) -> usize {
    let join = Join::new(texts, gram, threshold);
    let (mut compared, mut buffers) = (0, join.buffers());
    for start in (0..join.order.len()).step_by(ROUND) {
        let joined = &*forest;
        let of_place = |met: &mut [u32], place: usize| {
            let own = join.order[place] as usize;
            let (mut links, mut roots) = (Vec::new(), vec![joined.find(own)]);
            let compared = join.before(place, met, |other, found| {
                let other = join.order[other as usize] as usize;
                let root = joined.find(other);
                if roots.contains(&root) {
                    return false;
                }
                if found().is_some() {
                    links.push((own, other));
                    roots.push(root);
                }
                true
            });
            (links, compared)
        };
        let round = start..(start + ROUND).min(join.order.len());
        for (links, n) in each(round, &mut buffers, of_place) {
            compared += n;
            for (a, b) in links {
                forest.join(a, b);
            }
        }
    }
    compared
}

/// `work` for each place, in order, shared out over the buffers.
fn each<R: Send>(
    places: std::ops::Range<usize>,
    buffers: &mut [Vec<u32>],
    work: impl Fn(&mut [u32], usize) -> R + Sync,
) -> Vec<R> {
    // Later sets are larger and are looked up among more: handed out in turn, all threads have as much to do.
    let threads = buffers.len();
    let parts: Vec<Vec<R>> = buffers
        .par_iter_mut()
        .enumerate()
        .map(|(first, met)| places.clone().skip(first).step_by(threads).map(|place| work(met, place)).collect())
        .collect();
    let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
    places.enumerate().filter_map(|(i, _)| parts.get_mut(i % threads)?.next()).collect()
}

/// Sets from the smallest to the largest, each to be looked up among those before it.
struct Join {
    /// The text behind each place.
    order: Vec<u32>,
    sets: Vec<Vec<u32>>,
    index: Index,
    threshold: f64,
}

impl Join {
    fn new<T: AsRef<str> + Sync>(texts: &[T], gram: usize, threshold: f64) -> Self {
        let mut sets = by_rarity(&sets(texts, gram));
        let mut order: Vec<u32> = (0..sets.len() as u32).filter(|&i| !sets[i as usize].is_empty()).collect();
        order.par_sort_unstable_by_key(|&i| (sets[i as usize].len(), i));
        let sets: Vec<Vec<u32>> = order.iter().map(|&i| std::mem::take(&mut sets[i as usize])).collect();
        let views: Vec<&[u32]> = sets.iter().map(Vec::as_slice).collect();
        // Of two sets, the smaller shares at least 2t/(1 + t) of its members.
        let index = Index::new(&views, |size| prefix(size, 2.0 * threshold / (1.0 + threshold)));
        Self { order, sets, index, threshold }
    }

    /// For each thread, which set was met last at which place.
    fn buffers(&self) -> Vec<Vec<u32>> {
        vec![vec![u32::MAX; self.order.len()]; rayon::current_num_threads()]
    }

    /// Offers every set before this one that may be similar, once, with a way to find out; `visit` says whether it did.
    /// Returns how often it did.
    fn before(
        &self,
        place: usize,
        met: &mut [u32],
        mut visit: impl FnMut(u32, &dyn Fn() -> Option<f64>) -> bool,
    ) -> usize {
        let own = &self.sets[place];
        let least = (self.threshold * own.len() as f64 - SLACK).ceil();
        let mut compared = 0;
        for member in &own[..prefix(own.len(), self.threshold)] {
            for &other in self.index.before(*member, place as u32).iter().rev() {
                let set = &self.sets[other as usize];
                if (set.len() as f64) < least {
                    break;
                }
                if std::mem::replace(&mut met[other as usize], place as u32) != place as u32 {
                    compared += usize::from(visit(other, &|| similarity_from(own, set, self.threshold)));
                }
            }
        }
        compared
    }
}

/// For each of `asked`, the most similar of `texts` (the first of equals) if its similarity is at least `threshold`: how
/// an evaluation set is held against everything that is trained on.
pub fn similar_to<T: AsRef<str> + Sync>(
    asked: &[T],
    texts: &[T],
    gram: usize,
    threshold: f64,
) -> Vec<Option<SimilarPair>> {
    let both: Vec<&str> = texts.iter().chain(asked).map(AsRef::as_ref).collect();
    let all = sets(&both, gram);
    let all = by_rarity(&all);
    let (known, asked) = all.split_at(texts.len());
    let known: Vec<&[u32]> = known.iter().map(Vec::as_slice).collect();
    let index = Index::new(&known, |size| prefix(size, threshold));
    let best = |(a, own): (usize, &Vec<u32>)| {
        let mut best: Option<SimilarPair> = None;
        for member in &own[..prefix(own.len(), threshold)] {
            for &b in index.before(*member, u32::MAX) {
                let floor = best.map_or(threshold, |p| p.similarity);
                if let Some(similarity) = similarity_from(own, known[b as usize], floor) {
                    let found = SimilarPair { a, b: b as usize, similarity };
                    let better =
                        best.is_none_or(|p| similarity > p.similarity || (similarity >= p.similarity && found.b < p.b));
                    best = if better { Some(found) } else { best };
                }
            }
        }
        best
    };
    asked.par_iter().enumerate().map(best).collect()
}

fn sets<T: AsRef<str> + Sync>(texts: &[T], gram: usize) -> Vec<Vec<u64>> {
    texts.par_iter().map(|text| ngram_hashes(text.as_ref(), gram)).collect()
}

/// How many of the first members of a set of `size` must be looked at so that one of `share` × `size` shared members is
/// among them.
fn prefix(size: usize, share: f64) -> usize {
    let shared = (share * size as f64 - SLACK).ceil().max(1.0) as usize;
    (size + 1).saturating_sub(shared).min(size)
}

/// The sets with their members numbered from the rarest to the commonest, in ascending order.
fn by_rarity(sets: &[Vec<u64>]) -> Vec<Vec<u32>> {
    let mut all: Vec<u64> = sets.iter().flatten().copied().collect();
    all.par_sort_unstable();
    let mut counted: Vec<(u32, u64)> = Vec::new();
    for run in all.chunk_by(|x, y| x == y) {
        counted.extend(run.first().map(|&hash| (run.len() as u32, hash)));
    }
    drop(all);
    counted.par_sort_unstable();
    let numbers: HashMap<u64, u32, Unhashed> =
        counted.into_iter().enumerate().map(|(number, (_, hash))| (hash, number as u32)).collect();
    let numbered = |set: &Vec<u64>| {
        let mut members: Vec<u32> = set.iter().filter_map(|hash| numbers.get(hash).copied()).collect();
        members.sort_unstable();
        members
    };
    sets.par_iter().map(numbered).collect()
}

/// Hashes of n-grams need not be hashed again.
type Unhashed = std::hash::BuildHasherDefault<AsIs>;

#[derive(Default)]
struct AsIs(u64);

impl std::hash::Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        // FNV leaves the low bits best mixed and the table also reads the high ones.
        self.0 = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Which sets have a member among their first.
struct Index {
    /// Where each member's sets begin in `places`.
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Index {
    fn new(sets: &[&[u32]], first: impl Fn(usize) -> usize) -> Self {
        let members = sets.iter().filter_map(|set| set.last()).max().map_or(0, |&m| m as usize + 1);
        let mut starts = vec![0_u32; members + 1];
        for set in sets {
            for &member in &set[..first(set.len())] {
                starts[member as usize + 1] += 1;
            }
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut places = vec![0; starts.last().map_or(0, |&n| n as usize)];
        let mut next = starts.clone();
        for (place, set) in sets.iter().enumerate() {
            for &member in &set[..first(set.len())] {
                places[next[member as usize] as usize] = place as u32;
                next[member as usize] += 1;
            }
        }
        Self { starts, places }
    }

    /// The sets with this member, ascending, that come before `end`.
    fn before(&self, member: u32, end: u32) -> &[u32] {
        let member = member as usize;
        let (Some(&from), Some(&to)) = (self.starts.get(member), self.starts.get(member + 1)) else { return &[] };
        let all = &self.places[from as usize..to as usize];
        &all[..all.partition_point(|&place| place < end)]
    }
}

/// The Jaccard similarity of two sorted sets if it is at least `threshold`.
fn similarity_from(a: &[u32], b: &[u32], threshold: f64) -> Option<f64> {
    let needed = (threshold / (1.0 + threshold) * (a.len() + b.len()) as f64 - SLACK).ceil().max(0.0) as usize;
    let (mut i, mut j, mut shared) = (0, 0, 0_usize);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        // Even if all that is left were shared, it would not be enough.
        if shared + (a.len() - i).min(b.len() - j) < needed {
            return None;
        }
        shared += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let similarity = shared as f64 / (a.len() + b.len() - shared).max(1) as f64;
    (similarity >= threshold).then_some(similarity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_text_is_found_with_its_similarity() {
        let known = ["net sales rose to eur 10 mn", "net sales rose to eur 11 mn", "the bank cut its dividend"];
        let found = similar_to(&["net sales rose to eur 11 mn.", "copper", ""], &known, 5, 0.5);
        assert_eq!(found[0].map(|p| (p.a, p.b)), Some((0, 1)));
        assert!(found[0].is_some_and(|p| (p.similarity - 23.0 / 24.0).abs() < 1e-12), "{:?}", found[0]);
        assert_eq!(&found[1..], [None, None]);
    }

    #[test]
    fn a_threshold_of_one_finds_equal_sets_only() {
        let texts = ["abcdefg", "abcdefg", "abcdefh", ""];
        let (pairs, _) = similar_pairs(&texts, 5, 1.0);
        assert_eq!(pairs, [SimilarPair { a: 0, b: 1, similarity: 1.0 }]);
    }
}
