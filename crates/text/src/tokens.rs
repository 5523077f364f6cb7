use std::collections::BTreeSet;

/// The words of a text, lower case: runs of letters and digits; a decimal point, a comma between digits and an
/// apostrophe or hyphen between letters stay inside.
///
/// ```
/// let words: Vec<String> = text::words("EUR 3.1 mn, it doesn't fall").collect();
/// assert_eq!(words, ["eur", "3.1", "mn", "it", "doesn't", "fall"]);
/// ```
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(char::is_alphanumeric)?;
        rest = &rest[start..];
        let end = end_of_word(rest);
        let word = rest[..end].to_lowercase();
        rest = &rest[end..];
        Some(word)
    })
}

fn end_of_word(text: &str) -> usize {
    let mut previous = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !c.is_alphanumeric() && !unicode_normalization::char::is_combining_mark(c) {
            let next = chars.peek().map_or(' ', |&(_, n)| n);
            let inside = match c {
                '.' | ',' => previous.is_ascii_digit() && next.is_ascii_digit(),
                '\'' | '’' | '-' => previous.is_alphabetic() && next.is_alphabetic(),
                _ => false,
            };
            if !inside {
                return at;
            }
        }
        previous = c;
    }
    text.len()
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
    let chars: Vec<char> = text.chars().collect();
    let mut hashes: Vec<u64> = if chars.len() <= n {
        std::iter::once(chars.as_slice()).filter(|c| !c.is_empty()).map(hash).collect()
    } else {
        chars.windows(n.max(1)).map(hash).collect()
    };
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// FNV-1a over the UTF-32 bytes.
fn hash(chars: &[char]) -> u64 {
    chars
        .iter()
        .flat_map(|&c| (c as u32).to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
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

    #[test]
    fn a_full_stop_ends_a_word_and_a_decimal_point_does_not() {
        assert_eq!(words("giảm 5.1 %. Rồi tăng-trưởng…").collect::<Vec<_>>(), ["giảm", "5.1", "rồi", "tăng-trưởng"]);
    }
}
