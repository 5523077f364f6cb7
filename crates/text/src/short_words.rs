//! The word lists of this crate as one table: which of them a word stands in, by one multiplication and one or two comparisons.

use crate::language::{ENGLISH, OTHER, VIETNAMESE};
use crate::register::{ENGLISH_CHAT, ENGLISH_NEGATIONS, VIETNAMESE_CHAT, VIETNAMESE_NEGATIONS};
use crate::stopwords::{ENGLISH_STOP_WORDS, VIETNAMESE_STOP_WORDS};
use std::sync::LazyLock;

/// Which lists a word stands in, by bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lists(u8);

impl Lists {
    pub(crate) const ENGLISH: Self = Self(1);
    pub(crate) const VIETNAMESE: Self = Self(2);
    pub(crate) const OTHER: Self = Self(4);
    pub(crate) const VIETNAMESE_CHAT: Self = Self(8);
    pub(crate) const ENGLISH_CHAT: Self = Self(16);
    pub(crate) const NEGATION: Self = Self(32);
    pub(crate) const STOP_WORD: Self = Self(64);

    /// The lists of a lower-case word.
    pub(crate) fn of(word: &str) -> Self {
        packed(word).map_or(Self(0), |key| TABLE.get(key))
    }

    pub(crate) fn has(self, list: Self) -> bool {
        self.0 & list.0 != 0
    }
}

/// The bytes of a word of one to eight, and their number: no two words are alike.
fn packed(word: &str) -> Option<(u64, u8)> {
    let bytes = word.as_bytes();
    let length = bytes.len();
    let number = match bytes {
        [] => return None,
        [a] => u64::from(*a),
        [a, b] => u64::from(*a) | u64::from(*b) << 8,
        [a, b, c] => u64::from(*a) | u64::from(*b) << 8 | u64::from(*c) << 16,
        // The first four and the last four overlap where there are fewer than eight, and agree there.
        _ if length <= 8 => {
            let (first, last) = (bytes.first_chunk::<4>()?, bytes.last_chunk::<4>()?);
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (length - 4))
        }
        _ => return None,
    };
    Some((number, length as u8))
}

/// Open addressing with linear steps; at most half full.
struct Table(Vec<((u64, u8), Lists)>);

const BITS: u32 = 10;

impl Table {
    fn start(key: (u64, u8)) -> usize {
        (key.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
    }

    /// The place of a key, or the free one where it belongs.
    fn place(&self, key: (u64, u8)) -> usize {
        let mut place = Self::start(key);
        while self.0[place].0 != key && self.0[place].0.1 != 0 {
            place = (place + 1) % self.0.len();
        }
        place
    }

    fn get(&self, key: (u64, u8)) -> Lists {
        self.0[self.place(key)].1
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table(vec![((0, 0), Lists(0)); 1 << BITS]);
    for (list, words) in ALL {
        // Longer words would be overlooked; a test says that there are none.
        for key in words.iter().filter_map(|word| packed(word)) {
            let place = table.place(key);
            let known = table.0[place].1;
            table.0[place] = (key, Lists(known.0 | list.0));
        }
    }
    table
});

const ALL: [(Lists, &[&str]); 9] = [
    (Lists::ENGLISH, ENGLISH),
    (Lists::VIETNAMESE, VIETNAMESE),
    (Lists::OTHER, OTHER),
    (Lists::VIETNAMESE_CHAT, VIETNAMESE_CHAT),
    (Lists::ENGLISH_CHAT, ENGLISH_CHAT),
    (Lists::NEGATION, VIETNAMESE_NEGATIONS),
    (Lists::NEGATION, ENGLISH_NEGATIONS),
    (Lists::STOP_WORD, ENGLISH_STOP_WORDS),
    (Lists::STOP_WORD, VIETNAMESE_STOP_WORDS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_of_every_word_what_the_lists_say() {
        let words = || ALL.iter().flat_map(|(_, words)| words.iter().copied());
        assert!(words().count() < 1 << (BITS - 1), "at most half full");
        let others = ["", "a\0", "o", "mar", "market\0", "markets", "companies", "ko\0", "thròng", "\0"];
        for word in words().chain(others) {
            for (list, _) in ALL {
                let listed = ALL.iter().any(|(l, words)| *l == list && words.contains(&word));
                assert_eq!(Lists::of(word).has(list), listed, "{word:?} {list:?}");
            }
        }
    }
}
