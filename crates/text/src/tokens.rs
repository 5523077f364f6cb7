use std::collections::BTreeSet;
use unicode_normalization::char::is_combining_mark;

/// The words of a text, lower case: runs of letters and digits; a decimal point, a comma between digits and an
/// apostrophe or hyphen between letters stay inside.
///
/// ```
/// let words: Vec<String> = text::words("EUR 3.1 mn, it doesn't fall").collect();
/// assert_eq!(words, ["eur", "3.1", "mn", "it", "doesn't", "fall"]);
/// ```
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let (start, end) = next_word(text, from)?;
        from = end;
        Some(text[start..end].to_lowercase())
    })
}

/// Calls `visit` with each of the [`words`] of a text: the same without a string of its own for each.
///
/// ```
/// let mut long = 0;
/// text::each_word("EUR 3.1 mn, it doesn't fall", |word| long += usize::from(word.len() > 3));
/// assert_eq!(long, 2);
/// ```
pub fn each_word(text: &str, mut visit: impl FnMut(&str)) {
    let mut lower = String::new();
    let mut from = 0;
    while let Some((start, end)) = next_word(text, from) {
        from = end;
        let word = &text[start..end];
        if word.is_ascii() {
            if word.bytes().any(|b| b.is_ascii_uppercase()) {
                lower.clear();
                lower.push_str(word);
                lower.make_ascii_lowercase();
                visit(&lower);
            } else {
                visit(word);
            }
        } else {
            visit(&word.to_lowercase());
        }
    }
}

/// Where the next word at or after `from` begins and ends.
fn next_word(text: &str, from: usize) -> Option<(usize, usize)> {
    let start = from + skip(&text[from..], |c| !c.is_alphanumeric());
    if start == text.len() {
        return None;
    }
    let mut end = start;
    loop {
        let run = skip(&text[end..], |c| c.is_alphanumeric() || is_combining_mark(c));
        let previous = text[start..end + run].chars().next_back().unwrap_or(' ');
        end += run;
        let mut rest = text[end..].chars();
        let Some(c) = rest.next() else { break };
        let next = rest.next().unwrap_or(' ');
        let inside = match c {
            '.' | ',' => previous.is_ascii_digit() && next.is_ascii_digit(),
            '\'' | '’' | '-' => previous.is_alphabetic() && next.is_alphabetic(),
            _ => false,
        };
        if !inside {
            break;
        }
        end += c.len_utf8();
    }
    Some((start, end))
}

/// How many bytes at the front hold characters that `holds` of.
fn skip(text: &str, holds: impl Fn(char) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        // Most characters are ASCII and need no decoding.
        let c = if byte.is_ascii() { char::from(byte) } else { text[at..].chars().next().unwrap_or(' ') };
        if !holds(c) {
            break;
        }
        at += c.len_utf8();
    }
    at
}

/// The distinct runs of `n` characters, in order; the whole text where it is shorter.
pub fn character_ngrams(text: &str, n: usize) -> BTreeSet<String> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= n {
        return std::iter::once(text.to_owned()).filter(|t| !t.is_empty()).collect();
    }
    chars.windows(n.max(1)).map(|w| w.iter().collect()).collect()
}

/// The distinct runs of `n` characters as 64-bit FNV-1a hashes, sorted: the same set as [`character_ngrams`] in a form
/// that is quick to intersect.
pub fn ngram_hashes(text: &str, n: usize) -> Vec<u64> {
    let mut hashes = Vec::new();
    hash_ngrams(text, n, &mut hashes);
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// The same hashes into `hashes`, in the order of the text and with repeats.
#[inline]
pub(crate) fn hash_ngrams(text: &str, n: usize, hashes: &mut Vec<u64>) {
    hashes.clear();
    if text.is_ascii() && text.len() > n && n > 0 {
        // One byte is one character: none need be decoded.
        hashes.extend(text.as_bytes().windows(n).map(|gram| hash(gram.iter().map(|b| u32::from(*b)))));
        return;
    }
    let of = |chars: &[char]| hash(chars.iter().map(|c| *c as u32));
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= n {
        hashes.extend(Some(chars.as_slice()).filter(|c| !c.is_empty()).map(of));
    } else {
        hashes.extend(chars.windows(n.max(1)).map(of));
    }
}

/// FNV-1a over the UTF-32 bytes.
#[inline]
fn hash(codes: impl Iterator<Item = u32>) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    // The three zero bytes of a character below 256 only multiply: all four steps are one.
    const FOUR: u64 = PRIME.wrapping_pow(4);
    codes.fold(0xcbf2_9ce4_8422_2325, |hash, code| match code {
        byte @ 0..=0xff => (hash ^ u64::from(byte)).wrapping_mul(FOUR),
        code => code.to_le_bytes().into_iter().fold(hash, |h, b| (h ^ u64::from(b)).wrapping_mul(PRIME)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_and_their_hashes_are_the_same_set() {
        let text = "lợi nhuận tăng, lợi nhuận giảm";
        assert_eq!(character_ngrams(text, 5).len(), ngram_hashes(text, 5).len());
        assert_eq!(character_ngrams("abc", 5).len(), 1);
        assert!(character_ngrams("", 5).is_empty() && ngram_hashes("", 5).is_empty());
    }

    /// The definition, character by character.
    fn by_definition(text: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        let (mut words, mut word) = (Vec::new(), String::new());
        for (at, &c) in chars.iter().enumerate() {
            let next = chars.get(at + 1).copied().unwrap_or(' ');
            let previous = if word.is_empty() { ' ' } else { chars[at - 1] };
            let part = match c {
                _ if c.is_alphanumeric() => true,
                _ if word.is_empty() => false,
                '.' | ',' => previous.is_ascii_digit() && next.is_ascii_digit(),
                '\'' | '’' | '-' => previous.is_alphabetic() && next.is_alphabetic(),
                _ => is_combining_mark(c),
            };
            if part {
                word.push(c);
            } else if !word.is_empty() {
                words.push(std::mem::take(&mut word).to_lowercase());
            }
        }
        words.extend(Some(word.to_lowercase()).filter(|w| !w.is_empty()));
        words
    }

    #[test]
    fn words_are_those_of_the_definition_however_they_are_asked_for() {
        let parts = ["a", "Z", "5", ".", ",", "'", "’", "-", " ", "\u{301}", "Đ", "界", "—", "Σ"];
        for text in 0..parts.len().pow(4) {
            let places = (0..4).map(|place| text / parts.len().pow(place) % parts.len());
            let text: String = places.map(|part| parts[part]).collect();
            let mut each = Vec::new();
            each_word(&text, |word| each.push(word.to_owned()));
            assert_eq!(each, by_definition(&text), "{text:?}");
            assert_eq!(words(&text).collect::<Vec<_>>(), each, "{text:?}");
        }
    }

    #[test]
    fn hashes_are_fnv_1a_of_the_bytes_whatever_the_characters() {
        let of_bytes = |text: &str| {
            let bytes = text.chars().flat_map(|c| (c as u32).to_le_bytes());
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
        };
        for text in ["abcde", "é\u{0}ÿab", "lợi n", "\u{1f600}x"] {
            assert_eq!(ngram_hashes(text, 5), [of_bytes(text)], "{text}");
        }
    }

    #[test]
    fn a_full_stop_ends_a_word_and_a_decimal_point_does_not() {
        assert_eq!(words("giảm 5.1 %. Rồi tăng-trưởng…").collect::<Vec<_>>(), ["giảm", "5.1", "rồi", "tăng-trưởng"]);
    }
}
