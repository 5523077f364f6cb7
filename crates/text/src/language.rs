use crate::each_word;
use crate::short_words::Lists;
use crate::syllable::has_form;

/// What language a text seems to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    /// English.
    English,
    /// Vietnamese, with its diacritics.
    Vietnamese,
    /// Something else (Spanish, German, Chinese …).
    Other,
    /// Too little to tell: numbers, symbols, names.
    Unknown,
}

/// The answer of [`detect_language`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LanguageGuess {
    /// The most likely language.
    pub language: Detected,
    /// From 0 to 1: the winner's share of all evidence, discounted where there is little of it.
    pub confidence: f64,
}

/// Words that English has and Vietnamese, Spanish, German, French and Italian do not.
pub(crate) const ENGLISH: &[&str] = &[
    "about", "after", "also", "and", "any", "are", "as", "at", "be", "been", "but", "by", "company", "could", "for",
    "from", "had", "has", "have", "he", "his", "how", "i", "if", "is", "it", "its", "market", "more", "my", "new",
    "not", "of", "on", "or", "our", "out", "price", "profit", "sales", "said", "shares", "she", "stock", "than",
    "that", "the", "their", "there", "they", "this", "to", "up", "was", "we", "were", "what", "when", "which", "who",
    "why", "will", "with", "would", "year", "you", "your",
];
/// Frequent Vietnamese words without letters that only Vietnamese has.
pub(crate) const VIETNAMESE: &[&str] = &[
    "bài", "cao", "cho", "chung", "chúng", "các", "cách", "còn", "có", "công", "dung", "em", "giá", "hay", "khi",
    "không", "là", "làm", "mong", "mà", "môn", "nay", "ngay", "nghe", "nhanh", "nhanh", "này", "quan", "quá", "ra",
    "sau", "sinh", "so", "theo", "thi", "thành", "thêm", "thì", "thông", "trong", "tình", "và", "vào", "vì", "viên",
    "xem", "xong",
];
/// Function words of other languages in Latin script.
pub(crate) const OTHER: &[&str] = &[
    "al", "auch", "auf", "aus", "avec", "che", "como", "con", "dans", "das", "dass", "de", "dei", "del", "della",
    "dem", "den", "der", "des", "di", "die", "du", "ein", "eine", "einem", "einen", "einer", "el", "en", "entre", "es",
    "est", "et", "il", "im", "ist", "la", "las", "le", "les", "lo", "los", "mais", "mit", "más", "nach", "nicht",
    "non", "não", "oder", "os", "para", "per", "pero", "por", "pour", "qu", "que", "según", "sich", "sind", "sobre",
    "su", "sur", "um", "un", "una", "und", "une", "uma", "von", "wie", "wird", "y", "zu", "zum", "zur", "às",
];

/// Tells English from Vietnamese from anything else, on whole sentences or a few lower-case words.
///
/// Each word adds evidence: letters that only Vietnamese has count most, then function words of each language, then the
/// shape of the word (whether it could be a Vietnamese syllable). Vietnamese without diacritics is not recognised.
///
/// ```
/// use text::{Detected, detect_language};
/// assert_eq!(detect_language("lợi nhuận tăng mạnh").language, Detected::Vietnamese);
/// assert_eq!(detect_language("profit rose sharply").language, Detected::English);
/// assert_eq!(detect_language("der Gewinn ist stark gestiegen").language, Detected::Other);
/// assert_eq!(detect_language("$AAPL 5% !!!").language, Detected::Unknown);
/// ```
pub fn detect_language(text: &str) -> LanguageGuess {
    let mut evidence = LanguageEvidence::default();
    for token in text.split_whitespace().filter(|token| LanguageEvidence::counts(token)) {
        each_word(token, |word| evidence.add(word));
    }
    evidence.guess()
}

/// What [`detect_language`] gathers, for whoever goes through the words of a text anyway.
///
/// ```
/// use text::{LanguageEvidence, detect_language};
/// let text = "profit of $AAPL rose";
/// let mut evidence = LanguageEvidence::default();
/// for token in text.split_whitespace().filter(|token| LanguageEvidence::counts(token)) {
///     text::each_word(token, |word| evidence.add(word));
/// }
/// assert_eq!(evidence.guess(), detect_language(text));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct LanguageEvidence {
    english: f64,
    vietnamese: f64,
    other: f64,
}

impl LanguageEvidence {
    /// Whether a part of a text between white space says anything: cash tags, links and mentions are in no language.
    pub fn counts(token: &str) -> bool {
        !token.starts_with(['$', '@', '#']) && !token.as_bytes().windows(3).any(|part| part == b"://")
    }

    /// Adds a lower-case word; one without a letter says nothing.
    pub fn add(&mut self, word: &str) {
        let ascii = word.is_ascii();
        let letter =
            if ascii { word.bytes().any(|b| b.is_ascii_alphabetic()) } else { word.chars().any(char::is_alphabetic) };
        if !letter {
            return;
        }
        let apostrophe = if ascii { word.bytes().position(|b| b == b'\'') } else { word.find(['\'', '’']) };
        let stem = apostrophe.and_then(|at| word.get(..at)).unwrap_or(word);
        let (english, vietnamese, other) = evidence(stem);
        self.english += english;
        self.vietnamese += vietnamese;
        self.other += other;
    }

    /// The language of most of it.
    pub fn guess(&self) -> LanguageGuess {
        let Self { english, vietnamese, other } = *self;
        let total = english + vietnamese + other;
        let sides =
            [(Detected::English, english), (Detected::Vietnamese, vietnamese), (Detected::Other, other)].into_iter();
        let (language, best) =
            sides.fold((Detected::Unknown, 0.0), |top, next| if next.1 > top.1 { next } else { top });
        // Half a function word of doubt: one short word alone convinces nobody.
        let confidence = best / (total + 0.5);
        if confidence < 0.4 {
            LanguageGuess { language: Detected::Unknown, confidence }
        } else {
            LanguageGuess { language, confidence }
        }
    }
}

/// English, Vietnamese and other evidence of one lower-case word.
fn evidence(word: &str) -> (f64, f64, f64) {
    let ascii = word.is_ascii();
    if !ascii && word.chars().any(|c| matches!(c, 'ă' | 'đ' | 'ơ' | 'ư' | 'ĩ' | 'ũ' | '\u{1ea0}'..='\u{1ef9}')) {
        return (0.0, 2.0, 0.0);
    }
    let listed = Lists::of(word);
    if ascii {
        if listed.has(Lists::ENGLISH) {
            return (1.0, 0.0, 0.0);
        }
        if listed.has(Lists::OTHER) {
            return (0.0, if listed.has(Lists::VIETNAMESE) { 0.5 } else { 0.0 }, 1.0);
        }
        if listed.has(Lists::VIETNAMESE) {
            return (0.1, 0.5, 0.0);
        }
        return if has_form(word) { (0.1, 0.15, 0.05) } else { (0.35, 0.0, 0.15) };
    }
    if listed.has(Lists::VIETNAMESE) {
        return (0.0, 1.0, 0.0);
    }
    if listed.has(Lists::OTHER) {
        return (0.0, 0.0, 1.5);
    }
    if word.chars().any(|c| {
        c.is_alphabetic() && !matches!(c, 'a'..='z' | 'à'..='ã' | 'è'..='ê' | 'ì' | 'í' | 'ò'..='õ' | 'ù' | 'ú' | 'ý')
    }) {
        return (0.0, 0.0, 1.5);
    }
    // á, é, ô and their kind: Vietnamese in a Vietnamese syllable, otherwise Romance.
    let plain: String = word.chars().map(without_mark).collect();
    if has_form(&plain) { (0.0, 0.8, 0.2) } else { (0.1, 0.0, 1.0) }
}

fn without_mark(c: char) -> char {
    match c {
        'à'..='ã' => 'a',
        'è'..='ê' => 'e',
        'ì' | 'í' => 'i',
        'ò'..='õ' => 'o',
        'ù' | 'ú' => 'u',
        'ý' => 'y',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lower_case_sentences_are_told_apart() {
        let cases = [
            ("slide giáo trình đầy đủ .", Detected::Vietnamese),
            ("nhiệt tình , vui vẻ .", Detected::Vietnamese),
            ("thi xong không cho xem bài", Detected::Vietnamese),
            ("operating loss narrowed", Detected::English),
            ("i love teacher x .", Detected::English),
            ("net sales rose to EUR 3.1 mn", Detected::English),
            ("los precios bajan según los analistas", Detected::Other),
            ("der kurs fällt weiter", Detected::Other),
            ("比特币价格上涨", Detected::Other),
            ("12.5 % (3)", Detected::Unknown),
        ];
        for (text, language) in cases {
            let guess = detect_language(text);
            assert_eq!(guess.language, language, "{text}: {guess:?}");
        }
    }

    #[test]
    fn more_of_the_same_language_raises_the_confidence() {
        let short = detect_language("the profit").confidence;
        assert!(detect_language("the profit of the company was up and the market is with it").confidence > short);
    }
}
