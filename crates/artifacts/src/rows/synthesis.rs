use super::{Language, Sentiment, within};
use crate::Checks;
use crate::column::text_enum;
use crate::row::rows;

text_enum! {
    /// What became of a generated candidate: the first rung of the verification ladder that refused it, or kept.
    Verdict, "verdict" {
        /// Passed every rung.
        Kept = "kept",
        /// Empty, too short, too long, or not one sentence-like line.
        Format = "format",
        /// Not in the language asked for.
        Language = "language",
        /// Names its own label.
        LabelLeak = "label-leak",
        /// Repeats the wording of its prompt, or speaks as an assistant.
        TemplateLeak = "template-leak",
        /// Exact or near copy of an evaluation row, or a run of eight words shared with one.
        Contaminated = "contaminated",
        /// Exact or near copy of an earlier candidate, of a seed in its prompt, or of a training row.
        Duplicate = "duplicate",
        /// Reads so unlike the real rows that the judges have nothing to go by.
        Unlike = "unlike",
        /// Too few judges agree with the intended label.
        Label = "label",
        /// Confident learning finds the label of a text that the judges let pass suspicious.
        Suspicious = "suspicious",
        /// Verified, but more of its label are there already than were asked for.
        Surplus = "surplus",
    }
}

rows! {
    /// A generated text with everything that decided about it.
    Candidate = "candidate", version 2, may_be_empty {
        /// Number of the candidate, in order of generation.
        number: u64,
        /// The language asked for.
        language: Language,
        /// The label asked for.
        intended: Sentiment,
        /// How the model was asked.
        strategy: String,
        /// How its tokens were chosen.
        sampling: String,
        /// What the prompt asked for beside the label: the industry.
        sector: Option<String>,
        /// What the text is to be about.
        event: Option<String>,
        /// Where it happens.
        region: Option<String>,
        /// The tone.
        register: Option<String>,
        /// How long it is to be.
        length: Option<String>,
        /// How plainly the label is to be read from it.
        difficulty: Option<String>,
        /// The prompt as sent.
        prompt: String,
        /// The answer as it came.
        response: String,
        /// The text cut from the answer, cleaned.
        text: String,
        /// What the classifier trained on real rows says.
        classifier_label: Option<Sentiment>,
        /// Its probability of the intended label.
        classifier_probability: Option<f64>,
        /// What the language model's own label score says, calibrated on real rows.
        model_label: Option<Sentiment>,
        /// Its probability of the intended label.
        model_probability: Option<f64>,
        /// What most of the language model's sampled answers say.
        vote_label: Option<Sentiment>,
        /// The share of those answers that name the intended label.
        vote_share: Option<f64>,
        /// Confident learning's out-of-fold probability of the intended label, where it came so far.
        label_quality: Option<f64>,
        /// What became of it.
        verdict: Verdict,
        /// The particulars of the verdict.
        detail: String,
    }

    /// One call to a model with its answer, as a cassette keeps it.
    Recorded = "recorded", version 1, may_be_empty {
        /// blake3 of the call in its canonical form: who is asked, what, and how the answer is drawn.
        request: String,
        /// The call in its canonical form (JSON).
        call: String,
        /// The text that came back; none for a call that scores answers.
        text: Option<String>,
        /// Whether the writer ended the text itself.
        finished: bool,
        /// False where the text's tokens are known not to be those that its tokenizer would choose.
        canonical: bool,
        /// The scores that came back (JSON); none for a call that writes.
        scores: Option<String>,
        /// Tokens read.
        prompt_tokens: u64,
        /// Tokens written.
        answer_tokens: u64,
    }
}

impl Checks for Candidate {
    fn check(&self) -> Result<(), String> {
        within("classifier_probability", self.classifier_probability, 0.0, 1.0)?;
        within("model_probability", self.model_probability, 0.0, 1.0)?;
        within("vote_share", self.vote_share, 0.0, 1.0)?;
        within("label_quality", self.label_quality, 0.0, 1.0)
    }
}

impl Checks for Recorded {
    fn follows(&self, previous: &Self) -> Result<(), String> {
        if self.request > previous.request { Ok(()) } else { Err("requests must rise, none twice".into()) }
    }
}
