use std::collections::BTreeMap;

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
}
