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

mod bayes;
mod encoding;
mod key;
mod language;
mod minhash;
mod near;
mod placeholders;
mod spacing;
mod stopwords;
mod tokens;
mod unicode;

pub use bayes::NaiveBayes;
pub use encoding::{repair_dos_boxes, repair_encoding};
pub use key::{comparison_key, text_id, unify_tone_marks};
pub use language::{Detected, LanguageGuess, detect_language};
pub use minhash::{MinHasher, Signature};
pub use near::{Clusters, jaccard, near_duplicates};
pub use placeholders::restore_placeholders;
pub use spacing::detokenise;
pub use stopwords::{ENGLISH_STOP_WORDS, VIETNAMESE_STOP_WORDS, is_stop_word};
pub use tokens::{character_ngrams, ngram_hashes, words};
pub use unicode::{collapse_whitespace, is_damaged, nfc, unescape_entities};
