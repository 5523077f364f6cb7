use crate::Aspect;
use artifacts::rows::Language;
use serde::Serialize;

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Changes how figures are to be read.
    Warning,
    /// Results on these rows must not be believed.
    Critical,
}

/// Something about the rows that would spoil a result, with its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the message says what the fields are")]
pub enum Alert {
    /// The same text in two splits.
    Leakage { language: Language, texts: u64 },
    /// Near copies in two splits.
    NearLeakage { language: Language, clusters: u64, threshold: f64 },
    /// The same text with two labels.
    ConflictingLabels { language: Language, texts: u64 },
    /// Near copies with different labels.
    NearConflictingLabels { language: Language, clusters: u64 },
    /// The same text twice in a split.
    Repeats { language: Language, split: String, rows: u64 },
    /// A class without a row.
    MissingClass { language: Language, split: String, label: String },
    /// Classes of very different size.
    Imbalance { language: Language, split: String, ratio: f64, limit: f64 },
    /// A class too small for its scores to mean much.
    FewRows { language: Language, split: String, label: String, rows: u64, limit: u64 },
    /// Rows in another language than stated.
    LanguageMismatch { language: Language, split: String, share: f64, limit: f64 },
    /// Rows that name their own label.
    LabelWord { language: Language, split: String, share: f64, limit: f64 },
    /// The source gives the label away.
    SourceTellsLabel { language: Language, cramers_v: f64, limit: f64 },
    /// A split differs from the reference more than chance would have it.
    SplitShift { language: Language, aspect: Aspect, reference: String, split: String, distance: f64, chance: f64 },
}

impl Alert {
    /// How much it matters.
    pub fn level(&self) -> Level {
        match self {
            Self::Leakage { .. } | Self::NearLeakage { .. } | Self::MissingClass { .. } => Level::Critical,
            Self::ConflictingLabels { .. }
            | Self::Imbalance { .. }
            | Self::FewRows { .. }
            | Self::LanguageMismatch { .. }
            | Self::LabelWord { .. }
            | Self::SourceTellsLabel { .. } => Level::Warning,
            Self::NearConflictingLabels { .. } | Self::Repeats { .. } | Self::SplitShift { .. } => Level::Note,
        }
    }

    /// What it is, in a few words.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Leakage { .. } => "Leakage",
            Self::NearLeakage { .. } => "Near leakage",
            Self::ConflictingLabels { .. } => "Conflicting labels",
            Self::NearConflictingLabels { .. } => "Near copies with different labels",
            Self::Repeats { .. } => "Repeated rows",
            Self::MissingClass { .. } => "Missing class",
            Self::Imbalance { .. } => "Imbalance",
            Self::FewRows { .. } => "Few rows of a class",
            Self::LanguageMismatch { .. } => "Language mismatch",
            Self::LabelWord { .. } => "Label in the text",
            Self::SourceTellsLabel { .. } => "Source tells the label",
            Self::SplitShift { .. } => "Splits differ",
        }
    }

    /// The figures and what they mean.
    pub fn message(&self) -> String {
        let percent = |share: f64| report::format::percent(Some(share), 1);
        match self {
            Self::Leakage { language, texts } => {
                format!("{language}: {texts} texts are in more than one split; scores on them measure memory.")
            }
            Self::NearLeakage { language, clusters, threshold } => format!(
                "{language}: {clusters} clusters of near copies (similarity {threshold} or more) lie across splits."
            ),
            Self::ConflictingLabels { language, texts } => {
                format!("{language}: {texts} texts occur with more than one label; no model can be right on them.")
            }
            Self::NearConflictingLabels { language, clusters } => {
                format!("{language}: {clusters} clusters of near copies carry more than one label; read them below.")
            }
            Self::Repeats { language, split, rows } => {
                format!("{language}, {split}: {rows} rows repeat a text of the same split.")
            }
            Self::MissingClass { language, split, label } => {
                format!("{language}, {split}: no row is {label}; macro F1 over three classes is not what it seems.")
            }
            Self::Imbalance { language, split, ratio, limit } => format!(
                "{language}, {split}: the largest class has {ratio:.1} times the rows of the smallest (limit {limit}); \
                 accuracy flatters, read macro F1."
            ),
            Self::FewRows { language, split, label, rows, limit } => format!(
                "{language}, {split}: only {rows} rows are {label} (limit {limit}); one row moves its recall by {}.",
                percent(1.0 / (*rows).max(1) as f64)
            ),
            Self::LanguageMismatch { language, split, share, limit } => format!(
                "{language}, {split}: {} of the rows seem to be in another language (limit {}).",
                percent(*share),
                percent(*limit)
            ),
            Self::LabelWord { language, split, share, limit } => format!(
                "{language}, {split}: {} of the rows contain the name of their own label (limit {}).",
                percent(*share),
                percent(*limit)
            ),
            Self::SourceTellsLabel { language, cramers_v, limit } => format!(
                "{language}: source and label go together (Cramér's V {cramers_v:.2}, limit {limit}); a model may learn \
                 the source."
            ),
            Self::SplitShift { language, aspect, reference, split, distance, chance } => format!(
                "{language}: {} of {split} differ from {reference}: Jensen–Shannon distance {distance:.3}, random splits \
                 stay below {chance:.3}.",
                aspect.name()
            ),
        }
    }
}
