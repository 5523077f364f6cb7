use std::collections::{BTreeMap, HashMap};

/// Characters of the n-grams that similarity is measured on: the same as `ingest` removes near duplicates by.
const GRAM: usize = 5;

/// A text as it is compared.
#[derive(Debug, Clone)]
pub(crate) struct Print {
    key: String,
    grams: Vec<u64>,
}

impl Print {
    /// The comparison key of a text and its 5-grams.
    pub(crate) fn of(text: &str) -> Self {
        let key = text::comparison_key(text);
        Self { grams: text::ngram_hashes(&key, GRAM), key }
    }
}

/// Texts that must not be written again, each with a name to give in the verdict.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    by_key: BTreeMap<String, usize>,
    texts: Vec<(String, Vec<u64>)>,
}

impl Known {
    /// Adds a text under a name.
    pub(crate) fn add(&mut self, name: String, print: Print) {
        self.by_key.entry(print.key).or_insert(self.texts.len());
        self.texts.push((name, print.grams));
    }

    /// The most similar text if it is at least this similar (Jaccard of 5-grams; an equal comparison key counts as 1).
    pub(crate) fn find(&self, print: &Print, threshold: f64) -> Option<(&str, f64)> {
        if let Some((name, _)) = self.by_key.get(&print.key).and_then(|i| self.texts.get(*i)) {
            return Some((name, 1.0));
        }
        let mut best: Option<(&str, f64)> = None;
        for (name, grams) in &self.texts {
            // Sets of too different a size cannot be similar: Jaccard is at most the ratio of the sizes.
            let (small, large) = (grams.len().min(print.grams.len()), grams.len().max(print.grams.len()));
            if (small as f64) < threshold * large as f64 {
                continue;
            }
            let similarity = text::jaccard(grams, &print.grams);
            if similarity >= threshold && best.is_none_or(|(_, b)| similarity > b) {
                best = Some((name, similarity));
            }
        }
        best
    }
}

/// Runs of words of some texts, each with the name of the first text that has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs {
    length: usize,
    names: HashMap<String, String>,
}

impl Runs {
    /// Runs of `length` words; with 0 nothing is ever shared.
    pub(crate) fn of(length: usize) -> Self {
        Self { length, names: HashMap::new() }
    }

    fn each(length: usize, text: &str) -> Vec<String> {
        if length == 0 {
            return Vec::new();
        }
        let words: Vec<String> = text::words(text).collect();
        words.windows(length).map(|run| run.join(" ")).collect()
    }

    /// Adds the runs of a text.
    pub(crate) fn add(&mut self, name: &str, text: &str) {
        for run in Self::each(self.length, text) {
            self.names.entry(run).or_insert_with(|| name.to_owned());
        }
    }

    /// The first run that a text shares, with the name of where it is from.
    pub(crate) fn find(&self, text: &str) -> Option<(String, &str)> {
        let shared = |run: String| self.names.get(&run).map(|name| (run, name.as_str()));
        Self::each(self.length, text).into_iter().find_map(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_and_similar_texts_are_found_and_others_are_not() {
        let mut known = Known::default();
        known.add("first".into(), Print::of("Net sales of the mill rose to 10 million euros in May"));
        let find = |text: &str| known.find(&Print::of(text), 0.8);
        assert_eq!(find("NET SALES of the mill rose to 10 million euros, in May!"), Some(("first", 1.0)));
        let near = find("Net sales of the mill rose to 10 million euros in June").unwrap();
        assert!(near.1 >= 0.8 && near.1 < 1.0, "{near:?}");
        assert_eq!(find("The bank cut its dividend after a heavy loss in the spring"), None);
    }

    #[test]
    fn a_run_of_words_is_found_inside_another_sentence() {
        let mut runs = Runs::of(8);
        runs.add("row 7", "Net sales of the mill rose to 10 million euros in May");
        let (run, name) = runs.find("In June, net sales of the mill rose to 10 million crowns.").unwrap();
        assert_eq!((run.as_str(), name), ("net sales of the mill rose to 10", "row 7"));
        assert_eq!(runs.find("Net sales of the mill rose to 9 million euros in May"), None);
        assert_eq!(Runs::of(0).find("anything at all"), None);
    }
}
