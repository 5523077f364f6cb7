use crate::prompts::{heading, wordings};
use artifacts::rows::{Language, Sentiment};
use std::collections::BTreeSet;

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

/// Words in a row that a text must share with a prompt to have copied it.
const COPIED: usize = 5;
/// What assistants say around what they were asked for, and marks of templates.
const FRAMES: &[&str] = &[
    "as an ai",
    "as a language model",
    "certainly!",
    "chắc chắn rồi",
    "dưới đây là",
    "here is a",
    "here is one",
    "here's a",
    "headline:",
    "i cannot",
    "i can't",
    "here are",
    "json",
    "mô hình ngôn ngữ",
    "sure,",
    "sure!",
    "text:",
    "tiêu đề:",
    "[company",
    "[công ty",
    "<|",
    "|>",
    "[/inst]",
    "{\"",
];

/// Finds what a text has of its prompt or of the assistant around it.
pub(crate) struct TemplateLeak {
    runs: BTreeSet<String>,
}

impl TemplateLeak {
    /// Knows the fixed wordings of all prompts, in both languages.
    pub(crate) fn new() -> Self {
        let mut runs = BTreeSet::new();
        for wording in Language::ALL.iter().flat_map(|language| wordings(*language)) {
            let words: Vec<String> = text::words(&wording).collect();
            runs.extend(words.windows(COPIED).map(|run| run.join(" ")));
        }
        Self { runs }
    }

    /// The words that leaked, if any did.
    pub(crate) fn find(&self, text: &str) -> Option<String> {
        let lower = text::nfc(text).to_lowercase();
        if let Some(frame) = FRAMES.iter().find(|frame| lower.contains(**frame)) {
            return Some((*frame).to_owned());
        }
        let words: Vec<String> = text::words(text).collect();
        words.windows(COPIED).map(|run| run.join(" ")).find(|run| self.runs.contains(run))
    }
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

    #[test]
    fn words_of_a_prompt_and_an_assistant_s_frame_leak_and_news_does_not() {
        let leak = TemplateLeak::new();
        let found = |text| leak.find(text);
        assert_eq!(
            found("Acme has one realistic financial news headline").as_deref(),
            Some("one realistic financial news headline")
        );
        assert_eq!(found("Here is a report: Acme wins an order").as_deref(), Some("here is a"));
        assert_eq!(found("Acme, đây là tin tài chính thực tế về lợi nhuận").as_deref(), Some("tin tài chính thực tế"));
        assert_eq!(found("Acme's shareholders back the sale of its bank after a good quarter."), None);
    }
}
