use text::UnicodeForm;

/// Something that a text has or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Decoded with the wrong character set, and repairable.
    Mojibake,
    /// Holds U+FFFD: bytes were lost.
    Damaged,
    /// HTML entities.
    Entity,
    /// Control or invisible characters.
    Invisible,
    /// Letters and their marks are characters of their own (NFD), at least in part.
    Decomposed,
    /// Ð, ð, Ɖ or ɖ.
    LookAlike,
    /// A syllable with the tone mark in the older place (`hòa`).
    ToneOld,
    /// A syllable with the tone mark in the newer place (`hoà`).
    ToneNew,
    /// Words that stand for characters (`colonsmile`).
    Placeholder,
    /// A web address.
    Url,
    /// A cash tag such as `$AAPL`.
    CashTag,
    /// A hash tag.
    HashTag,
    /// A mention such as `@name`.
    Mention,
    /// A pictograph.
    Emoji,
    /// A Vietnamese chat spelling.
    ChatVietnamese,
    /// An English chat spelling.
    ChatEnglish,
    /// A word that denies.
    Negation,
    /// A digit.
    Number,
    /// No letter is lower case.
    UpperCase,
    /// No letter is upper case.
    LowerCase,
    /// Only ASCII characters.
    Ascii,
    /// No word at all.
    NoWord,
}

impl Mark {
    /// Every mark, in the order of tables.
    pub const ALL: [Self; 22] = [
        Self::Mojibake,
        Self::Damaged,
        Self::Entity,
        Self::Invisible,
        Self::Decomposed,
        Self::LookAlike,
        Self::ToneOld,
        Self::ToneNew,
        Self::Placeholder,
        Self::Url,
        Self::CashTag,
        Self::HashTag,
        Self::Mention,
        Self::Emoji,
        Self::ChatVietnamese,
        Self::ChatEnglish,
        Self::Negation,
        Self::Number,
        Self::UpperCase,
        Self::LowerCase,
        Self::Ascii,
        Self::NoWord,
    ];

    /// The name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mojibake => "wrong character set",
            Self::Damaged => "lost characters",
            Self::Entity => "HTML entity",
            Self::Invisible => "invisible character",
            Self::Decomposed => "decomposed letters (NFD)",
            Self::LookAlike => "look-alike of Đ",
            Self::ToneOld => "tone mark as in hòa",
            Self::ToneNew => "tone mark as in hoà",
            Self::Placeholder => "placeholder word",
            Self::Url => "web address",
            Self::CashTag => "cash tag",
            Self::HashTag => "hash tag",
            Self::Mention => "mention",
            Self::Emoji => "pictograph",
            Self::ChatVietnamese => "Vietnamese chat spelling",
            Self::ChatEnglish => "English chat spelling",
            Self::Negation => "negation",
            Self::Number => "digit",
            Self::UpperCase => "capitals only",
            Self::LowerCase => "small letters only",
            Self::Ascii => "ASCII only",
            Self::NoWord => "no word",
        }
    }

    /// Whether the mark says anything about Vietnamese, or else English, texts: `vs` is chat spelling in one only.
    pub(crate) fn concerns(self, vietnamese: bool) -> bool {
        match self {
            Self::ChatVietnamese | Self::ToneOld | Self::ToneNew | Self::LookAlike => vietnamese,
            Self::ChatEnglish => !vietnamese,
            _ => true,
        }
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks(u32);

impl Marks {
    /// Adds a mark where `holds`.
    pub(crate) fn set(&mut self, mark: Mark, holds: bool) {
        if holds {
            self.0 |= mark.bit();
        }
    }

    /// Whether the set has this mark.
    pub fn has(self, mark: Mark) -> bool {
        self.0 & mark.bit() != 0
    }

    /// The marks that are there.
    pub(crate) fn each(self) -> impl Iterator<Item = Mark> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let mark = Mark::ALL.get(left.trailing_zeros() as usize).copied()?;
            left &= left - 1;
            Some(mark)
        })
    }

    /// The marks that need neither words nor what stands between spaces: what a look at the characters tells.
    pub(crate) fn of_characters(text: &str) -> Self {
        let mut marks = Self::default();
        let (mut upper, mut lower, mut digit, mut emoji, mut invisible) = (false, false, false, false, false);
        for b in text.bytes() {
            upper |= b.is_ascii_uppercase();
            lower |= b.is_ascii_lowercase();
            digit |= b.is_ascii_digit();
            invisible |= b.is_ascii_control() && !b.is_ascii_whitespace();
        }
        let ascii = text.is_ascii();
        if !ascii {
            for c in text.chars().filter(|c| !c.is_ascii()) {
                upper |= c.is_uppercase();
                lower |= c.is_lowercase();
                emoji |= matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}');
                invisible |= c.is_control()
                    || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{202a}'..='\u{202e}');
            }
        }
        marks.set(Mark::UpperCase, upper && !lower);
        marks.set(Mark::LowerCase, lower && !upper);
        marks.set(Mark::Number, digit);
        marks.set(Mark::Emoji, emoji);
        marks.set(Mark::Invisible, invisible);
        marks.set(Mark::Ascii, ascii);
        marks.set(Mark::Entity, text.contains('&') && text::unescape_entities(text) != text);
        marks.set(Mark::Placeholder, has_placeholder(text));
        if !ascii {
            let form = text::unicode_form(text);
            marks.set(Mark::Decomposed, matches!(form, UnicodeForm::Decomposed | UnicodeForm::Mixed));
            marks.set(Mark::Damaged, text::is_damaged(text));
            marks.set(Mark::LookAlike, text::look_alikes(text) > 0);
            let repaired = text::repair_encoding(text);
            // The boxes of DOS need a letter of a Latin script before or after: `+ñ` alone could be a sum.
            marks.set(Mark::Mojibake, repaired != text || text::repair_dos_boxes(text) != text);
            let (old, new) = text::tone_placement(&text::nfc(text).to_lowercase());
            marks.set(Mark::ToneOld, old > 0);
            marks.set(Mark::ToneNew, new > 0);
        }
        marks
    }

    /// Adds the marks of a part between white space.
    pub(crate) fn look_at(&mut self, token: &str) {
        let inner = token.trim_start_matches(['(', '"', '\'', '[']);
        self.set(Mark::Url, inner.starts_with("www.") || inner.as_bytes().windows(3).any(|part| part == b"://"));
        let mut characters = inner.chars();
        let (Some(sign @ ('$' | '#' | '@')), Some(c)) = (characters.next(), characters.next()) else { return };
        self.set(Mark::CashTag, sign == '$' && c.is_alphabetic());
        self.set(Mark::HashTag, sign == '#' && c.is_alphabetic());
        self.set(Mark::Mention, sign == '@' && (c.is_alphabetic() || c.is_numeric()));
    }
}

/// UIT-VSFC's words for characters. A slash written as `fraction` alone is no proof: English has the word too.
fn has_placeholder(text: &str) -> bool {
    const SURE: [&str; 8] =
        ["colonsmile", "colonlove", "colonsad", "doubledot", "dotdotdot", "colonbig", "colonhihi", "wzjwz"];
    let bytes = text.as_bytes();
    let begins = |(at, first): (usize, &u8)| {
        matches!(first, b'c' | b'd' | b'w')
            && bytes.get(at..).is_some_and(|rest| SURE.iter().any(|word| rest.starts_with(word.as_bytes())))
    };
    bytes.iter().enumerate().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Mark> {
        let mut marks = Marks::of_characters(text);
        text.split_whitespace().for_each(|token| marks.look_at(token));
        let found: Vec<Mark> = marks.each().collect();
        assert!(Mark::ALL.into_iter().filter(|m| marks.has(*m)).eq(found.iter().copied()));
        found
    }

    #[test]
    fn each_mark_has_its_own_bit() {
        let mut all = Marks::default();
        for (i, mark) in Mark::ALL.into_iter().enumerate() {
            assert!(!all.has(mark), "{mark:?} shares its bit");
            all.set(mark, true);
            assert_eq!(mark as usize, i, "ALL is in the order of definition");
        }
    }

    #[test]
    fn texts_show_what_they_hold() {
        assert_eq!(found("Profit rose"), [Mark::Ascii]);
        assert_eq!(
            found("$AAPL up 5%, see https://t.co/x @cnbc #stocks"),
            [Mark::Url, Mark::CashTag, Mark::HashTag, Mark::Mention, Mark::Number, Mark::LowerCase, Mark::Ascii][..]
                .iter()
                .copied()
                .filter(|m| *m != Mark::LowerCase)
                .collect::<Vec<_>>()
        );
        assert!(found("AT&amp;T").contains(&Mark::Entity) && !found("S&P").contains(&Mark::Entity));
        assert!(found("giÃ¡ tăng").contains(&Mark::Mojibake) && !found("giá tăng").contains(&Mark::Mojibake));
        assert!(found("Sepp+ñl+ñ").contains(&Mark::Mojibake));
        assert!(found("a\u{fffd}b").contains(&Mark::Damaged));
        assert!(
            found("tie\u{302}\u{301}ng").contains(&Mark::Decomposed) && !found("tiếng").contains(&Mark::Decomposed)
        );
        assert!(found("Ðà Nẵng").contains(&Mark::LookAlike));
        assert!(found("rất vui colonsmile").contains(&Mark::Placeholder));
        assert!(found("zero\u{200b}width").contains(&Mark::Invisible));
        assert!(found("$5 and #1").iter().all(|m| !matches!(m, Mark::CashTag | Mark::HashTag)));
    }
}
