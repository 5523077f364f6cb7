use crate::{Lengths, Mark};
use artifacts::rows::Language;
use std::collections::BTreeMap;
use text::Detected;

/// The rows of one subject in one split.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Index of the split.
    pub split: usize,
    /// How many rows.
    pub rows: u64,
    /// Rows without text.
    pub without_text: u64,
    /// Rows without label.
    pub without_label: u64,
    /// Rows that a model wrote.
    pub synthetic: u64,
    /// Rows of each label, by its index.
    pub labels: Vec<u64>,
    /// Length in characters (Unicode scalar values).
    pub characters: Lengths,
    /// Length in words.
    pub words: Lengths,
    /// Words that have the form of a Vietnamese syllable.
    pub syllables: Lengths,
    /// Rows of each label by source.
    pub sources: BTreeMap<usize, Vec<u64>>,
    /// Rows with each mark, in the order of [`Mark::ALL`].
    pub marks: [u64; Mark::ALL.len()],
    /// Rows that are clearly English, Vietnamese, something else, and undecided.
    pub detected: [u64; 4],
    /// Rows that contain the name of their own label.
    pub label_words: u64,
    /// Rows that cannot be read, by reason.
    pub unreadable: BTreeMap<String, u64>,
    /// Rows to show, by [`Example::place`].
    pub(crate) examples: Vec<Vec<String>>,
    /// The longest texts: words, row and text.
    pub(crate) longest: Vec<(u32, String)>,
}

/// What a row is an example of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Example {
    Marked(Mark),
    Detected(usize),
    LabelWord,
    WithoutText,
    WithoutLabel,
    Unreadable,
    Label(usize),
}

impl Example {
    /// Its place in a list.
    fn place(self) -> usize {
        const MARKS: usize = Mark::ALL.len();
        match self {
            Self::Marked(mark) => mark as usize,
            Self::Detected(language) => MARKS + language.min(3),
            Self::LabelWord => MARKS + 4,
            Self::WithoutText => MARKS + 5,
            Self::WithoutLabel => MARKS + 6,
            Self::Unreadable => MARKS + 7,
            Self::Label(label) => MARKS + 8 + label,
        }
    }
}

impl Group {
    pub(crate) fn new(split: usize) -> Self {
        Self {
            split,
            rows: 0,
            without_text: 0,
            without_label: 0,
            synthetic: 0,
            labels: Vec::new(),
            characters: Lengths::default(),
            words: Lengths::default(),
            syllables: Lengths::default(),
            sources: BTreeMap::new(),
            marks: [0; Mark::ALL.len()],
            detected: [0; 4],
            label_words: 0,
            unreadable: BTreeMap::new(),
            examples: Vec::new(),
            longest: Vec::new(),
        }
    }

    /// Rows with a mark.
    pub fn marked(&self, mark: Mark) -> u64 {
        self.marks.get(mark as usize).copied().unwrap_or(0)
    }

    /// A number of rows as a share of all.
    pub fn share(&self, rows: u64) -> f64 {
        rows as f64 / self.rows.max(1) as f64
    }

    /// Rows of a label.
    pub fn of_label(&self, label: usize) -> u64 {
        self.labels.get(label).copied().unwrap_or(0)
    }

    /// Keeps a row to show, if there is room.
    pub(crate) fn keep(&mut self, of: Example, limit: usize, line: impl FnOnce() -> String) {
        let place = of.place();
        if self.examples.len() <= place {
            self.examples.resize(place + 1, Vec::new());
        }
        if let Some(lines) = self.examples.get_mut(place).filter(|lines| lines.len() < limit) {
            lines.push(line());
        }
    }

    /// The rows kept as examples of something.
    pub(crate) fn shown(&self, of: Example) -> Vec<String> {
        self.examples.get(of.place()).cloned().unwrap_or_default()
    }

    /// Rows that are clearly in another language than the stated one; where none is stated, than the commonest one.
    pub fn in_other_language(&self, stated: Option<Language>) -> u64 {
        let expected = self.expected(stated);
        (0..3).filter(|i| *i != expected).filter_map(|i| self.detected.get(i)).sum()
    }

    pub(crate) fn expected(&self, stated: Option<Language>) -> usize {
        match stated {
            Some(Language::English) => 0,
            Some(Language::Vietnamese) => 1,
            None => (0..3).rev().max_by_key(|i| self.detected.get(*i)).unwrap_or(0),
        }
    }
}

/// The place of a language in [`Group::detected`].
pub(crate) fn place_of(detected: Detected, confidence: f64, limit: f64) -> usize {
    match detected {
        _ if confidence < limit => 3,
        Detected::English => 0,
        Detected::Vietnamese => 1,
        Detected::Other => 2,
        Detected::Unknown => 3,
    }
}

/// Counts one in a list that grows as needed.
pub(crate) fn bump(counts: &mut Vec<u64>, index: usize) {
    if counts.len() <= index {
        counts.resize(index + 1, 0);
    }
    if let Some(count) = counts.get_mut(index) {
        *count += 1;
    }
}
