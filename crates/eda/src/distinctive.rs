use crate::group::class;
use artifacts::rows::Example;
use std::collections::BTreeMap;
use text::{is_stop_word, words};

/// A word that occurs in one class more often than in the others.
#[derive(Debug, Clone, PartialEq)]
pub struct DistinctiveWord {
    /// The word, lower case.
    pub word: String,
    /// Log-odds ratio against the other classes, in standard deviations.
    pub z: f64,
    /// How often it occurs in the class.
    pub inside: u64,
    /// How often it occurs in the other classes.
    pub outside: u64,
}

/// The `count` most distinctive words of each class, by the log-odds ratio with an informative Dirichlet prior (Monroe,
/// Colaresi and Quinn, Political Analysis 16, 2008, eqs. 16 and 22): the prior of a word is its share in all classes
/// times `prior` words, which keeps words that occur once or twice from leading the list. Words without a letter and
/// function words are left out. Order: z descending, then the word.
pub fn distinctive_words(rows: &[&Example], count: usize, prior: f64) -> [Vec<DistinctiveWord>; 3] {
    let mut counts: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    for row in rows {
        for word in words(&row.text).filter(|w| w.chars().any(char::is_alphabetic) && !is_stop_word(w)) {
            crate::group::bump(counts.entry(word).or_default(), class(row.label));
        }
    }
    let mut totals = [0_u64; 3];
    for by_class in counts.values() {
        totals.iter_mut().zip(by_class).for_each(|(total, n)| *total += n);
    }
    let all: u64 = totals.iter().sum();
    [0, 1, 2].map(|k| {
        let of = |by_class: &[u64; 3]| by_class.get(k).copied().unwrap_or(0);
        let (inside_all, outside_all) = (of(&totals) as f64, (all - of(&totals)) as f64);
        let mut ranked: Vec<DistinctiveWord> = counts
            .iter()
            .map(|(word, by_class)| {
                let n: u64 = by_class.iter().sum();
                let (inside, outside) = (of(by_class), n - of(by_class));
                let weight = prior * n as f64 / all.max(1) as f64;
                let (y, rest) = (inside as f64 + weight, outside as f64 + weight);
                let odds = (y / (inside_all + prior - y)).ln() - (rest / (outside_all + prior - rest)).ln();
                DistinctiveWord { word: word.clone(), z: odds / (1.0 / y + 1.0 / rest).sqrt(), inside, outside }
            })
            .filter(|w| w.z.is_finite() && w.z > 0.0)
            .collect();
        ranked.sort_by(|a, b| b.z.total_cmp(&a.z).then_with(|| a.word.cmp(&b.word)));
        ranked.truncate(count);
        ranked
    })
}
