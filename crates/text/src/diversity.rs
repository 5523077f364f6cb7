use crate::words;
use std::collections::{BTreeMap, BTreeSet};

/// Longest runs of words that [`self_bleu`] compares.
const LONGEST: usize = 4;
/// What a precision of 0 counts as, in matching runs: nltk's first smoothing method (Chen and Cherry 2014).
const EPSILON: f64 = 0.1;

/// Distinct-n: different runs of `n` words over all runs of `n` words, in [0, 1] (Li et al., NAACL 2016). It falls with the
/// number of texts and with their length: compare only equal numbers of equally long texts. None where no text has `n` words.
///
/// ```
/// assert_eq!(text::distinct(["profit rose", "profit rose", "profit fell today"], 2), Some(0.75));
/// ```
pub fn distinct<'a>(texts: impl IntoIterator<Item = &'a str>, n: usize) -> Option<f64> {
    let mut different = BTreeSet::new();
    let mut all = 0_usize;
    for text in texts {
        let words: Vec<String> = words(text).collect();
        for run in words.windows(n.max(1)) {
            all += 1;
            different.insert(run.join(" "));
        }
    }
    (all > 0).then(|| different.len() as f64 / all as f64)
}

/// The two largest counts of a run of words in one text, and how many texts have the largest: enough to know the largest
/// count in all texts but one.
#[derive(Clone, Copy, Default)]
struct Largest {
    first: usize,
    second: usize,
}

/// Self-BLEU: the mean BLEU-4 of each text with all others as its references, in [0, 1] (Zhu et al., SIGIR 2018); high where
/// texts repeat each other. Words in lower case; clipped precisions of runs of 1 to 4 words in geometric mean, those of 0
/// smoothed; brevity penalty by the reference closest in length (Papineni et al., ACL 2002). It grows with the number of
/// texts: compare only equal numbers. None with fewer than two texts that have words.
///
/// ```
/// let score = text::self_bleu(&["net profit rose in May", "net profit rose in May"]).unwrap();
/// assert!((score - 1.0).abs() < 1e-12);
/// ```
pub fn self_bleu<T: AsRef<str>>(texts: &[T]) -> Option<f64> {
    let texts: Vec<Vec<String>> =
        texts.iter().map(|t| words(t.as_ref()).collect()).filter(|w: &Vec<String>| !w.is_empty()).collect();
    if texts.len() < 2 {
        return None;
    }
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    for text in &texts {
        *lengths.entry(text.len()).or_default() += 1;
    }
    let counts: Vec<[BTreeMap<String, usize>; LONGEST]> =
        texts.iter().map(|text| std::array::from_fn(|n| runs(text, n + 1))).collect();
    let mut largest: [BTreeMap<&str, Largest>; LONGEST] = Default::default();
    for of_text in &counts {
        for (of_length, largest) in of_text.iter().zip(&mut largest) {
            for (run, count) in of_length {
                let entry = largest.entry(run).or_default();
                if *count > entry.first {
                    *entry = Largest { first: *count, second: entry.first };
                } else {
                    entry.second = entry.second.max(*count);
                }
            }
        }
    }
    let mut sum = 0.0;
    for (text, of_text) in texts.iter().zip(&counts) {
        let mut logs = 0.0;
        let mut any = false;
        for (n, (of_length, largest)) in of_text.iter().zip(&largest).enumerate() {
            let mut shared = 0;
            for (run, count) in of_length {
                let most = largest.get(run.as_str()).copied().unwrap_or_default();
                // Without this text itself.
                let elsewhere = if most.first == *count { most.second } else { most.first };
                shared += (*count).min(elsewhere);
            }
            any |= shared > 0;
            let all = text.len().saturating_sub(n).max(1) as f64;
            logs += (if shared == 0 { EPSILON } else { shared as f64 } / all).ln();
        }
        // Without a common word there is nothing to smooth.
        if any {
            sum += penalty(text.len(), &lengths) * (logs / LONGEST as f64).exp();
        }
    }
    Some(sum / texts.len() as f64)
}

fn runs(words: &[String], n: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for run in words.windows(n) {
        *counts.entry(run.join(" ")).or_default() += 1;
    }
    counts
}

/// exp(1 − r/c) for a text of c words shorter than r, the length of the other text closest to it (the shorter of two).
fn penalty(length: usize, lengths: &BTreeMap<usize, usize>) -> f64 {
    let others = lengths.iter().filter(|(l, n)| **l != length || **n > 1).map(|(l, _)| *l);
    let closest = others.min_by_key(|l| (l.abs_diff(length), *l)).unwrap_or(length);
    if length >= closest { 1.0 } else { (1.0 - closest as f64 / length as f64).exp() }
}

/// How many times smaller the texts, one a line, become by compression (Zstandard, level 19): 3 means a third. High where texts
/// repeat each other (Shaib et al. 2024, who use gzip). It grows with the amount of text: compare only equal amounts.
/// None without text.
pub fn compression_ratio<T: AsRef<str>>(texts: &[T]) -> Option<f64> {
    let mut all = String::new();
    for text in texts {
        all.push_str(text.as_ref());
        all.push('\n');
    }
    let packed = zstd::bulk::compress(all.as_bytes(), 19).ok()?;
    (!texts.is_empty()).then(|| all.len() as f64 / packed.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_a_common_word_have_no_self_bleu_and_repeated_ones_all_of_it() {
        let apart = self_bleu(&["one two three four", "five six seven eight"]).unwrap();
        assert!(apart.abs() < 1e-12, "{apart}");
        let same = self_bleu(&["one two three four"; 3]).unwrap();
        assert!((same - 1.0).abs() < 1e-12);
        assert_eq!(self_bleu(&["alone"]), None);
    }

    #[test]
    fn a_text_is_not_its_own_reference() {
        // `a a` occurs twice only in the first text: clipped to what the second has, none.
        let score = self_bleu(&["a a a", "a b c"]).unwrap();
        let each = ((1.0 / 3.0_f64).ln() + (EPSILON / 2.0).ln() + EPSILON.ln() + EPSILON.ln()) / 4.0;
        assert!((score - each.exp()).abs() < 1e-12, "{score}");
    }

    #[test]
    fn repeated_text_compresses_better() {
        let varied: Vec<String> =
            (0..50).map(|i| format!("text {} has {} words", i * 7919 % 101, i * 31 % 17)).collect();
        let repeated = vec!["text 5 has 3 words"; 50];
        assert!(compression_ratio(&repeated).unwrap() > 2.0 * compression_ratio(&varied).unwrap());
        assert_eq!(compression_ratio::<&str>(&[]), None);
    }
}
