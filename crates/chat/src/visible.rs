use tokenizers::decoders::DecoderWrapper;

/// Whether tokens are spelt in the byte alphabet of GPT-2 (a space is `Ġ`).
pub(crate) fn is_byte_level(decoder: Option<&DecoderWrapper>) -> bool {
    match decoder {
        Some(DecoderWrapper::ByteLevel(_)) => true,
        Some(DecoderWrapper::Sequence(parts)) => parts.get_decoders().iter().any(|d| is_byte_level(Some(d))),
        _ => false,
    }
}

/// The byte that a character of GPT-2's byte alphabet stands for: printable Latin-1 stands for itself, the 68 other
/// bytes are numbered upwards from U+0100.
fn byte_of(c: char) -> Option<u8> {
    let itself = |b: u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    match u32::from(c) {
        code @ 0..=0xFF => u8::try_from(code).ok().filter(|b| itself(*b)),
        code => (0..=0xFFu8).filter(|b| !itself(*b)).nth(code as usize - 0x100),
    }
}

/// One token so that it can be read: a space is `·`, a line break `↵`, a tab `⇥`; bytes that are no text by
/// themselves are `<0xE1>`.
pub(crate) fn visible(token: &str, byte_level: bool) -> String {
    let bytes: Option<Vec<u8>> = if byte_level { token.chars().map(byte_of).collect() } else { None };
    let single =
        token.strip_prefix("<0x").and_then(|t| t.strip_suffix('>')).and_then(|t| u8::from_str_radix(t, 16).ok());
    match (bytes, single) {
        (Some(bytes), _) => match std::str::from_utf8(&bytes) {
            Ok(text) => marked(text),
            Err(_) => bytes.iter().map(|b| format!("<0x{b:02X}>")).collect::<Vec<_>>().concat(),
        },
        (None, Some(byte)) if byte.is_ascii() => marked(&char::from(byte).to_string()),
        _ => marked(token),
    }
}

fn marked(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ' ' | '\u{2581}' => "·".to_owned(),
            '\n' => "↵".to_owned(),
            '\t' => "⇥".to_owned(),
            c if c.is_control() || (c.is_whitespace() && !c.is_ascii()) => c.escape_unicode().to_string(),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_alphabet_is_read_back() {
        assert_eq!(visible("Ġprofit", true), "·profit");
        assert_eq!(visible("ĊĊ", true), "↵↵");
        assert_eq!(visible("Ã©", true), "é");
        assert_eq!(visible("áº", true), "<0xE1><0xBA>");
    }

    #[test]
    fn sentence_pieces_and_byte_tokens_are_read_back() {
        assert_eq!(visible("▁the", false), "·the");
        assert_eq!(visible("<0x0A>", false), "↵");
        assert_eq!(visible("<0xE1>", false), "<0xE1>");
        assert_eq!(visible("<|eot_id|>", true), "<|eot_id|>");
    }
}
