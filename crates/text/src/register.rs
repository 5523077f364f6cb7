//! How people write: chat spelling, and the small words that turn a sentence round.

use crate::short_words::Lists;

/// Vietnamese chat spelling (`teencode`) that no dictionary has. One-letter forms other than `k` and `j` are left out: they
/// are as often initials.
pub(crate) const VIETNAMESE_CHAT: &[&str] = &[
    "bik", "bn", "bt", "bít", "cg", "cug", "cux", "cx", "cũg", "dc", "dzui", "dzậy", "hem", "hix", "hok", "hông", "iu",
    "j", "k", "kg", "khg", "khog", "khôg", "ko", "kô", "lm", "lun", "mn", "mng", "mún", "ng", "nhg", "nhiu", "nhìu",
    "nhưg", "ns", "ntn", "nx", "oki", "rùi", "thik", "thíc", "thík", "trc", "trog", "uhm", "vl", "vs", "wa", "wan",
    "wá", "yk", "zay", "zui", "zầy", "zậy", "zới", "đag", "đc", "đk",
];

/// English chat spelling. One-letter forms are left out: `u` is half of `U.S.`.
pub(crate) const ENGLISH_CHAT: &[&str] = &[
    "aint", "bro", "btw", "cant", "coz", "cuz", "didnt", "doesnt", "dont", "dunno", "fomo", "gonna", "gotta", "hodl",
    "idk", "ima", "imho", "imo", "isnt", "kinda", "lmao", "lol", "lotta", "nah", "omg", "pls", "plz", "rofl", "smh",
    "tbh", "tho", "thx", "ur", "wanna", "wasnt", "wont", "wtf", "yall", "yolo", "yup",
];

/// Vietnamese words that deny, with their chat spellings.
pub const VIETNAMESE_NEGATIONS: &[&str] =
    &["chưa", "chả", "chẳng", "chớ", "không", "ko", "kg", "khg", "khỏi", "hok", "đâu", "đừng"];

/// English words that deny; those ending in `n't` count too.
pub const ENGLISH_NEGATIONS: &[&str] =
    &["cannot", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "without"];

/// Whether a lower-case word is Vietnamese chat spelling.
///
/// ```
/// assert!(text::is_vietnamese_chat("ko") && !text::is_vietnamese_chat("không"));
/// ```
pub fn is_vietnamese_chat(word: &str) -> bool {
    Lists::of(word).has(Lists::VIETNAMESE_CHAT)
}

/// Whether a lower-case word is English chat spelling.
pub fn is_english_chat(word: &str) -> bool {
    Lists::of(word).has(Lists::ENGLISH_CHAT)
}

/// Whether a lower-case word denies, in English or Vietnamese. Common stop lists hold these words; removing them turns
/// `không hay` (not interesting) into `hay` (interesting).
///
/// ```
/// assert!(text::is_negation("không") && text::is_negation("doesn't") && !text::is_negation("hay"));
/// ```
pub fn is_negation(word: &str) -> bool {
    Lists::of(word).has(Lists::NEGATION) || word.ends_with("n't") || word.ends_with("n’t")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_stop_word;

    #[test]
    fn no_stop_word_of_ours_is_a_negation_or_chat_spelling() {
        for word in VIETNAMESE_NEGATIONS.iter().chain(ENGLISH_NEGATIONS) {
            assert!(!is_stop_word(word), "{word}");
        }
        for word in VIETNAMESE_CHAT.iter().chain(ENGLISH_CHAT) {
            assert!(!is_stop_word(word), "{word}");
        }
    }

    #[test]
    fn the_lists_are_sorted() {
        assert!(VIETNAMESE_CHAT.is_sorted() && ENGLISH_CHAT.is_sorted());
    }

    #[test]
    fn standard_words_are_no_chat_spelling() {
        for word in ["không", "được", "nhiều", "biết", "thích", "profit", "don't", "for"] {
            assert!(!is_vietnamese_chat(word) && !is_english_chat(word), "{word}");
        }
    }
}
