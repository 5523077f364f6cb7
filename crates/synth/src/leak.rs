use crate::prompts::heading;
use artifacts::rows::{Language, Sentiment};

/// Words that name a label. A candidate with one of them teaches the word and not the sense.
const ENGLISH: &[&str] =
    &["negative", "negatively", "negatives", "neutral", "positive", "positively", "positives", "sentiment"];
const VIETNAMESE: &[&str] = &["tiêu cực", "tích cực", "trung lập", "trung tính", "tin tốt", "tin xấu"];

/// What in a text gives its label away, if anything: a label's name, in either language, or one of the headings.
pub(crate) fn names_its_label(text: &str) -> Option<String> {
    if let Some(word) = text::words(text).find(|w| ENGLISH.contains(&w.as_str())) {
        return Some(word);
    }
    let lower = text::nfc(text).to_lowercase();
    if let Some(word) = VIETNAMESE.iter().find(|w| lower.contains(**w)) {
        return Some((*word).to_owned());
    }
    let headings =
        Language::ALL.iter().flat_map(|language| Sentiment::ALL.iter().map(|label| heading(*language, *label)));
    headings.map(|h| h.trim_end_matches(':').to_lowercase()).find(|h| lower.contains(h.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_words_and_headings_leak_and_other_words_do_not() {
        assert_eq!(names_its_label("Analysts are Positive on Acme.").as_deref(), Some("positive"));
        assert_eq!(names_its_label("Triển vọng TÍCH CỰC của Acme").as_deref(), Some("tích cực"));
        assert_eq!(names_its_label("Acme said: bad news today for all").as_deref(), Some("bad news today"));
        assert_eq!(names_its_label("Acme made photos from its negativeless film"), None);
    }
}
