use crate::{Mark, Marks};
use text::{Detected, LanguageEvidence, comparison_key, each_word};

/// What one look at a text tells: the same for all its copies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Facts {
    /// Hash of the text's bytes.
    pub(crate) raw: u64,
    /// Hash of its comparison key.
    pub(crate) key: u64,
    pub(crate) characters: u32,
    pub(crate) words: u32,
    /// Words that have the form of a Vietnamese syllable.
    pub(crate) syllables: u32,
    pub(crate) marks: Marks,
    /// Which of the expected labels the text names, by bit.
    pub(crate) names: u32,
    pub(crate) detected: Detected,
    pub(crate) confidence: f32,
}

impl Facts {
    /// Looks at a text whose hash is `raw`. `labels` are lower case. Also returned: its comparison key.
    pub(crate) fn of(text: &str, raw: u64, labels: &[String]) -> (Self, String) {
        let mut marks = Marks::of_characters(text);
        let (mut count, mut syllables, mut names) = (0, 0, 0);
        let mut evidence = LanguageEvidence::default();
        // No word goes across white space.
        for token in text.split_whitespace() {
            marks.look_at(token);
            let counts = LanguageEvidence::counts(token);
            each_word(token, |word| {
                count += 1;
                syllables += u32::from(text::is_syllable(word));
                marks.set(Mark::ChatVietnamese, text::is_vietnamese_chat(word));
                marks.set(Mark::ChatEnglish, text::is_english_chat(word));
                marks.set(Mark::Negation, text::is_negation(word));
                if let Some(place) = labels.iter().take(32).position(|l| *l == word) {
                    names |= 1 << place;
                }
                if counts {
                    evidence.add(word);
                }
            });
        }
        marks.set(Mark::NoWord, count == 0);
        let guess = evidence.guess();
        let key = comparison_key(text);
        let facts = Self {
            raw,
            key: hash(key.as_bytes()),
            characters: text.chars().count() as u32,
            words: count,
            syllables,
            marks,
            names,
            detected: guess.language,
            confidence: guess.confidence as f32,
        };
        (facts, key)
    }
}

/// 64 bits of the blake3: among 10 million different texts two share a hash with a probability of 3 in a million.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(blake3::hash(bytes).as_bytes().first_chunk::<8>().unwrap_or(&[0; 8]));
    u64::from_le_bytes(first)
}

/// Facts of texts met lately, by hash: files that repeat their rows are read at the speed of hashing. Of fixed size.
pub(crate) struct Cache(Vec<Option<Facts>>);

impl Cache {
    /// A cache of 2^`bits` places.
    pub(crate) fn new(bits: u32) -> Self {
        Self(vec![None; 1 << bits])
    }

    fn place(&self, raw: u64) -> usize {
        raw as usize & (self.0.len() - 1)
    }

    pub(crate) fn get(&self, raw: u64) -> Option<Facts> {
        self.0.get(self.place(raw)).copied().flatten().filter(|f| f.raw == raw)
    }

    pub(crate) fn put(&mut self, facts: Facts) {
        let place = self.place(facts.raw);
        if let Some(slot) = self.0.get_mut(place) {
            *slot = Some(facts);
        }
    }
}
