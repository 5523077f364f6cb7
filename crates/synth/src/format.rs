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

/// Whether a candidate is one well-formed, sentence-like line; otherwise what is wrong with it.
pub(crate) fn well_formed(text: &str, complete: bool, config: &Config) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("empty".into());
    }
    if let Some(c) = text.chars().find(|c| c.is_control() || *c == '\u{fffd}') {
        return Err(format!("contains U+{:04X}", c as u32));
    }
    let words: Vec<String> = text::words(text).collect();
    if words.len() < config.min_words {
        return Err(format!("{} words, at least {}", words.len(), config.min_words));
    }
    if words.len() > config.max_words {
        return Err(format!("{} words, at most {}", words.len(), config.max_words));
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
        return Err(format!("ends with `{last}`"));
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
        let config = Config::default();
        let cases = [
            ("", true, "empty"),
            ("Profit rose.", true, "2 words"),
            ("Profit rose at the mill\u{7} again today.", true, "U+0007"),
            ("Profit rose at the mill in the", true, "ends with `the`"),
            ("Profit rose at the mill agai", false, "cut off"),
            (", profit rose at the mill again.", true, "begins"),
            ("Profit rose at the mill again,", true, "ends in the middle"),
            ("\"Tom, profit rose at the mill again.", true, "open"),
            ("up up up and up it goes", true, "repeats"),
            ("1 2 3 4 5 6 7 8 9 10 11 12.", true, "letters"),
        ];
        for (text, complete, expected) in cases {
            let message = well_formed(text, complete, &config).unwrap_err();
            assert!(message.contains(expected), "{text:?}: {message}");
        }
        let long = (0..60).map(|i| format!("word{i}")).collect::<Vec<_>>().join(" ");
        assert!(well_formed(&long, true, &config).unwrap_err().contains("at most 45"));
        well_formed("Profit rose 3.2% at the mill in May.", true, &config).unwrap();
        well_formed("The mill did not disclose the sum it applied for.", true, &config).unwrap();
        assert!(well_formed("The mill did not disclose the sum it applied for", true, &config).is_err());
        well_formed("$ACME wins a large order in Hanoi", true, &config).unwrap();
    }
}
