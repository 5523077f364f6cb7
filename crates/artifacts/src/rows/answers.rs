use super::{Language, Outcome, Sentiment, TaskKind, within};
use crate::Checks;
use crate::row::rows;

rows! {
    /// One model's answer to one evaluation row in one form of the question: what every figure of the evaluator is
    /// computed from, and can be computed from again.
    Answer = "answer", version 1, not_empty {
        /// The id of the [`super::Example`].
        example_id: String,
        /// Whose: `base` or `tuned`.
        subject: String,
        /// How the question was put: `plain`, or the name of a robustness slice.
        form: String,
        /// The language of the row.
        language: Language,
        /// The data set of the row; empty where it is not known.
        source: String,
        /// The truth.
        label: Sentiment,
        /// How many tokens the prompt has.
        prompt_tokens: u32,
        /// What the model generated.
        response: String,
        /// Whether it could be read.
        outcome: Outcome,
        /// The class read from it, if any.
        predicted: Option<Sentiment>,
        /// log p of the tokens of `negative` and of the end of the turn, in nats.
        log_negative: f64,
        /// The same of `neutral`.
        log_neutral: f64,
        /// The same of `positive`.
        log_positive: f64,
        /// Tokens of `negative` and of the end of the turn.
        tokens_negative: u32,
        /// The same of `neutral`.
        tokens_neutral: u32,
        /// The same of `positive`.
        tokens_positive: u32,
        /// As `log_negative`, on the question about no text at all.
        prior_negative: f64,
        /// The same of `neutral`.
        prior_neutral: f64,
        /// The same of `positive`.
        prior_positive: f64,
    }

    /// What a model wrote where the answer is free text, and how near it comes to the reference.
    Generation = "generation", version 1, not_empty {
        /// The row's id.
        id: String,
        /// Whose: `base` or `tuned`.
        subject: String,
        /// What was asked for.
        task: TaskKind,
        /// In which words.
        template: String,
        /// The language of the row.
        language: Language,
        /// The answer to give.
        reference: String,
        /// What the model wrote.
        response: String,
        /// Whether the model ended its answer itself.
        finished: bool,
        /// Whether both are the same but for case, punctuation and articles.
        exact_match: bool,
        /// F1 of their words, in [0, 1].
        token_f1: f64,
        /// ROUGE-L of their words, in [0, 1].
        rouge_l: f64,
        /// F1 of the listed entities, in [0, 1]; only for extraction.
        entity_f1: Option<f64>,
        /// The judge's grade, in [0, 1]; none without a judge or where its grade could not be read.
        judged: Option<f64>,
    }

    /// An evaluation row beside the training row that it resembles most.
    Nearest = "nearest", version 1, may_be_empty {
        /// The id of the evaluation row.
        example_id: String,
        /// The id of the training row.
        train_id: String,
        /// Jaccard similarity of their comparison keys' character 5-grams.
        jaccard: f64,
        /// Whether the comparison keys are equal.
        same_key: bool,
        /// The evaluation text.
        text: String,
        /// The training text.
        train_text: String,
    }
}

impl Checks for Answer {
    fn check(&self) -> Result<(), String> {
        for (name, value) in [
            ("log_negative", self.log_negative),
            ("log_neutral", self.log_neutral),
            ("log_positive", self.log_positive),
            ("prior_negative", self.prior_negative),
            ("prior_neutral", self.prior_neutral),
            ("prior_positive", self.prior_positive),
        ] {
            within(name, Some(value), f64::MIN, 1e-6)?;
        }
        if self.tokens_negative.min(self.tokens_neutral).min(self.tokens_positive) == 0 {
            return Err("a label has no tokens".into());
        }
        if (self.outcome == Outcome::Parsed) == self.predicted.is_some() {
            Ok(())
        } else {
            Err(format!("outcome {} does not fit the predicted class {:?}", self.outcome, self.predicted))
        }
    }
}

impl Checks for Generation {
    fn check(&self) -> Result<(), String> {
        within("token_f1", Some(self.token_f1), 0.0, 1.0)?;
        within("rouge_l", Some(self.rouge_l), 0.0, 1.0)?;
        within("entity_f1", self.entity_f1, 0.0, 1.0)?;
        within("judged", self.judged, 0.0, 1.0)
    }
}

impl Checks for Nearest {
    fn check(&self) -> Result<(), String> {
        within("jaccard", Some(self.jaccard), 0.0, 1.0)
    }
}
