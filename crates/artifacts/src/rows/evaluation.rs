use super::{Language, Sentiment};
use crate::Checks;
use crate::column::text_enum;
use crate::row::rows;

text_enum! {
    /// What the strict parser made of an answer. An unparseable answer is never counted as a class.
    Outcome, "outcome" {
        /// Exactly one label.
        Parsed = "parsed",
        /// Anything else.
        Unparseable = "unparseable",
    }
}

rows! {
    /// One model's answer to one evaluation row.
    Prediction = "prediction", version 1, not_empty {
        /// The id of the [`super::Example`].
        example_id: String,
        /// `base` or `tuned`.
        model: String,
        /// The language of the row.
        language: Language,
        /// The truth.
        label: Sentiment,
        /// What the model generated.
        response: String,
        /// Whether it could be read.
        outcome: Outcome,
        /// The class read from it, if any.
        predicted: Option<Sentiment>,
        /// The class with the highest label score (the model may only choose among the three).
        scored: Sentiment,
        /// Probability of negative among the three labels.
        p_negative: f64,
        /// Probability of neutral among the three labels.
        p_neutral: f64,
        /// Probability of positive among the three labels.
        p_positive: f64,
    }

    /// One figure of a report.
    Metric = "metric", version 1, not_empty {
        /// Whose: a model or a strategy.
        subject: String,
        /// Of which rows: `all`, a language, a class.
        slice: String,
        /// Which figure, such as `macro_f1`.
        metric: String,
        /// Its value; none where it is not defined (a profit factor without losses).
        value: Option<f64>,
        /// From how many rows.
        n: u64,
    }
}

impl Checks for Prediction {
    fn check(&self) -> Result<(), String> {
        let probabilities = [self.p_negative, self.p_neutral, self.p_positive];
        if let Some(p) = probabilities.iter().find(|p| !(-1e-6..=1.0 + 1e-6).contains(*p)) {
            return Err(format!("a label probability is {p}; probabilities lie in [0, 1]"));
        }
        let sum: f64 = probabilities.iter().sum();
        if (sum - 1.0).abs() > 1e-6 {
            return Err(format!("label probabilities sum to {sum}"));
        }
        if (self.outcome == Outcome::Parsed) == self.predicted.is_some() {
            Ok(())
        } else {
            Err(format!("outcome {} does not fit the predicted class {:?}", self.outcome, self.predicted))
        }
    }
}
impl Checks for Metric {}
