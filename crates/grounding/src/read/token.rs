//! A text as words, numbers and marks, with what stands between them.

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Begins with a letter: `rises`, `rsi_14`, `sell-off`, `S&P`.
    Word,
    /// Begins with a digit: `95,439.81`.
    Number,
    /// One other character.
    Mark,
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: Kind,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
    /// Whether white space stands before it, or nothing.
    pub(crate) spaced: bool,
}

impl Token<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn is(&self, mark: &str) -> bool {
        self.text == mark
    }

    pub(crate) fn lower(&self) -> String {
        self.text.to_lowercase().replace('’', "'")
    }

    /// Whether its first letter is a capital.
    pub(crate) fn capital(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }
}

/// Cuts a text into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let at = |i: usize| chars.get(i).map_or('\0', |c| c.1);
    let place = |i: usize| chars.get(i).map_or(text.len(), |c| c.0);
    let (mut found, mut i, mut spaced) = (Vec::new(), 0, true);
    while i < chars.len() {
        let c = at(i);
        if c.is_whitespace() {
            (spaced, i) = (true, i + 1);
            continue;
        }
        let from = i;
        let kind = if c.is_ascii_digit() {
            let listed = i > 0 && at(i - 1) == ',';
            while at(i).is_ascii_digit()
                || (at(i) == '.' && at(i + 1).is_ascii_digit())
                || (at(i) == ',' && joins(&at, i, listed))
            {
                i += 1;
            }
            Kind::Number
        } else if c.is_alphabetic() {
            let joins = |c: char| matches!(c, '\'' | '’' | '-' | '&');
            while at(i).is_alphanumeric()
                || at(i) == '_'
                || (joins(at(i)) && at(i + 1).is_alphabetic() && at(i - 1).is_alphabetic())
            {
                i += 1;
            }
            Kind::Word
        } else {
            i += 1;
            Kind::Mark
        };
        found.push(Token { text: &text[place(from)..place(i)], kind, start: place(from), spaced });
        spaced = false;
    }
    found
}

/// Whether the comma at `i` is part of a number: before a group of three digits, or a decimal comma (`0,5`, but not in `12,26,9`).
fn joins(at: &impl Fn(usize) -> char, i: usize, listed: bool) -> bool {
    let digits = (i + 1..i + 5).take_while(|n| at(*n).is_ascii_digit()).count();
    digits == 3 || ((1..=2).contains(&digits) && !listed && at(i + 1 + digits) != ',')
}

/// The text with the given byte ranges blanked out, so that what was read once is not read as something else.
pub(crate) fn without(text: &str, ranges: &[(usize, usize)]) -> String {
    let inside = |at: usize| ranges.iter().any(|(from, to)| (*from..*to).contains(&at));
    // One blank for each byte keeps all places.
    text.char_indices().map(|(at, c)| if inside(at) { " ".repeat(c.len_utf8()) } else { c.to_string() }).collect()
}

/// The part of a word that its forms share, roughly: enough to compare two wordings of one text.
pub(crate) fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    for ending in ["ings", "ing", "edly", "ied", "ies", "ed", "es", "ly", "s", "e", "y"] {
        if let Some(root) = word.strip_suffix(ending).filter(|root| root.chars().count() >= 3) {
            return root.to_owned();
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_separators_and_words_their_joints() {
        let texts: Vec<&str> = tokens("BTC's rsi_14 at 95,439.81. S&P 500: -0.5%").iter().map(|t| t.text).collect();
        assert_eq!(texts, ["BTC's", "rsi_14", "at", "95,439.81", ".", "S&P", "500", ":", "-", "0.5", "%"]);
    }

    #[test]
    fn blanking_keeps_every_place() {
        let text = "giá 5 €, ok";
        assert_eq!(without(text, &[(0, 4)]).len(), text.len());
        assert!(without(text, &[(0, 4)]).ends_with("5 €, ok"));
    }
}
