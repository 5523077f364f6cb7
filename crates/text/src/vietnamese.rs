//! The parts of Vietnamese spelling that a pipeline made for English gets wrong.

use crate::key::TONES;
use crate::syllable::has_form;
use unicode_normalization::{UnicodeNormalization, is_nfc, is_nfd};

/// How the letters of a text are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnicodeForm {
    /// No letter with a mark.
    Plain,
    /// Each letter with its marks is one character where Unicode has one (NFC).
    Composed,
    /// Letters and marks are characters of their own (NFD).
    Decomposed,
    /// Some one way, some the other.
    Mixed,
}

/// How the letters of a text are encoded. Equal-looking texts of different forms are different to a tokenizer.
///
/// ```
/// use text::{UnicodeForm, unicode_form};
/// assert_eq!(unicode_form("tiếng"), UnicodeForm::Composed);
/// assert_eq!(unicode_form("tie\u{302}\u{301}ng"), UnicodeForm::Decomposed);
/// assert_eq!(unicode_form("tiếng vie\u{323}\u{302}t"), UnicodeForm::Mixed);
/// ```
pub fn unicode_form(text: &str) -> UnicodeForm {
    if text.is_ascii() {
        UnicodeForm::Plain
    } else if is_nfc(text) {
        UnicodeForm::Composed
    } else if is_nfd(text) {
        UnicodeForm::Decomposed
    } else {
        UnicodeForm::Mixed
    }
}

/// How many syllables that end in a wavering rhyme have the tone mark on the first vowel (`hòa`, the older place) and how many
/// on the second (`hoà`). Give lower-case NFC text.
///
/// ```
/// assert_eq!(text::tone_placement("hoà bình, hòa nhạc, quý, thuỷ"), (1, 2));
/// ```
pub fn tone_placement(lower: &str) -> (u32, u32) {
    let (mut old, mut new) = (0, 0);
    if lower.is_ascii() {
        return (old, new);
    }
    for word in lower.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_ascii()) {
        let before = word.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
        let (head, rhyme) = word.split_at(before);
        if head.ends_with('q') {
            continue;
        }
        old += u32::from(TONES.iter().any(|(_, o)| *o == rhyme));
        new += u32::from(TONES.iter().any(|(n, _)| *n == rhyme));
    }
    (old, new)
}

/// Characters that look like the Vietnamese Đ and đ and are others: Icelandic Ð and ð, African Ɖ and ɖ.
pub fn look_alikes(text: &str) -> usize {
    text.chars().filter(|c| matches!(c, 'Ð' | 'ð' | 'Ɖ' | 'ɖ')).count()
}

/// Whether a lower-case word, with or without marks, has the form of one Vietnamese syllable: onset, one to three
/// vowels, coda.
///
/// ```
/// assert!(text::is_syllable("nghiêng") && text::is_syllable("đã") && !text::is_syllable("market"));
/// ```
pub fn is_syllable(word: &str) -> bool {
    if word.is_ascii() { has_form(word) } else { has_form(&without_marks(word)) }
}

/// The text without tone and vowel marks, đ as d: how people write who cannot or will not type marks.
///
/// ```
/// assert_eq!(text::without_marks("Đường phố Hà Nội"), "Duong pho Ha Noi");
/// ```
pub fn without_marks(text: &str) -> String {
    let bare = text.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    bare.map(|c| {
        if c == 'đ' {
            'd'
        } else if c == 'Đ' {
            'D'
        } else {
            c
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_syllables_waver_and_qu_never_does() {
        assert_eq!(tone_placement("hoàng toán quá quỳ loè loẹt"), (0, 1));
        assert_eq!(tone_placement("khỏe, ủy ban: thúy. thuý"), (3, 1));
        assert_eq!(tone_placement("profit rose 5 %"), (0, 0));
        assert_eq!(tone_placement("à"), (0, 0));
    }

    #[test]
    fn a_letter_that_only_looks_like_d_with_stroke_is_found() {
        assert_eq!((look_alikes("Ðà Nẵng, ðang"), look_alikes("Đà Nẵng, đang")), (2, 0));
    }

    #[test]
    fn vietnamese_words_are_syllables_and_english_ones_mostly_not() {
        for word in ["người", "nghiệp", "ở", "quyển", "giảng", "xoong", "khuya"] {
            assert!(is_syllable(word), "{word}");
        }
        for word in ["profit", "shares", "stronger", "", "x", "usd"] {
            assert!(!is_syllable(word), "{word}");
        }
    }

    #[test]
    fn marks_come_off_in_either_form() {
        assert_eq!(without_marks("tie\u{302}\u{301}ng Việt"), "tieng Viet");
    }
}
