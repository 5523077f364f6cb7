use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Canonical composition (Unicode NFC): `a` + combining grave and `à` become the same character.
pub fn nfc(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

/// Trims, and turns each run of white space (non-breaking and zero-width spaces and the byte-order mark included) into
/// one space.
pub fn collapse_whitespace(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || is_invisible(c)).filter(|w| !w.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{00ad}') || (c.is_control() && !c.is_whitespace())
}

/// Turns the HTML entities that tweets and news feeds carry into their characters: `&amp;` `&lt;` `&gt;` `&quot;` `&#39;`
/// `&apos;` `&nbsp;`. One layer only.
///
/// ```
/// assert_eq!(text::unescape_entities("AT&amp;T &gt; S&P"), "AT&T > S&P");
/// ```
pub fn unescape_entities(text: &str) -> String {
    const ENTITIES: [(&str, &str); 7] = [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let (entity, character) = ENTITIES.iter().find(|(e, _)| tail.starts_with(e)).copied().unwrap_or(("&", "&"));
        out.push_str(character);
        rest = tail.strip_prefix(entity).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Whether the text holds U+FFFD: somebody decoded it wrongly and threw the original bytes away, so that no repair is
/// possible.
pub fn is_damaged(text: &str) -> bool {
    text.contains('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_vietnamese_become_equal() {
        assert_eq!(nfc("tie\u{302}\u{301}ng vie\u{323}\u{302}t"), "tiếng việt");
    }

    #[test]
    fn every_kind_of_space_collapses() {
        assert_eq!(collapse_whitespace("\u{feff} a\u{a0}\u{a0}b\r\n\tc \u{200b}"), "a b c");
    }
}
