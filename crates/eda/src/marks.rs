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

    /// The marks that need no words: what a look at the characters tells.
    pub(crate) fn of_characters(text: &str) -> Self {
        let mut marks = Self::default();
        let (mut upper, mut lower, mut digit, mut emoji, mut invisible) = (false, false, false, false, false);
        for c in text.chars() {
            if c.is_ascii() {
                upper |= c.is_ascii_uppercase();
                lower |= c.is_ascii_lowercase();
                digit |= c.is_ascii_digit();
                invisible |= c.is_ascii_control() && !c.is_ascii_whitespace();
            } else {
                upper |= c.is_uppercase();
                lower |= c.is_lowercase();
                emoji |= matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}');
                invisible |= c.is_control()
                    || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{202a}'..='\u{202e}');
            }
        }
        let ascii = text.is_ascii();
        marks.set(Mark::UpperCase, upper && !lower);
        marks.set(Mark::LowerCase, lower && !upper);
        marks.set(Mark::Number, digit);
        marks.set(Mark::Emoji, emoji);
        marks.set(Mark::Invisible, invisible);
        marks.set(Mark::Ascii, ascii);
        marks.set(Mark::Entity, text.contains('&') && text::unescape_entities(text) != text);
        marks.set(Mark::Placeholder, has_placeholder(text));
        for word in text.split_whitespace() {
            let inner = word.trim_start_matches(['(', '"', '\'', '[']);
            marks.set(Mark::Url, inner.contains("://") || inner.starts_with("www."));
            let tag = |sign: char, letters_only: bool| {
                inner.strip_prefix(sign).is_some_and(|rest| {
                    rest.chars().next().is_some_and(|c| c.is_alphabetic() || (!letters_only && c.is_numeric()))
                })
            };
            marks.set(Mark::CashTag, tag('$', true));
            marks.set(Mark::HashTag, tag('#', true));
            marks.set(Mark::Mention, tag('@', false));
        }
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
}

/// UIT-VSFC's words for characters. A slash written as `fraction` alone is no proof: English has the word too.
fn has_placeholder(text: &str) -> bool {
    const SURE: [&str; 8] =
        ["colonsmile", "colonlove", "colonsad", "doubledot", "dotdotdot", "colonbig", "colonhihi", "wzjwz"];
    SURE.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Mark> {
        let marks = Marks::of_characters(text);
        Mark::ALL.into_iter().filter(|m| marks.has(*m)).collect()
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
