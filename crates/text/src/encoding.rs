//! Repair of text that was decoded with the wrong character set.

/// What Windows-1252 has at 0x80 to 0x9F (WHATWG Encoding Standard, index windows-1252; five places are undefined).
const CP1252: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

/// Undoes the two common accidents: UTF-8 read as Windows-1252 or Latin-1, once or several times (`giÃ¡` → `giá`), and
/// Windows-1252 read as Latin-1, which leaves C1 control characters (U+0093 → `“`). Anything else stays as it is.
///
/// A sequence is taken for UTF-8 only if it decodes to a letter or sign that such texts contain, so that correct
/// text (`«café»`, `NGÃ`) is left alone.
///
/// ```
/// assert_eq!(text::repair_encoding("tiáº¿ng Viá»‡t"), "tiếng Việt");
/// assert_eq!(text::repair_encoding("it\u{92}s"), "it’s");
/// ```
pub fn repair_encoding(text: &str) -> String {
    let mut current = text.to_owned();
    // Three layers are the most that anybody has been seen to pile up.
    for _ in 0..3 {
        let next = undo_double_utf8(&current);
        if next == current {
            break;
        }
        current = next;
    }
    if current.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c)) { undo_c1(&current) } else { current }
}

fn undo_c1(text: &str) -> String {
    text.chars()
        .map(|c| match (c as u32).checked_sub(0x80).and_then(|i| CP1252.get(i as usize)) {
            Some(Some(real)) => *real,
            _ => c,
        })
        .collect()
}

/// The byte that Windows-1252 (or Latin-1) shows as this character.
fn byte_of(c: char) -> Option<u8> {
    if let Some(i) = CP1252.iter().position(|&e| e == Some(c)) {
        return Some(0x80 + i as u8);
    }
    u8::try_from(c as u32).ok()
}

fn undo_double_utf8(text: &str) -> String {
    // Without a character that a first byte shows as there is nothing to undo.
    if !text.chars().any(|c| first_of(c as u32).is_some()) {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if let Some((real, length)) = chars.get(at..).and_then(decode_front) {
            out.push(real);
            at += length;
        } else {
            out.push(c);
            at += 1;
        }
    }
    out
}

/// How many bytes the UTF-8 has whose first byte is shown as this character (which Windows-1252 and Latin-1 show alike).
fn first_of(character: u32) -> Option<usize> {
    match character {
        0xc2..=0xc6 => Some(2),
        0xe1..=0xe2 | 0xef => Some(3),
        0xf0 => Some(4),
        _ => None,
    }
}

/// The character that the first few characters are the UTF-8 bytes of, and how many they are.
fn decode_front(chars: &[char]) -> Option<(char, usize)> {
    let length = first_of(*chars.first()? as u32)?;
    let bytes = chars.get(..length)?.iter().map(|&c| byte_of(c)).collect::<Option<Vec<u8>>>()?;
    let real = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    let plausible = matches!(real as u32,
        0xa0..=0x1b0 | 0x1e00..=0x1eff | 0x2010..=0x205e | 0x20a0..=0x20bf | 0x2100..=0x214f | 0xfb00..=0xfb06 | 0xfeff
        | 0x1f300..=0x1faff);
    // Nobody writes control characters: this one is the middle of text spoiled twice.
    let of_two_layers =
        (0x80..0xa0).contains(&(real as u32)) && chars.get(1).is_some_and(|c| ('\u{80}'..='\u{9f}').contains(c));
    // A capital letter before a closing quote (`LÃ“PEZ` against `“CÂU Â”`): only the first goes on with a letter.
    let quote_like = length == 2 && chars.get(1).is_some_and(|c| "‘’“”–—…„‚".contains(*c));
    let goes_on = chars.get(length).is_some_and(|c| c.is_alphabetic());
    (of_two_layers || (plausible && (!quote_like || goes_on))).then_some((real, length))
}

/// What DOS code page 850 has at 0x80 to 0xBF; box-drawing characters are left out, they never survived.
const CP850: [char; 64] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û',
    'ù', 'ÿ', 'Ö', 'Ü', 'ø', '£', 'Ø', '×', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '®', '¬', '½', '¼', '¡',
    '«', '»', '\0', '\0', '\0', '\0', '\0', 'Á', 'Â', 'À', '©', '\0', '\0', '\0', '\0', '¢', '¥', '\0',
];

/// Repairs the damage inside the Financial PhraseBank itself, in every edition of it: UTF-8 was read as DOS code page
/// 850, and the box-drawing characters that stand for the bytes C3 and C2 there were then flattened to `+` and `-`
/// (`Sepp+ñl+ñ` → `Seppälä`). For English text only: Vietnamese may well write `-á`.
///
/// ```
/// assert_eq!(text::repair_dos_boxes("L+ñnnen Tehtaat"), "Lännen Tehtaat");
/// assert_eq!(text::repair_dos_boxes("a rise of 3+2"), "a rise of 3+2");
/// ```
pub fn repair_dos_boxes(text: &str) -> String {
    // Every damage is a `+` or `-` before a character beyond ASCII.
    if !text.as_bytes().windows(2).any(|pair| matches!(pair, [b'+' | b'-', 0x80..=0xff])) {
        return text.to_owned();
    }
    // Characters of three bytes were flattened further; these are the ones that occur.
    let text = text
        .replace("+óEUR TM s", "’s")
        .replace("+óEUR TM", "’")
        .replace("+ó  x201a -¼", "€")
        .replace("+ó x201a -¼", "€");
    let text = text.replace("+ó s ", "’s ").replace(" -¦ s ", "’s ").replace(" +ó ", " – ");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let real = rest.peek().and_then(|&next| from_dos_pair(c, next));
        match real {
            Some(real) => {
                out.push(real);
                rest.next();
            }
            None => out.push(c),
        }
    }
    out
}

fn from_dos_pair(box_character: char, second: char) -> Option<char> {
    let low = 0x80 + CP850.iter().position(|&c| c == second && c != '\0')? as u32;
    match box_character {
        '+' => char::from_u32(0xc0 + low - 0x80).filter(|c| c.is_alphabetic()),
        '-' if low >= 0xa0 => char::from_u32(low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the UTF-8 bytes of `text` as Windows-1252 (undefined bytes as C1 controls), as a careless program does.
    fn spoil(text: &str) -> String {
        text.bytes()
            .map(|b| if (0x80..0xa0).contains(&b) { CP1252[b as usize - 0x80].unwrap_or(b as char) } else { b as char })
            .collect()
    }

    #[test]
    fn text_spoiled_once_or_twice_comes_back() {
        for text in ["Lợi nhuận tăng 5 % — “khá tốt”", "Müller’s café", "giá €5", "đồng"] {
            assert_eq!(repair_encoding(&spoil(text)), text);
            assert_eq!(repair_encoding(&spoil(&spoil(text))), text, "twice");
        }
    }

    #[test]
    fn correct_text_stays_as_it_is() {
        for text in ["«café»…", "NGÃ BẢY “CÂU Â”", "Ênh", "plain", "Ä“", "Đặng Thị Ánh", "naïve – “yes”"]
        {
            assert_eq!(repair_encoding(text), text);
        }
    }

    #[test]
    fn control_characters_become_the_quotes_they_were() {
        assert_eq!(repair_encoding("\u{93}Outotec\u{94} \u{96} \u{80}5"), "“Outotec” – €5");
    }

    #[test]
    fn flattened_boxes_become_letters_again() {
        let cases = [
            ("+ä+ñnekoski", "Äänekoski"),
            ("Bank of +àland 's", "Bank of Åland 's"),
            ("Brand+úo", "Brandão"),
            ("Learning -« Magazine", "Learning ® Magazine"),
            ("the company+óEUR TM s capital", "the company’s capital"),
            ("323-á6201", "323\u{a0}6201"),
            ("The Group -¦ s sales", "The Group’s sales"),
            ("profit -5 %, +3 %", "profit -5 %, +3 %"),
        ];
        for (spoiled, real) in cases {
            assert_eq!(repair_dos_boxes(spoiled), real);
        }
    }
}
