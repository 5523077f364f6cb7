use crate::profiler::line;
use crate::{Error, Lengths, Subject};
use chat::ChatTokenizer;
use rayon::prelude::*;

/// How many tokens of the model the texts of a subject take in one split. Of the sample: exact where that holds every text.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokens {
    /// Index of the split.
    pub split: usize,
    /// Tokens of a row.
    pub lengths: Lengths,
    /// Words of the same rows.
    pub words: u64,
    /// Vietnamese syllables of the same rows.
    pub syllables: u64,
    /// Characters of the same rows.
    pub characters: u64,
    /// Rows of more tokens than the model is to read.
    pub over: u64,
    /// Some of these.
    pub(crate) examples: Vec<String>,
}

impl Tokens {
    /// Tokens a word: the tokenizer's fertility.
    pub fn per_word(&self) -> Option<f64> {
        ratio(self.lengths.sum(), self.words)
    }

    /// Tokens a character.
    pub fn per_character(&self) -> Option<f64> {
        ratio(self.lengths.sum(), self.characters)
    }
}

fn ratio(a: u64, b: u64) -> Option<f64> {
    (b > 0).then(|| a as f64 / b as f64)
}

/// Texts that say what decomposed letters cost.
const NFD_TEXTS: usize = 500;

/// Tokens of some texts in NFD over tokens of the same texts in NFC.
pub(crate) fn nfd_cost(subject: &Subject, tokenizer: &ChatTokenizer) -> Result<Option<f64>, Error> {
    let (mut composed, mut decomposed) = (0, 0);
    for text in subject.sample.iter().take(NFD_TEXTS) {
        composed += tokenizer.encode(&text::nfc(&text.text))?.len() as u64;
        decomposed += tokenizer.encode(&text::nfd(&text.text))?.len() as u64;
    }
    Ok(ratio(decomposed, composed))
}

/// Counts the tokens of the sample's texts. Also returned: for each text its tokens.
pub(crate) fn count(
    subject: &Subject,
    tokenizer: &ChatTokenizer,
    limit: usize,
    examples: usize,
) -> Result<(Vec<Tokens>, Vec<u32>), Error> {
    let counted: Vec<u32> = subject
        .sample
        .par_iter()
        .map(|text| tokenizer.encode(&text.text).map(|ids| ids.len() as u32))
        .collect::<Result<_, _>>()?;
    let mut splits: Vec<Tokens> = Vec::new();
    for group in &subject.groups {
        let mut tokens = Tokens {
            split: group.split,
            lengths: Lengths::default(),
            words: 0,
            syllables: 0,
            characters: 0,
            over: 0,
            examples: Vec::new(),
        };
        for (text, n) in subject.sample.iter().zip(&counted) {
            let rows: u64 = text.occurrences.iter().filter(|o| o.split == group.split).map(|o| o.rows).sum();
            if rows == 0 {
                continue;
            }
            tokens.lengths.add_rows(*n, rows);
            tokens.words += u64::from(text.words) * rows;
            tokens.syllables += u64::from(text.syllables) * rows;
            tokens.characters += u64::from(text.characters) * rows;
            if *n as usize > limit {
                tokens.over += rows;
                if tokens.examples.len() < examples {
                    tokens.examples.push(format!("{n} tokens: {}", line(text.row, &text.text)));
                }
            }
        }
        splits.push(tokens);
    }
    Ok((splits, counted))
}
