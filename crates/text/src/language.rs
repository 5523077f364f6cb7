use crate::words;
use std::collections::HashMap;
use std::sync::LazyLock;

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
const ENGLISH: &[&str] = &[
    "about", "after", "also", "and", "any", "are", "as", "at", "be", "been", "but", "by", "company", "could", "for",
    "from", "had", "has", "have", "he", "his", "how", "i", "if", "is", "it", "its", "market", "more", "my", "new",
    "not", "of", "on", "or", "our", "out", "price", "profit", "sales", "said", "shares", "she", "stock", "than",
    "that", "the", "their", "there", "they", "this", "to", "up", "was", "we", "were", "what", "when", "which", "who",
    "why", "will", "with", "would", "year", "you", "your",
];
/// Frequent Vietnamese words without letters that only Vietnamese has.
const VIETNAMESE: &[&str] = &[
    "bài", "cao", "cho", "chung", "chúng", "các", "cách", "còn", "có", "công", "dung", "em", "giá", "hay", "khi",
    "không", "là", "làm", "mong", "mà", "môn", "nay", "ngay", "nghe", "nhanh", "nhanh", "này", "quan", "quá", "ra",
    "sau", "sinh", "so", "theo", "thi", "thành", "thêm", "thì", "thông", "trong", "tình", "và", "vào", "vì", "viên",
    "xem", "xong",
];
/// Function words of other languages in Latin script.
const OTHER: &[&str] = &[
    "al", "auch", "auf", "aus", "avec", "che", "como", "con", "dans", "das", "dass", "de", "dei", "del", "della",
    "dem", "den", "der", "des", "di", "die", "du", "ein", "eine", "einem", "einen", "einer", "el", "en", "entre", "es",
    "est", "et", "il", "im", "ist", "la", "las", "le", "les", "lo", "los", "mais", "mit", "más", "nach", "nicht",
    "non", "não", "oder", "os", "para", "per", "pero", "por", "pour", "qu", "que", "según", "sich", "sind", "sobre",
    "su", "sur", "um", "un", "una", "und", "une", "uma", "von", "wie", "wird", "y", "zu", "zum", "zur", "às",
];

/// Which lists a word stands in.
#[derive(Debug, Clone, Copy, Default)]
struct Lists {
    english: bool,
    vietnamese: bool,
    other: bool,
}

static LISTS: LazyLock<HashMap<&str, Lists>> = LazyLock::new(|| {
    let mut lists: HashMap<&str, Lists> = HashMap::new();
    for word in ENGLISH {
        lists.entry(word).or_default().english = true;
    }
    for word in VIETNAMESE {
        lists.entry(word).or_default().vietnamese = true;
    }
    for word in OTHER {
        lists.entry(word).or_default().other = true;
    }
    lists
});

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
    let [mut english, mut vietnamese, mut other] = [0.0_f64; 3];
    // Cash tags, links and mentions are in no language.
    let plain = text.split_whitespace().filter(|w| !w.starts_with(['$', '@', '#']) && !w.contains("://"));
    for token in plain {
        for word in words(token).filter(|w| w.chars().any(char::is_alphabetic)) {
            let stem = word.split(['\'', '’']).next().unwrap_or(&word);
            let (e, v, o) = evidence(stem);
            english += e;
            vietnamese += v;
            other += o;
        }
    }
    let total = english + vietnamese + other;
    let (language, best) = [(Detected::English, english), (Detected::Vietnamese, vietnamese), (Detected::Other, other)]
        .into_iter()
        .fold((Detected::Unknown, 0.0), |top, next| if next.1 > top.1 { next } else { top });
    // Half a function word of doubt: one short word alone convinces nobody.
    let confidence = best / (total + 0.5);
    if confidence < 0.4 {
        LanguageGuess { language: Detected::Unknown, confidence }
    } else {
        LanguageGuess { language, confidence }
    }
}

/// English, Vietnamese and other evidence of one lower-case word.
fn evidence(word: &str) -> (f64, f64, f64) {
    if word.chars().any(|c| matches!(c, 'ă' | 'đ' | 'ơ' | 'ư' | 'ĩ' | 'ũ' | '\u{1ea0}'..='\u{1ef9}')) {
        return (0.0, 2.0, 0.0);
    }
    let listed = LISTS.get(word).copied().unwrap_or_default();
    if word.is_ascii() {
        if listed.english {
            return (1.0, 0.0, 0.0);
        }
        if listed.other {
            return (0.0, if listed.vietnamese { 0.5 } else { 0.0 }, 1.0);
        }
        if listed.vietnamese {
            return (0.1, 0.5, 0.0);
        }
        return if is_vietnamese_syllable(word) { (0.1, 0.15, 0.05) } else { (0.35, 0.0, 0.15) };
    }
    if listed.vietnamese {
        return (0.0, 1.0, 0.0);
    }
    if listed.other {
        return (0.0, 0.0, 1.5);
    }
    if word.chars().any(|c| {
        c.is_alphabetic() && !matches!(c, 'a'..='z' | 'à'..='ã' | 'è'..='ê' | 'ì' | 'í' | 'ò'..='õ' | 'ù' | 'ú' | 'ý')
    }) {
        return (0.0, 0.0, 1.5);
    }
    // á, é, ô and their kind: Vietnamese in a Vietnamese syllable, otherwise Romance.
    let plain: String = word.chars().map(without_mark).collect();
    if is_vietnamese_syllable(&plain) { (0.0, 0.8, 0.2) } else { (0.1, 0.0, 1.0) }
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

/// Whether an ASCII word has the form of a Vietnamese syllable: onset, one to three vowels, coda.
fn is_vietnamese_syllable(word: &str) -> bool {
    const ONSETS: &[&str] = &[
        "ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr", "b", "c", "d", "g", "h", "k", "l", "m", "n",
        "p", "r", "s", "t", "v", "x", "",
    ];
    const CODAS: &[&str] = &["", "c", "ch", "m", "n", "ng", "nh", "p", "t"];
    let is_vowel = |c: char| "aeiouy".contains(c);
    ONSETS.iter().filter_map(|onset| word.strip_prefix(onset)).any(|rhyme| {
        let vowels = rhyme.chars().take_while(|&c| is_vowel(c)).count();
        (1..=3).contains(&vowels) && rhyme.get(vowels..).is_some_and(|coda| CODAS.contains(&coda))
    })
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
