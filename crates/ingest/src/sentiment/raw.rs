use super::clean::clean;
use super::config::{SourceConfig, SourceKind};
use super::journal::Journal;
use crate::labels::{collapse, known_labels, vsfc_codes};
use artifacts::rows::{Language, Rejected, Sentiment};
use std::path::Path;
use text::{Detected, comparison_key, detect_language, is_damaged};

/// The part of a data set that its authors put a row into. Ordered by how much it is protected: of equal texts, the copy in the
/// more protected part stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Split {
    /// No official split.
    None,
    Train,
    Validation,
    Test,
}

impl Split {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "all",
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// A row as a reader found it.
#[derive(Debug, Clone)]
pub(super) struct RawRow {
    /// Number of the source: equal texts get one vote for each source and label.
    pub(super) vote: usize,
    pub(super) source: String,
    pub(super) language: Language,
    pub(super) split: Split,
    pub(super) row: u64,
    pub(super) text: String,
    pub(super) raw_label: String,
    pub(super) instruction: Option<String>,
}

/// A row with a label and clean text.
#[derive(Debug, Clone)]
pub(super) struct CleanRow {
    pub(super) raw: RawRow,
    pub(super) label: Sentiment,
    /// The comparison key of `raw.text`, which is clean by now.
    pub(super) key: String,
}

/// Rows read so far.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) rows: Vec<CleanRow>,
    pub(super) rejected: Vec<Rejected>,
    pub(super) read: u64,
    pub(super) check_language: bool,
    pub(super) journal: Journal,
}

/// Below this a wrong-language verdict is not acted upon: names and jargon are not proof. Of FinGPT's 14,000 different texts,
/// those above it are all in another language; below 0.61 company names (`Les Hôtels de Paris`) begin.
const SURE: f64 = 0.65;

impl Collector {
    pub(super) fn new(check_language: bool, journal: Journal) -> Self {
        Self { rows: Vec::new(), rejected: Vec::new(), read: 0, check_language, journal }
    }

    pub(super) fn refuse(&mut self, source: &str, row: u64, text: &str, label: &str, reason: &str, detail: &str) {
        self.rejected.push(Rejected::new(source, row, text, label, reason, detail));
    }

    /// Cleans a row and keeps it, or refuses it with the reason.
    pub(super) fn add(&mut self, source: &SourceConfig, mut raw: RawRow, file: &Path) {
        let file = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let at = format!("{file}: row {}", raw.row);
        let found = raw.text.clone();
        raw.text = clean(&raw, source.kind, &mut self.journal);
        if let Err((reason, detail)) = self.check(&raw, source, &at).map(|label| {
            let key = comparison_key(&raw.text);
            self.rows.push(CleanRow { raw: raw.clone(), label, key });
        }) {
            self.refuse(&raw.source, raw.row, &found, &raw.raw_label, reason, &detail);
        }
    }

    fn check(&self, raw: &RawRow, source: &SourceConfig, at: &str) -> Result<Sentiment, (&'static str, String)> {
        if raw.text.is_empty() {
            return Err(("empty-text", format!("{at}: no text")));
        }
        if is_damaged(&raw.text) {
            return Err(("unrepairable-encoding", format!("{at}: U+FFFD stands where characters were lost")));
        }
        let mut own = source.labels.clone();
        if source.kind == SourceKind::Vsfc {
            own.extend(vsfc_codes());
        }
        let Some(label) = collapse(&raw.raw_label, &own) else {
            let (label, known) = (&raw.raw_label, known_labels(&own));
            let detail = format!(
                "{at}: unknown label \"{label}\"; known labels are {known}; map it under `labels` or with --labels"
            );
            return Err(("unknown-label", detail));
        };
        let guess = detect_language(&raw.text);
        let expected = match raw.language {
            Language::English => Detected::English,
            Language::Vietnamese => Detected::Vietnamese,
        };
        let wrong = guess.language != expected && guess.language != Detected::Unknown && guess.confidence >= SURE;
        // An official test part stays whole, so that figures on it can be compared with those of others.
        if self.check_language && wrong && raw.split != Split::Test {
            let detail = format!(
                "{at}: looks like {:?} (confidence {:.2}), not {}",
                guess.language, guess.confidence, raw.language
            );
            return Err(("wrong-language", detail));
        }
        Ok(label)
    }
}
