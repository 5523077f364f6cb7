use crate::sample::SampleText;
use crate::{Mark, Profile};
use std::borrow::Cow;
use text::FastMap;

/// The words of every text of the sample, numbered in the order met. Links have none: their pieces say nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary {
    names: Vec<String>,
    /// For each subject and each text of its sample, the numbers of its words.
    texts: Vec<Vec<Vec<u32>>>,
}

impl Vocabulary {
    pub(crate) fn new(profile: &Profile) -> Self {
        let mut vocabulary = Self::default();
        let mut numbers: FastMap<String, u32> = FastMap::default();
        for subject in &profile.subjects {
            let mut texts = Vec::with_capacity(subject.sample.len());
            for text in &subject.sample {
                let mut ids = Vec::with_capacity(text.words as usize);
                text::each_word(&without_links(text), |word| {
                    let id = numbers.get(word).copied().unwrap_or_else(|| {
                        let next = vocabulary.names.len() as u32;
                        vocabulary.names.push(word.to_owned());
                        numbers.insert(word.to_owned(), next);
                        next
                    });
                    ids.push(id);
                });
                texts.push(ids);
            }
            vocabulary.texts.push(texts);
        }
        vocabulary
    }

    /// How many different words.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, word: u32) -> &str {
        self.names.get(word as usize).map_or("", String::as_str)
    }

    /// The words of a text.
    pub(crate) fn of(&self, subject: usize, text: usize) -> &[u32] {
        self.texts.get(subject).and_then(|s| s.get(text)).map_or(&[], Vec::as_slice)
    }
}

/// The text without web addresses.
pub(crate) fn without_links(text: &SampleText) -> Cow<'_, str> {
    if !text.marks.has(Mark::Url) {
        return Cow::Borrowed(&text.text);
    }
    let is_link = |word: &str| word.contains("://") || word.starts_with("www.");
    Cow::Owned(text.text.split_whitespace().filter(|w| !is_link(w)).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_go_and_the_words_around_them_stay() {
        let plain = |text: &str| without_links(&SampleText::of(text)).into_owned();
        assert_eq!(plain("Oil falls https://t.co/x today www.a.b (see ftp://x)"), "Oil falls today (see");
        assert_eq!(plain("Oil  falls"), "Oil  falls");
    }
}
