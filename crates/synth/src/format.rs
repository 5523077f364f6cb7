use crate::Config;

/// Function words that no sentence ends with.
const DANGLING: &[&str] = &[
    "a", "an", "and", "because", "but", "if", "its", "or", "than", "the", "their", "while", "và", "của", "với", "từ",
    "những", "các", "một", "để", "vì", "nhưng", "trong",
];
/// Those that only a sentence with a mark at its end may end with: `the sum it applied for.`
const OPEN: &[&str] =
    &["as", "at", "by", "for", "from", "in", "into", "of", "on", "that", "to", "which", "with", "là", "do"];

/// Shares below and above which a text is no sentence: letters among all characters, different words among all words.
const MIN_LETTERS: f64 = 0.55;
const MIN_DIFFERENT: f64 = 0.5;

/// Real rows below which a fiftieth of them is nobody.
const MIN_ROWS: usize = 50;

/// How many words a text may have: what the settings say, and what is common among the real rows, which are always right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    least: usize,
    most: usize,
}

impl Lengths {
    /// From the settings, widened to the middle 96 % of the real texts.
    pub(crate) fn of(config: &Config, real: &[&str]) -> Self {
        let mut words: Vec<usize> = real.iter().map(|text| text::words(text).count()).collect();
        words.sort_unstable();
        let cut = words.len() / MIN_ROWS;
        let mut lengths = Self { least: config.min_words, most: config.max_words };
        if let (true, Some(least), Some(most)) = (cut > 0, words.get(cut), words.iter().rev().nth(cut)) {
            lengths.least = lengths.least.min((*least).max(1));
            lengths.most = lengths.most.max(*most);
        }
        lengths
    }
}

/// Whether a candidate is one well-formed, sentence-like line; otherwise what is wrong with it.
pub(crate) fn well_formed(text: &str, complete: bool, lengths: Lengths) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("empty".into());
    }
    if let Some(c) = text.chars().find(|c| c.is_control() || *c == '\u{fffd}') {
        return Err(format!("contains U+{:04X}", c as u32));
    }
    let words: Vec<String> = text::words(text).collect();
    if words.len() < lengths.least {
        return Err(format!("{} words, at least {}", words.len(), lengths.least));
    }
    if words.len() > lengths.most {
        return Err(format!("{} words, at most {}", words.len(), lengths.most));
    }
    if !complete {
        return Err("cut off by the limit of tokens".into());
    }
    if !text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '$' | '#' | '€' | '£' | '"' | '“' | '\'' | '('))
    {
        return Err("begins in the middle of something".into());
    }
    if !text
        .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '!' | '?' | '…' | '%' | ')' | '"' | '”' | '\''))
    {
        return Err("ends in the middle of something".into());
    }
    let count = |mark: char| text.chars().filter(|c| *c == mark).count();
    if count('"') % 2 == 1 || count('“') != count('”') || count('(') != count(')') {
        return Err("a quote or bracket is open".into());
    }
    let marked = text.ends_with(['.', '!', '?', '…']);
    let dangles = |w: &&String| DANGLING.contains(&w.as_str()) || (!marked && OPEN.contains(&w.as_str()));
    if let Some(last) = words.last().filter(dangles) {
        return Err(format!("ends with “{last}”"));
    }
    let visible = text.chars().filter(|c| !c.is_whitespace()).count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    if (letters as f64) < MIN_LETTERS * visible as f64 {
        return Err(format!("{letters} letters among {visible} characters"));
    }
    let mut different = words.clone();
    different.sort_unstable();
    different.dedup();
    let stutters = words.windows(3).any(|w| w.iter().all(|word| Some(word) == w.first()));
    if stutters || (different.len() as f64) < MIN_DIFFERENT * words.len() as f64 {
        return Err(format!("repeats itself: {} different words of {}", different.len(), words.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_malformed_text_is_refused_for_its_own_reason() {
        let lengths = Lengths::of(&Config::default(), &[]);
        let cases = [
            ("", true, "empty"),
            ("Profit rose.", true, "2 words"),
            ("Profit rose at the mill\u{7} again today.", true, "U+0007"),
            ("Profit rose at the mill in the", true, "ends with “the”"),
            ("Profit rose at the mill agai", false, "cut off"),
            (", profit rose at the mill again.", true, "begins"),
            ("Profit rose at the mill again,", true, "ends in the middle"),
            ("\"Tom, profit rose at the mill again.", true, "open"),
            ("up up up and up it goes", true, "repeats"),
            ("1 2 3 4 5 6 7 8 9 10 11 12.", true, "letters"),
        ];
        for (text, complete, expected) in cases {
            let message = well_formed(text, complete, lengths).unwrap_err();
            assert!(message.contains(expected), "{text:?}: {message}");
        }
        let long = (0..60).map(|i| format!("word{i}")).collect::<Vec<_>>().join(" ");
        assert!(well_formed(&long, true, lengths).unwrap_err().contains("at most 45"));
        well_formed("Profit rose 3.2% at the mill in May.", true, lengths).unwrap();
        well_formed("The mill did not disclose the sum it applied for.", true, lengths).unwrap();
        assert!(well_formed("The mill did not disclose the sum it applied for", true, lengths).is_err());
        well_formed("$ACME wins a large order in Hanoi", true, lengths).unwrap();
    }

    #[test]
    fn a_length_that_is_common_among_the_real_rows_is_no_fault() {
        let short = "thầy dạy giỏi.";
        let long = "giảng viên giảng bài dễ hiểu và trả lời mọi câu hỏi của sinh viên. ".repeat(4);
        let mut real = vec!["giảng viên giảng bài rất dễ hiểu."; 90];
        let settings = Lengths::of(&Config::default(), &real);
        assert!(well_formed(short, true, settings).unwrap_err().contains("at least 5"));
        real.extend([short; 5]);
        real.extend([long.as_str(); 5]);
        let widened = Lengths::of(&Config::default(), &real);
        assert_eq!(widened, Lengths { least: 3, most: 60 });
        well_formed(short, true, widened).unwrap();
        assert!(well_formed("dễ.", true, widened).unwrap_err().contains("at least 3"));
        real.truncate(91);
        assert_eq!(Lengths::of(&Config::default(), &real), settings, "one row in a hundred is not common");
    }
}
