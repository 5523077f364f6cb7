use std::borrow::Cow;
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfkc};

/// The key by which two texts count as the same: compatibility forms folded (NFKC), lower case, Vietnamese tone marks
/// kept but in one place (`hoà` = `hòa`), white space, punctuation and links dropped (feeds repeat a headline under many
/// shortened links).
///
/// What makes two financial sentences different stays: a sign before a number (`-5` is not `5`), a point or comma
/// between digits (`5.1` is not `51`) and `%`. A text of nothing but punctuation or links is its own key.
///
/// ```
/// use text::comparison_key;
/// assert_eq!(comparison_key("Profit rose 5.1 % , it said ."), comparison_key("profit rose 5.1%, it said"));
/// assert_ne!(comparison_key("EPS -0.5"), comparison_key("EPS 0.5"));
/// ```
pub fn comparison_key(text: &str) -> String {
    // What is ASCII has one form only.
    if text.is_ascii() {
        return key_of_ascii(text);
    }
    let folded: Cow<'_, str> = if is_nfkc(text) { text.into() } else { text.nfkc().collect::<String>().into() };
    let lower = unify_tone_marks(&folded.to_lowercase());
    let mut key = String::with_capacity(lower.len());
    for word in lower.split_whitespace().filter(|w| !w.starts_with("http://") && !w.starts_with("https://")) {
        let mut previous = ' ';
        let mut rest = word.chars().peekable();
        while let Some(c) = rest.next() {
            let next_is_digit = rest.peek().is_some_and(char::is_ascii_digit);
            let keep = match c {
                '%' => true,
                '.' | ',' => previous.is_ascii_digit() && next_is_digit,
                '-' | '+' | '−' => !previous.is_alphanumeric() && next_is_digit,
                _ => c.is_alphanumeric() || is_combining_mark(c),
            };
            if keep {
                key.push(if c == '−' { '-' } else { c });
            }
            previous = c;
        }
    }
    if key.is_empty() { lower.split_whitespace().collect() } else { key }
}

/// The same for ASCII, byte by byte.
fn key_of_ascii(text: &str) -> String {
    let begins = |word: &[u8], with: &[u8]| word.get(..with.len()).is_some_and(|w| w.eq_ignore_ascii_case(with));
    let is_space = |byte: &u8| matches!(byte, 9..=13 | b' ');
    let mut key = Vec::with_capacity(text.len());
    for word in text.as_bytes().split(is_space) {
        if begins(word, b"http") && (begins(word, b"http://") || begins(word, b"https://")) {
            continue;
        }
        for (at, c) in word.iter().enumerate() {
            let previous = || at.checked_sub(1).and_then(|before| word.get(before)).copied().unwrap_or(b' ');
            let next_is_digit = || word.get(at + 1).is_some_and(u8::is_ascii_digit);
            let keep = c.is_ascii_alphanumeric()
                || match c {
                    b'%' => true,
                    b'.' | b',' => previous().is_ascii_digit() && next_is_digit(),
                    b'-' | b'+' => !previous().is_ascii_alphanumeric() && next_is_digit(),
                    _ => false,
                };
            if keep {
                key.push(c.to_ascii_lowercase());
            }
        }
    }
    if key.is_empty() {
        return text.split_whitespace().map(str::to_ascii_lowercase).collect();
    }
    String::from_utf8(key).unwrap_or_default()
}

/// 16 hexadecimal digits of the blake3 of a language code, a line feed and the text's [`comparison_key`]: equal texts
/// have equal ids, whatever data set they come from.
pub fn text_id(language: &str, text: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(language.as_bytes()).update(b"\n").update(comparison_key(text).as_bytes());
    hasher.finalize().to_hex().chars().take(16).collect()
}

/// New place of the tone → old place, for the three rhymes in which Vietnamese spelling wavers.
pub(crate) const TONES: [(&str, &str); 15] = [
    ("oà", "òa"),
    ("oá", "óa"),
    ("oả", "ỏa"),
    ("oã", "õa"),
    ("oạ", "ọa"),
    ("oè", "òe"),
    ("oé", "óe"),
    ("oẻ", "ỏe"),
    ("oẽ", "õe"),
    ("oẹ", "ọe"),
    ("uỳ", "ùy"),
    ("uý", "úy"),
    ("uỷ", "ủy"),
    ("uỹ", "ũy"),
    ("uỵ", "ụy"),
];

/// Moves the tone mark of lower-case NFC syllables that end in `oa`, `oe` or `uy` to the first vowel (`hoà` → `hòa`,
/// `uỷ` → `ủy`; `quý` stays, its `u` belongs to the consonant). Both spellings are in use; this makes them compare equal.
pub fn unify_tone_marks(text: &str) -> String {
    // Each rhyme is an `o` or a `u` and a letter beyond ASCII.
    let may_waver = text.as_bytes().windows(2).any(|pair| matches!(pair, [b'o' | b'u', 0xc3..=0xff]));
    if !may_waver || !TONES.iter().any(|(new, _)| text.contains(new)) {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let pair: String = chars.iter().skip(at).take(2).collect();
        let ends = chars.get(at + 2).is_none_or(|n| !n.is_alphabetic());
        let after_q = at > 0 && chars.get(at - 1) == Some(&'q');
        match TONES.iter().find(|(new, _)| *new == pair) {
            Some((_, old)) if ends && !after_q => {
                out.push_str(old);
                at += 2;
            }
            _ => {
                out.push(c);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_case_and_punctuation_do_not_matter_but_tones_do() {
        assert_eq!(comparison_key("Hoà Phát : “Uỷ ban” !"), comparison_key("hòa phát ủy ban"));
        assert_ne!(comparison_key("ma"), comparison_key("má"));
        assert_eq!(unify_tone_marks("quý hoàng toà."), "quý hoàng tòa.");
    }

    #[test]
    fn signs_and_decimal_points_of_numbers_matter() {
        assert_ne!(comparison_key("EUR 5.1 mn"), comparison_key("EUR 51 mn"));
        assert_ne!(comparison_key("down +3 %"), comparison_key("down 3"));
        assert_eq!(comparison_key("2009-2010"), "20092010");
    }

    #[test]
    fn links_do_not_make_a_headline_another() {
        assert_eq!(comparison_key("Oil falls https://t.co/abc"), comparison_key("Oil falls: https://t.co/xyz"));
        assert_eq!(comparison_key("https://t.co/abc"), "https://t.co/abc");
    }

    #[test]
    fn ascii_has_the_key_that_the_same_text_has_among_other_characters() {
        let parts = ["a", "Z", "5", ".", ",", "-", "+", "%", " ", "http://x ", "\u{b}", ":"];
        for text in 0..parts.len().pow(4) {
            let places = (0..4).map(|place| text / parts.len().pow(place) % parts.len());
            let text: String = places.map(|part| parts[part]).collect();
            // A dash alone is no part of a key but makes the text Unicode; what has no key is left to the next test.
            let key = comparison_key(&format!("{text} —"));
            if !key.contains('—') {
                assert_eq!(comparison_key(&text), key, "{text:?}");
            }
        }
    }

    #[test]
    fn an_emoticon_is_its_own_key() {
        assert_eq!(comparison_key(" :) "), ":)");
        assert_eq!(text_id("en", "A b.").len(), 16);
        assert_ne!(text_id("en", "ok"), text_id("vi", "ok"));
    }
}
