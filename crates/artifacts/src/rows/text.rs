use crate::Checks;
use crate::column::text_enum;
use crate::row::rows;

text_enum! {
    /// What a piece of news says about its subject's prospects. The order is that of the UIT-VSFC codes 0, 1, 2.
    Sentiment, "sentiment" {
        /// Bad news.
        Negative = "negative",
        /// Neither, or both in balance.
        Neutral = "neutral",
        /// Good news.
        Positive = "positive",
    }
}

text_enum! {
    /// The languages the model is tuned for (ISO 639-1).
    Language, "language" {
        /// English.
        English = "en",
        /// Vietnamese.
        Vietnamese = "vi",
    }
}

rows! {
    /// One labelled text, clean: what `ingest` and `synth` write and every text stage reads.
    Example = "example", version 1, not_empty {
        /// 16 hexadecimal digits of the blake3 of language and comparison key: equal texts have equal ids.
        id: String,
        /// The text, NFC, repaired, trimmed.
        text: String,
        /// The label, collapsed to three values.
        label: Sentiment,
        /// The label as its source spells it.
        raw_label: String,
        /// The language of the text.
        language: Language,
        /// The data set it comes from.
        source: String,
        /// Row in the source, from 0.
        source_row: u64,
        /// The id of the near-duplicate cluster it stands for (its own id where it is alone).
        cluster: String,
        /// The instruction its source gives, if any.
        instruction: Option<String>,
        /// Whether a model wrote it.
        synthetic: bool,
    }

    /// A row that a stage refused, with its reason: nothing is dropped silently.
    Rejected = "rejected", version 1, may_be_empty {
        /// The data set or file.
        source: String,
        /// Row in the source, from 0.
        row: u64,
        /// The text as found (lossy where it is not UTF-8).
        text: String,
        /// The label as found.
        raw_label: String,
        /// A short constant, such as `duplicate`: counts go by it.
        reason: String,
        /// The particulars, such as which row it duplicates.
        detail: String,
    }
}

impl Rejected {
    /// A refused row.
    pub fn new(source: &str, row: u64, text: &str, raw_label: &str, reason: &str, detail: &str) -> Self {
        let [source, text, raw_label, reason, detail] = [source, text, raw_label, reason, detail].map(str::to_owned);
        Self { source, row, text, raw_label, reason, detail }
    }
}

impl Checks for Example {
    fn check(&self) -> Result<(), String> {
        if self.text.trim().is_empty() { Err("the text is empty".into()) } else { Ok(()) }
    }
}
impl Checks for Rejected {}
