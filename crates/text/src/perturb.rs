//! The same text as careless people and machines write it: what a robust reader should not mind.

use crate::without_marks;
use unicode_normalization::UnicodeNormalization;

/// Canonical decomposition (Unicode NFD): looks the same, but letters and marks are characters of their own, as some
/// keyboards and file systems write them.
pub fn nfd(text: &str) -> String {
    text.nfd().collect()
}

/// Slips of the finger: of the words of four letters or more, about `share` (from 0 to 1) get one, inside the word: two
/// letters swapped, one missing, one doubled, or one replaced by a neighbour on the keyboard. Words with digits stay.
/// `draw` gives a number below its argument.
///
/// ```
/// let mut state = 7_usize;
/// let mut draw = |below: usize| {
///     state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
///     (state >> 16) % below
/// };
/// let text = "The company reported strong quarterly results";
/// assert_eq!(text::typos(text, 0.0, &mut draw), text);
/// assert_ne!(text::typos(text, 1.0, &mut draw), text);
/// ```
pub fn typos(text: &str, share: f64, draw: &mut dyn FnMut(usize) -> usize) -> String {
    /// Fine enough for shares in per mille.
    const STEPS: usize = 1_000_000;
    let mut out = String::with_capacity(text.len() + 8);
    for piece in text.split_inclusive(char::is_whitespace) {
        let letters: Vec<char> = piece.chars().collect();
        let long = letters.iter().filter(|c| c.is_alphabetic()).count() >= 4;
        let hit = (draw(STEPS) as f64) < share * STEPS as f64;
        if long && hit && !letters.iter().any(|c| c.is_numeric()) {
            out.extend(slip(letters, draw));
        } else {
            out.push_str(piece);
        }
    }
    out
}

/// One slip at a letter that is neither the first nor the last of its word.
fn slip(mut letters: Vec<char>, draw: &mut dyn FnMut(usize) -> usize) -> Vec<char> {
    let letter = |at: usize| letters.get(at).is_some_and(|c| c.is_alphabetic());
    let inside: Vec<usize> = (1..letters.len()).filter(|&i| letter(i - 1) && letter(i) && letter(i + 1)).collect();
    let Some(&at) = inside.get(draw(inside.len().max(1))) else { return letters };
    match draw(4) {
        0 => letters.swap(at, at + 1),
        1 => {
            letters.remove(at);
        }
        2 => letters.insert(at, letters[at]),
        _ => letters[at] = neighbour(letters[at], draw),
    }
    letters
}

/// A key beside that of a letter, on the row of a QWERTY keyboard; letters that have no key are dropped to their base first.
fn neighbour(letter: char, draw: &mut dyn FnMut(usize) -> usize) -> char {
    const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let base = without_marks(&letter.to_string()).chars().next().unwrap_or(letter);
    for row in ROWS {
        let keys: Vec<char> = row.chars().collect();
        if let Some(at) = keys.iter().position(|k| *k == base.to_ascii_lowercase()) {
            let beside: Vec<char> = [at.checked_sub(1), Some(at + 1)]
                .into_iter()
                .flatten()
                .filter_map(|at| keys.get(at).copied())
                .collect();
            let key = beside.get(draw(beside.len().max(1))).copied().unwrap_or(base);
            return if letter.is_uppercase() { key.to_ascii_uppercase() } else { key };
        }
    }
    letter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter() -> impl FnMut(usize) -> usize {
        let mut state = 1_u64;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        }
    }

    #[test]
    fn what_looks_the_same_is_not_the_same_text_and_comes_back_by_nfc() {
        let text = "Lợi nhuận quý ba tăng mạnh";
        assert_ne!(nfd(text), text);
        assert_eq!(crate::nfc(&nfd(text)), text);
        assert_eq!(without_marks(&nfd(text)), without_marks(text));
    }

    #[test]
    fn about_the_share_asked_for_gets_exactly_one_slip_and_numbers_stay() {
        let text = "earnings climbed sharply while debts shrank 123.45 Q3-2024 ".repeat(200);
        let wrong = typos(&text, 0.3, &mut counter());
        let (before, after): (Vec<&str>, Vec<&str>) = (text.split(' ').collect(), wrong.split(' ').collect());
        assert_eq!(before.len(), after.len());
        let (mut changed, mut long) = (0, 0);
        for (a, b) in before.iter().zip(&after) {
            assert!(a.len().abs_diff(b.len()) <= 1, "{a} {b}");
            let has_digits = a.contains(char::is_numeric);
            assert!(!has_digits || a == b);
            long += usize::from(!has_digits && a.len() >= 4);
            changed += usize::from(a != b);
        }
        // Doubled letters may be swapped with themselves, so a little below the share.
        let share = changed as f64 / long as f64;
        assert!((0.22..0.36).contains(&share), "{share}");
        assert_eq!(wrong, typos(&text, 0.3, &mut counter()), "equal draws, equal text");
    }

    #[test]
    fn short_empty_and_odd_words_pass() {
        for text in ["", " ", "a b c", "…!?", "ab12cd34", "Đ"] {
            assert_eq!(typos(text, 1.0, &mut counter()), text);
        }
        assert_ne!(typos("chứng khoán", 1.0, &mut counter()), "chứng khoán");
    }
}
