//! How near a written answer comes to a reference answer. All figures lie in [0, 1], 1 for the reference itself.

use crate::nfc;
use std::collections::{BTreeMap, BTreeSet};

/// The words that count: NFC, lower case, runs of letters and digits; in English without articles.
fn normal_words(text: &str, language: &str) -> Vec<String> {
    let article = |word: &str| language == "en" && matches!(word, "a" | "an" | "the");
    plain_words(text).filter(|word| !article(word)).collect()
}

fn plain_words(text: &str) -> impl Iterator<Item = String> {
    let lower = nfc(text).to_lowercase();
    let words: Vec<String> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect();
    words.into_iter()
}

/// Whether two answers are the same but for case, punctuation, white space and English articles (Rajpurkar et al., EMNLP
/// 2016).
///
/// ```
/// assert!(text::exact_match("The Bank of Japan.", "bank of japan", "en"));
/// assert!(!text::exact_match("an toàn", "toàn", "vi"));
/// ```
pub fn exact_match(answer: &str, reference: &str, language: &str) -> bool {
    normal_words(answer, language) == normal_words(reference, language)
}

/// F1 of the words of two answers, each as often as it occurs in both (same source). 1 if both are empty, 0 if one is.
///
/// ```
/// assert_eq!(text::token_f1("profit rose sharply", "the profit rose", "en"), 0.8);
/// ```
pub fn token_f1(answer: &str, reference: &str, language: &str) -> f64 {
    let (answer, reference) = (normal_words(answer, language), normal_words(reference, language));
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for word in &reference {
        *left.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    for word in &answer {
        if let Some(count) = left.get_mut(word.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    f1(shared, answer.len(), reference.len())
}

/// ROUGE-L: F1 of the longest common subsequence of words (Lin, ACL workshop 2004; the `rougeL` F-measure of the
/// rouge-score package, without stemming). 1 if both are empty, 0 if one is.
///
/// ```
/// assert!((text::rouge_l("the cat sat on the mat", "the cat on a mat") - 8.0 / 11.0).abs() < 1e-15);
/// ```
pub fn rouge_l(answer: &str, reference: &str) -> f64 {
    let answer: Vec<String> = plain_words(answer).collect();
    let reference: Vec<String> = plain_words(reference).collect();
    // One row of the table of common lengths at a time.
    let mut row = vec![0_usize; reference.len() + 1];
    for word in &answer {
        let mut diagonal = 0;
        for (at, other) in reference.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if word == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    f1(row.last().copied().unwrap_or(0), answer.len(), reference.len())
}

/// The entities listed in an answer: one a line or between semicolons, each `type: name` or a name alone. Case, white space and
/// list marks do not count, nor does order; `none` or `-` alone is the empty list.
///
/// ```
/// let found = text::parse_entities("- ORG: Nokia\n- ORG: nokia\nPERSON: A. Smith");
/// assert_eq!(found.len(), 2);
/// assert!(found.contains(&("org".into(), "nokia".into())));
/// ```
pub fn parse_entities(answer: &str) -> BTreeSet<(String, String)> {
    let tidy = |text: &str| crate::collapse_whitespace(&nfc(text).to_lowercase());
    answer
        .split(['\n', ';'])
        .map(|item| item.trim().trim_start_matches(['-', '*', '•']).trim().trim_end_matches(['.', ',']))
        .filter(|item| !item.is_empty() && !item.eq_ignore_ascii_case("none"))
        .map(|item| match item.split_once(':') {
            Some((kind, name)) => (tidy(kind), tidy(name)),
            None => (String::new(), tidy(item)),
        })
        .collect()
}

/// F1 of two lists of entities as [`parse_entities`] reads them: an entity counts if type and name agree. 1 if both lists are
/// empty, 0 if one is.
///
/// ```
/// assert_eq!(text::entity_f1("ORG: Nokia; PERSON: Smith", "ORG: Nokia"), 2.0 / 3.0);
/// ```
pub fn entity_f1(answer: &str, reference: &str) -> f64 {
    let (answer, reference) = (parse_entities(answer), parse_entities(reference));
    f1(answer.intersection(&reference).count(), answer.len(), reference.len())
}

/// 2·shared / (all of one + all of the other).
fn f1(shared: usize, answer: usize, reference: usize) -> f64 {
    if answer + reference == 0 { 1.0 } else { 2.0 * shared as f64 / (answer + reference) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_answers_are_the_same() {
        assert!(exact_match(&crate::nfd("lợi nhuận"), "Lợi nhuận!", "vi"));
        assert!((rouge_l(&crate::nfd("lợi nhuận tăng"), "lợi nhuận tăng") - 1.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_against_something_is_0_and_nothing_against_nothing_1() {
        for (a, b, expected) in [("", "", 1.0), ("x", "", 0.0), ("", "x", 0.0), ("...", "", 1.0)] {
            assert!((token_f1(a, b, "en") - expected).abs() < 1e-15);
            assert!((rouge_l(a, b) - expected).abs() < 1e-15);
        }
        assert!((entity_f1("none", "") - 1.0).abs() < 1e-15 && entity_f1("-", "ORG: X").abs() < 1e-15);
    }

    #[test]
    fn a_word_counts_as_often_as_it_is_in_both() {
        assert!((token_f1("up up up", "up down", "en") - 2.0 / 5.0).abs() < 1e-15);
    }

    #[test]
    fn a_type_that_is_wrong_is_an_entity_that_is_wrong() {
        assert!(entity_f1("PERSON: Nokia", "ORG: Nokia").abs() < 1e-15);
    }
}
