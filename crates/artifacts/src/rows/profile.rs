use super::within;
use crate::Checks;
use crate::column::text_enum;
use crate::row::rows;

text_enum! {
    /// How much an alert matters.
    AlertLevel, "alert level" {
        /// Worth knowing.
        Note = "note",
        /// Changes how figures are to be read.
        Warning = "warning",
        /// Results on these rows must not be believed.
        Critical = "critical",
    }
}

text_enum! {
    /// What is wrong with some rows of a data set.
    AlertKind, "alert kind" {
        /// The same text, byte for byte, more than once.
        Duplicates = "duplicates",
        /// The same text but for case, spacing and punctuation.
        FoldedDuplicates = "folded-duplicates",
        /// The same text with different labels.
        ConflictingLabels = "conflicting-labels",
        /// Near copies with different labels.
        NearConflictingLabels = "near-conflicting-labels",
        /// The same text in two splits.
        Leakage = "leakage",
        /// Near copies in two splits.
        NearLeakage = "near-leakage",
        /// Classes of very different size.
        Imbalance = "imbalance",
        /// A class too small for its scores to mean much.
        FewRows = "few-rows",
        /// Labels that are not expected, or expected ones that do not occur.
        LabelSet = "label-set",
        /// Text decoded with the wrong character set, or damaged for good.
        Encoding = "encoding",
        /// HTML entities, control or invisible characters.
        Markup = "markup",
        /// Text in another language than stated.
        Language = "language",
        /// Texts far longer or shorter than the others.
        LengthOutliers = "length-outliers",
        /// Texts longer than the model reads.
        TooManyTokens = "too-many-tokens",
        /// Rows without text or without label.
        Missing = "missing",
        /// Rows that could not be read at all.
        Unreadable = "unreadable",
        /// The source gives the label away.
        SourceTellsLabel = "source-tells-label",
        /// Texts that name their own label.
        LabelWord = "label-word",
        /// Letters and marks apart (NFD) among composed text.
        UnicodeForm = "unicode-form",
        /// Vietnamese letters written with look-alikes, such as Ð for Đ.
        LookAlikes = "look-alikes",
        /// Both places of the Vietnamese tone mark (hoà, hòa).
        TonePlacement = "tone-placement",
        /// Words that stand for characters (colonsmile).
        Placeholders = "placeholders",
        /// Web addresses.
        Urls = "urls",
        /// Cash tags, hash tags and mentions.
        Tickers = "tickers",
        /// Chat spelling among standard spelling.
        Register = "register",
        /// A split or a source differs from the reference more than chance would have it.
        Shift = "shift",
        /// Labels that a classifier trained on the other rows contradicts.
        LabelErrors = "label-errors",
    }
}

rows! {
    /// Something about a data set that would spoil a result, with its figures.
    DataAlert = "data-alert", version 1, may_be_empty {
        /// What it is.
        kind: AlertKind,
        /// How much it matters.
        level: AlertLevel,
        /// Of which rows: a language, or `all`.
        subject: String,
        /// The split, the source or the pair of splits; `all` otherwise.
        slice: String,
        /// How many rows or texts.
        count: u64,
        /// Out of how many.
        total: u64,
        /// The figure compared with the limit: mostly count over total.
        value: f64,
        /// The limit of the settings that it crosses.
        limit: f64,
        /// Whether the count is exact; otherwise it is estimated from a uniform sample of texts.
        exact: bool,
        /// The figures and what they mean.
        message: String,
        /// What to do about it.
        remedy: String,
        /// Some of the rows, as `row: text`.
        examples: Vec<String>,
    }

    /// One figure of a data set's profile.
    ProfileFigure = "profile-figure", version 1, not_empty {
        /// The part of the profile: `labels`, `lengths`, `ngrams`, `comparison` …
        section: String,
        /// Of which rows: a language, or `all`.
        subject: String,
        /// The split, the source, the pair compared.
        slice: String,
        /// Which figure.
        name: String,
        /// The thing it is about, where that is a text: a word, a label, the distance used.
        item: String,
        /// Its value; none where it is not defined.
        value: Option<f64>,
        /// From how many rows.
        n: u64,
    }

    /// How far the label of one text is to be trusted (confident learning).
    LabelScore = "label-score", version 1, may_be_empty {
        /// Of which rows: a language, or `all`.
        subject: String,
        /// The file or split.
        split: String,
        /// Row in it, from 0: the first with this text.
        row: u64,
        /// The text.
        text: String,
        /// The label it has.
        label: String,
        /// The label that a classifier trained on the other rows finds likeliest.
        likely: String,
        /// Its out-of-fold probability of the given label.
        self_confidence: f64,
        /// That minus the largest probability of another label.
        margin: f64,
        /// Whether confident learning counts it as a likely error.
        suspicious: bool,
    }
}

impl Checks for DataAlert {}
impl Checks for ProfileFigure {}
impl Checks for LabelScore {
    fn check(&self) -> Result<(), String> {
        within("self_confidence", Some(self.self_confidence), 0.0, 1.0)
    }
}
