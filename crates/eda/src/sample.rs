use crate::key_table::Identity;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::hash::BuildHasherDefault;

/// A text of the sample with all its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleText {
    /// The text as first met.
    pub text: String,
    /// What it is compared by: its comparison key.
    pub key: String,
    /// Where it was first met, by row from 0.
    pub row: u64,
    /// Length in characters (Unicode scalar values).
    pub characters: u32,
    /// Length in words.
    pub words: u32,
    /// Words that have the form of a Vietnamese syllable.
    pub syllables: u32,
    /// What else it has.
    pub marks: crate::Marks,
    /// Its rows by where they are from.
    pub occurrences: Vec<Occurrence>,
}

/// Rows of one text from one place with one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// Index of the split.
    pub split: usize,
    /// Index of the source, where it is known.
    pub source: Option<usize>,
    /// Index of the label, where there is one.
    pub label: Option<usize>,
    /// Whether a model wrote it.
    pub synthetic: bool,
    /// How many rows.
    pub rows: u64,
}

impl SampleText {
    /// Rows of this text.
    pub fn rows(&self) -> u64 {
        self.occurrences.iter().map(|o| o.rows).sum()
    }

    /// The label of most of its rows that `counts` holds of; the lower index wins a tie.
    pub fn label_where(&self, counts: impl Fn(&Occurrence) -> bool) -> Option<usize> {
        // Nearly every text has rows of one kind only.
        if let [only] = self.occurrences.as_slice() {
            return only.label.filter(|_| counts(only));
        }
        let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
        for o in self.occurrences.iter().filter(|o| counts(o)) {
            if let Some(label) = o.label {
                *rows.entry(label).or_default() += o.rows;
            }
        }
        rows.into_iter().rev().max_by_key(|(_, n)| *n).map(|(label, _)| label)
    }

    /// Its only label; nothing where rows disagree or have none.
    pub fn only_label(&self) -> Option<usize> {
        let mut labels = self.occurrences.iter().filter_map(|o| o.label);
        let first = labels.next()?;
        labels.all(|l| l == first).then_some(first)
    }
}

/// Occurrences that are told apart for one text; more are counted with the last.
const PLACES: usize = 16;

/// The texts with the smallest hashes of their comparison keys: a uniform sample of the different texts, independent of the
/// order of the rows, in which each text has all its rows (bottom-k sampling: Cohen and Kaplan, PODC 2007).
#[derive(Debug)]
pub(crate) struct Sample {
    texts: HashMap<u64, SampleText, BuildHasherDefault<Identity>>,
    /// The hashes of the texts, the largest first.
    keys: BinaryHeap<u64>,
    size: usize,
    /// Whether a text was left out.
    pub(crate) partial: bool,
}

impl Sample {
    pub(crate) fn new(size: usize) -> Self {
        Self { texts: HashMap::default(), keys: BinaryHeap::new(), size: size.max(1), partial: false }
    }

    /// Whether a text with this hash would be in.
    pub(crate) fn wants(&self, key: u64) -> bool {
        self.texts.len() < self.size || self.keys.peek().is_some_and(|last| key <= *last)
    }

    /// Counts a row of a text that the sample wants.
    pub(crate) fn add(&mut self, key: u64, occurrence: Occurrence, make: impl FnOnce() -> SampleText) {
        let keys = &mut self.keys;
        let text = self.texts.entry(key).or_insert_with(|| {
            keys.push(key);
            make()
        });
        let same = |o: &Occurrence| {
            (o.split, o.source, o.label, o.synthetic)
                == (occurrence.split, occurrence.source, occurrence.label, occurrence.synthetic)
        };
        let full = text.occurrences.len() >= PLACES;
        match text.occurrences.iter().position(same).or(full.then_some(PLACES - 1)) {
            Some(place) => text.occurrences.get_mut(place).into_iter().for_each(|o| o.rows += occurrence.rows),
            None => text.occurrences.push(occurrence),
        }
        if self.texts.len() > self.size {
            if let Some(last) = self.keys.pop() {
                self.texts.remove(&last);
            }
            self.partial = true;
        }
    }

    /// The texts in the order of their hashes: any first part of them is a uniform sample too.
    pub(crate) fn into_texts(self) -> Vec<SampleText> {
        let mut texts = self.texts;
        self.keys.into_sorted_vec().iter().filter_map(|key| texts.remove(key)).collect()
    }
}

#[cfg(test)]
impl SampleText {
    /// A text without rows.
    pub(crate) fn of(text: &str) -> Self {
        let (facts, key) = crate::facts::Facts::of(text, 0, &[]);
        let (characters, words, syllables) = (facts.characters, facts.words, facts.syllables);
        let (text, occurrences) = (text.to_owned(), Vec::new());
        Self { text, key, row: 0, characters, words, syllables, marks: facts.marks, occurrences }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::hash;

    fn text(row: u64) -> SampleText {
        SampleText { row, ..SampleText::of(&row.to_string()) }
    }

    fn draw(order: impl Iterator<Item = u64>) -> Vec<SampleText> {
        let mut sample = Sample::new(50);
        for i in order {
            let key = hash(&(i % 1000).to_le_bytes());
            let occurrence = Occurrence { split: 0, source: None, label: Some(1), synthetic: false, rows: 1 };
            if sample.wants(key) {
                sample.add(key, occurrence, || text(i % 1000));
            } else {
                sample.partial = true;
            }
        }
        assert!(sample.partial);
        sample.into_texts()
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_every_row_of_a_text_counts() {
        let (up, down) = (draw(0..3000), draw((0..3000).rev()));
        assert_eq!(up, down);
        assert_eq!(up.len(), 50);
        assert!(up.iter().all(|t| t.rows() == 3));
    }

    #[test]
    fn most_rows_decide_the_label_and_a_disagreement_leaves_none() {
        let mut t = text(0);
        for (label, rows) in [(2, 3), (0, 4), (1, 4)] {
            t.occurrences.push(Occurrence { split: 0, source: None, label: Some(label), synthetic: false, rows });
        }
        assert_eq!((t.label_where(|_| true), t.only_label()), (Some(0), None));
        t.occurrences.truncate(1);
        assert_eq!(t.only_label(), Some(2));
    }
}
