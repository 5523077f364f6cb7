use super::Encoding;
use crate::Error;
use crate::error::unreadable;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What has to be known of a delimited file before its rows can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scan {
    /// Its bytes are Windows-1252 (of which Latin-1's letters are a part), not UTF-8.
    pub(super) windows_1252: bool,
    /// A quote is still open at its end: it was cut off, or a quote is missing.
    pub(super) open_quote: bool,
    /// What separates its fields.
    pub(super) delimiter: u8,
}

/// Reads a file once, in little memory.
pub(super) fn scan(path: &Path, encoding: Encoding, delimiter: u8, remedy: &'static str) -> Result<Scan, Error> {
    let file = File::open(path).map_err(|e| unreadable(path, &e, remedy))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut lines = Lines::default();
    let mut quotes = Quotes { delimiter, ..Quotes::default() };
    let mut line = Vec::new();
    let mut first = true;
    loop {
        line.clear();
        // A line break inside a field also ends a line here; for counting encodings that does not matter.
        if reader.read_until(b'\n', &mut line).map_err(|e| unreadable(path, &e, remedy))? == 0 {
            break;
        }
        if std::mem::take(&mut first) {
            if line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff]) {
                return Err(unreadable(path, &"it is UTF-16", "save it as UTF-8"));
            }
            quotes.delimiter = sniff(&line, delimiter);
        }
        lines.count(&line);
        quotes.read(&line);
    }
    let windows_1252 = match encoding {
        Encoding::Utf8 => false,
        Encoding::Windows1252 => true,
        // A few bad lines in UTF-8 are bad lines; many are another encoding.
        Encoding::Auto => lines.invalid > lines.valid,
    };
    Ok(Scan { windows_1252, open_quote: quotes.open, delimiter: quotes.delimiter })
}

/// Lines beyond ASCII that are UTF-8, and that are not.
#[derive(Default)]
struct Lines {
    valid: u64,
    invalid: u64,
}

impl Lines {
    fn count(&mut self, line: &[u8]) {
        if line.is_ascii() {
            return;
        }
        if std::str::from_utf8(line).is_ok() {
            self.valid += 1;
        } else {
            self.invalid += 1;
        }
    }
}

/// Whether a quoted field is open, by RFC 4180.
#[derive(Default)]
struct Quotes {
    delimiter: u8,
    open: bool,
    /// The byte before was a quote inside an open field: it ends the field unless another follows.
    ending: bool,
    /// Something of an unquoted field has been read.
    inside: bool,
}

impl Quotes {
    fn read(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.open {
                if byte == b'"' {
                    (self.open, self.ending) = (false, true);
                }
                continue;
            }
            match byte {
                b'"' if self.ending => (self.open, self.ending) = (true, false),
                b'"' if !self.inside => (self.open, self.inside) = (true, true),
                b'\r' | b'\n' => (self.ending, self.inside) = (false, false),
                b if b == self.delimiter => (self.ending, self.inside) = (false, false),
                _ => (self.ending, self.inside) = (false, true),
            }
        }
    }
}

/// The delimiter by the header: a file called `.csv` may have semicolons or tabs where its author's decimal sign is a
/// comma.
fn sniff(header: &[u8], expected: u8) -> u8 {
    if expected != b',' || header.contains(&b',') {
        return expected;
    }
    [b';', b'\t', b'|'].into_iter().find(|d| header.contains(d)).unwrap_or(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> bool {
        let mut quotes = Quotes { delimiter: b',', ..Quotes::default() };
        quotes.read(text.as_bytes());
        quotes.open
    }

    #[test]
    fn a_quote_left_open_is_noticed_and_an_inner_one_is_not() {
        assert!(!open("a,\"b \"\"c\"\" d\"\n"));
        assert!(!open("5\" pipe,\"x\ny\"\n"));
        assert!(open("a,\"b\nc,d\n"));
        assert!(open("a,\"b \"\" c"));
    }

    #[test]
    fn the_header_shows_the_delimiter() {
        assert_eq!([sniff(b"a;b", b','), sniff(b"a,b;c", b','), sniff(b"text", b','), sniff(b"a,b", b'\t')], *b";,,\t");
    }
}
