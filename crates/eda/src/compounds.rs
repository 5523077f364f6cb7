use crate::Subject;
use crate::vocabulary::Vocabulary;
use text::{FastMap, is_stop_word, is_syllable};

/// From here on two syllables that stand together belong together: halfway between chance (0) and always (1).
const BELONG: f64 = 0.5;
/// Pairs met less often prove nothing.
const LEAST: u64 = 5;

/// Vietnamese words of two syllables, found by how much more often than by chance their syllables stand together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compounds {
    /// What white space separates, in the texts looked at.
    pub syllables: u64,
    /// The same with the syllables of a compound counted as one word.
    pub words: u64,
    /// The commonest compounds: text, times, normalised pointwise mutual information.
    pub commonest: Vec<(String, u64, f64)>,
}

/// Normalised pointwise mutual information of neighbouring syllables (Bouma 2009), merged from the left.
pub(crate) fn find((place, subject): (usize, &Subject), vocabulary: &Vocabulary, shown: usize) -> Compounds {
    let syllable: Vec<bool> = (0..vocabulary.len() as u32)
        .map(|w| vocabulary.name(w))
        .map(|name| is_syllable(name) && !is_stop_word(name) && !text::is_negation(name))
        .collect();
    let fits = |w: u32| syllable.get(w as usize).copied().unwrap_or(false);
    let mut single: FastMap<u32, u64> = FastMap::default();
    let mut pairs: FastMap<(u32, u32), u64> = FastMap::default();
    let mut all = 0_u64;
    let texts = || (0..subject.sample.len()).map(|at| vocabulary.of(place, at));
    for words in texts() {
        all += words.len() as u64;
        for word in words {
            *single.entry(*word).or_default() += 1;
        }
        for pair in words.windows(2) {
            if let [a, b] = pair
                && fits(*a)
                && fits(*b)
                && a != b
            {
                *pairs.entry((*a, *b)).or_default() += 1;
            }
        }
    }
    let total = all.max(1) as f64;
    let of = |w: u32| single.get(&w).copied().unwrap_or(1) as f64 / total;
    pairs.retain(|_, n| *n >= LEAST);
    let mut strong: Vec<((u32, u32), u64, f64)> = pairs
        .into_iter()
        .map(|((a, b), n)| {
            let p = n as f64 / total;
            ((a, b), n, (p / (of(a) * of(b))).ln() / -p.ln())
        })
        .filter(|(_, _, npmi)| *npmi >= BELONG)
        .collect();
    strong.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let known: std::collections::HashSet<(u32, u32)> = strong.iter().map(|(pair, _, _)| *pair).collect();
    let mut merged = 0;
    for words in texts() {
        let mut at = 0;
        while let [a, b] = words.get(at..at + 2).unwrap_or_default() {
            let joined = known.contains(&(*a, *b));
            merged += u64::from(joined);
            at += if joined { 2 } else { 1 };
        }
    }
    let name = |(a, b): (u32, u32)| format!("{} {}", vocabulary.name(a), vocabulary.name(b));
    let commonest = strong.into_iter().take(shown).map(|(pair, n, npmi)| (name(pair), n, npmi)).collect();
    Compounds { syllables: all, words: all - merged, commonest }
}
