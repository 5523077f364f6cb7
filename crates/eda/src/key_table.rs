use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Splits that are told apart within one text; later ones count as the last.
pub(crate) const SPLITS: usize = 4;

/// How often each text occurs, in bounded memory.
///
/// Up to `budget` different texts every count is exact. When one more comes, only texts whose hash begins with a zero bit are
/// kept, then with two, and so on (distinct sampling: Gibbons, VLDB 2001). What is kept was counted from its first row,
/// so it is a uniform sample of the different texts with exact counts, and totals are estimated by its scale.
#[derive(Debug)]
pub(crate) struct KeyTable {
    entries: HashMap<u64, Entry, BuildHasherDefault<Identity>>,
    /// Bits of the hash that must be zero.
    level: u32,
    budget: usize,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Entry {
    /// Rows in each split.
    pub(crate) rows: [u32; SPLITS],
    /// The labels it was met with, by bit.
    pub(crate) labels: u32,
    pub(crate) subject: u8,
}

impl Entry {
    pub(crate) fn total(&self) -> u64 {
        self.rows.iter().map(|n| u64::from(*n)).sum()
    }

    fn splits(&self) -> usize {
        self.rows.iter().filter(|n| **n > 0).count()
    }
}

/// What a row was to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Rows of the same text before.
    pub(crate) before: u64,
    /// The labels of those rows, by bit.
    pub(crate) labels: u32,
    /// It has a label that none of them had.
    pub(crate) second_label: bool,
    /// It is the first of its split, and there were rows in others.
    pub(crate) second_split: bool,
}

/// Texts that occur more than once, of one subject.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repeats {
    /// Different texts.
    pub texts: u64,
    /// Rows beyond the first of each text, within each split.
    pub copies: Vec<u64>,
    /// Rows beyond the first of each text.
    pub copies_in_all: u64,
    /// Texts in more than one split.
    pub across: u64,
    /// Texts with more than one label.
    pub conflicting: u64,
    /// Rows of these texts.
    pub conflicting_rows: u64,
    /// How many texts occur how often: (times, texts), the commonest first, at most eight.
    pub multiplicities: Vec<(u64, u64)>,
    /// Whether the figures are exact; otherwise they are scaled up from a uniform sample of the texts.
    pub exact: bool,
}

impl KeyTable {
    pub(crate) fn new(budget: usize) -> Self {
        Self { entries: HashMap::default(), level: 0, budget: budget.max(1) }
    }

    /// Counts a row; nothing for a text outside the sample.
    pub(crate) fn add(&mut self, key: u64, subject: u8, split: usize, label: Option<u8>) -> Option<Seen> {
        // Texts of two subjects are never the same text.
        let key = key ^ u64::from(subject).wrapping_mul(0x9e37_79b9);
        if !self.holds(key) {
            return None;
        }
        let bit = label.map_or(0, |l| 1_u32 << l.min(31));
        let entry = self.entries.entry(key).or_insert(Entry { subject, ..Entry::default() });
        let before = entry.total();
        let cell = entry.rows.get_mut(split.min(SPLITS - 1))?;
        let seen = Seen {
            before,
            labels: entry.labels,
            second_label: entry.labels != 0 && bit != 0 && entry.labels & bit == 0,
            second_split: before > 0 && *cell == 0,
        };
        *cell = cell.saturating_add(1);
        entry.labels |= bit;
        while self.entries.len() > self.budget && self.level < 60 {
            self.level += 1;
            let level = self.level;
            self.entries.retain(|key, _| key >> (64 - level) == 0);
            self.entries.shrink_to(self.budget);
        }
        Some(seen)
    }

    /// Rows of a text so far, where it is in the sample.
    pub(crate) fn rows(&self, key: u64, subject: u8) -> Option<u64> {
        self.entries.get(&(key ^ u64::from(subject).wrapping_mul(0x9e37_79b9))).map(Entry::total)
    }

    fn holds(&self, key: u64) -> bool {
        self.level == 0 || key >> (64 - self.level) == 0
    }

    /// The figures of one subject.
    pub(crate) fn repeats(&self, subject: u8) -> Repeats {
        let scale = 1_u64 << self.level;
        let mut found = Repeats { copies: vec![0; SPLITS], exact: self.level == 0, ..Repeats::default() };
        let mut times: std::collections::BTreeMap<u64, u64> = std::collections::BTreeMap::new();
        let mut count = |entry: &Entry| {
            let total = entry.total();
            found.texts += scale;
            found.copies_in_all += (total - 1) * scale;
            for (copies, rows) in found.copies.iter_mut().zip(entry.rows) {
                *copies += u64::from(rows.saturating_sub(1)) * scale;
            }
            found.across += u64::from(entry.splits() > 1) * scale;
            if entry.labels.count_ones() > 1 {
                found.conflicting += scale;
                found.conflicting_rows += total * scale;
            }
            *times.entry(total).or_default() += scale;
        };
        self.entries.values().filter(|e| e.subject == subject).for_each(&mut count);
        let mut times: Vec<(u64, u64)> = times.into_iter().collect();
        times.sort_by_key(|(n, texts)| (std::cmp::Reverse(*texts), *n));
        times.truncate(8);
        found.multiplicities = times;
        found
    }
}

/// The keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        // The table looks at the highest bits, and those of a sample are all zero.
        self.0 = value.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::hash;

    fn filled(texts: u64, budget: usize) -> KeyTable {
        let mut table = KeyTable::new(budget);
        for round in 0..3_u8 {
            for i in 0..texts {
                // Text i occurs three times if it is divisible by four, otherwise once; every tenth in two splits.
                if round == 0 || i % 4 == 0 {
                    let split = usize::from(round > 0 && i % 10 == 0);
                    table.add(hash(&i.to_le_bytes()), 0, split, Some(if i % 100 == 0 { round } else { 0 }));
                }
            }
        }
        table
    }

    #[test]
    fn within_the_budget_every_count_is_exact() {
        let found = filled(1000, 1000).repeats(0);
        assert!(found.exact);
        assert_eq!((found.texts, found.copies_in_all, found.across, found.conflicting), (1000, 500, 50, 10));
        assert_eq!(found.multiplicities, [(1, 750), (3, 250)]);
        assert_eq!(found.conflicting_rows, 30);
        assert_eq!(found.copies[..2], [400, 50]);
    }

    #[test]
    fn beyond_the_budget_memory_stays_and_estimates_are_close() {
        let table = filled(200_000, 10_000);
        assert!(table.entries.len() <= 10_000 && table.entries.capacity() < 40_000);
        let found = table.repeats(0);
        assert!(!found.exact);
        let near = |estimate: u64, truth: f64, tolerance: f64| {
            assert!((estimate as f64 / truth - 1.0).abs() < tolerance, "{estimate} for {truth}");
        };
        // About 6,000 texts are kept: relative errors of 1.3 % for all texts and 2.6 % for a quarter of them; four of those.
        near(found.texts, 200_000.0, 0.06);
        near(found.copies_in_all, 100_000.0, 0.11);
        near(found.across, 10_000.0, 0.25);
    }

    #[test]
    fn a_second_label_and_a_second_split_are_told_when_they_come() {
        let mut table = KeyTable::new(10);
        let seen = |t: &mut KeyTable, split, label| t.add(7, 0, split, label).unwrap();
        assert_eq!(
            seen(&mut table, 0, Some(1)),
            Seen { before: 0, labels: 0, second_label: false, second_split: false }
        );
        assert_eq!(seen(&mut table, 0, None), Seen { before: 1, labels: 2, second_label: false, second_split: false });
        assert_eq!(seen(&mut table, 1, Some(2)), Seen { before: 2, labels: 2, second_label: true, second_split: true });
        assert_eq!(table.add(7, 1, 0, Some(3)).unwrap().before, 0, "another subject");
    }
}
