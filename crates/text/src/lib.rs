//! Pure functions on text, for English and Vietnamese: repair, comparison, near duplicates, language, a small classifier.
//!
//! Nothing here reads a file, a clock or the environment. The order in which a corpus is cleaned is
//! [`nfc`] → [`repair_encoding`] (and [`repair_dos_boxes`] for English) → [`restore_placeholders`] (UIT-VSFC only) →
//! [`detokenise`] → [`comparison_key`].
//!
//! ```
//! use text::{comparison_key, detokenise, restore_placeholders};
//! let raw = "cô dạy dễ hiểu , vui tính colonsmile .";
//! let clean = detokenise(&restore_placeholders(raw));
//! assert_eq!(clean, "cô dạy dễ hiểu, vui tính :).");
//! assert_eq!(comparison_key(&clean), comparison_key("Cô dạy dễ hiểu, vui tính!"));
//! ```

mod answer_metrics;
mod bayes;
mod diversity;
mod encoding;
mod fast_map;
mod forest;
mod join;
mod key;
mod language;
mod minhash;
mod near;
mod perturb;
mod placeholders;
mod register;
mod short_words;
mod spacing;
mod stopwords;
mod syllable;
mod tfidf;
mod tickers;
mod tokens;
mod unicode;
mod vietnamese;

pub use answer_metrics::{entity_f1, exact_match, parse_entities, rouge_l, token_f1};
pub use bayes::NaiveBayes;
pub use diversity::{compression_ratio, distinct, self_bleu};
pub use encoding::{repair_dos_boxes, repair_encoding};
pub use fast_map::{FastHasher, FastMap};
pub use join::{SimilarPair, similar_pairs, similar_to};
pub use key::{comparison_key, text_id, unify_tone_marks};
pub use language::{Detected, LanguageEvidence, LanguageGuess, detect_language};
pub use minhash::{MinHasher, Signature};
pub use near::{Clusters, all_near_duplicates, jaccard, near_duplicates};
pub use perturb::{nfd, typos};
pub use placeholders::restore_placeholders;
pub use register::{ENGLISH_NEGATIONS, VIETNAMESE_NEGATIONS, is_english_chat, is_negation, is_vietnamese_chat};
pub use spacing::detokenise;
pub use stopwords::{ENGLISH_STOP_WORDS, VIETNAMESE_STOP_WORDS, is_stop_word};
pub use tfidf::{TfIdf, TfIdfConfig};
pub use tickers::tickers;
pub use tokens::{character_ngrams, each_word, ngram_hashes, words};
pub use unicode::{collapse_whitespace, is_damaged, nfc, unescape_entities};
pub use vietnamese::{UnicodeForm, is_syllable, look_alikes, tone_placement, unicode_form, without_marks};
