use crate::Error;
use crate::group::{LABELS, class};
use artifacts::rows::Example;
use stats::classification::{Confusion, accuracy, macro_f1};
use text::NaiveBayes;

/// What plain methods reach on a split when they learn from the reference: what a language model must beat.
#[derive(Debug, Clone, PartialEq)]
pub struct Yardstick {
    /// The split they are tried on.
    pub split: String,
    /// Rows of the split.
    pub rows: u64,
    /// Accuracy of the best constant answer: the split's own largest class, so the reference may be balanced.
    pub majority_accuracy: Option<f64>,
    /// Macro F1 of the same.
    pub majority_macro_f1: Option<f64>,
    /// Accuracy of naive Bayes on words and pairs of words.
    pub bayes_accuracy: Option<f64>,
    /// Macro F1 of the same.
    pub bayes_macro_f1: Option<f64>,
}

pub(crate) fn yardstick(reference: &[&Example], split: &str, rows: &[&Example]) -> Result<Yardstick, Error> {
    let bayes = NaiveBayes::<3>::train(reference.iter().map(|r| (r.text.as_str(), class(r.label))));
    let mut counts = [0_u64; 3];
    for row in rows {
        crate::group::bump(&mut counts, class(row.label));
    }
    let largest = counts.iter().max().and_then(|max| counts.iter().position(|n| n == max)).unwrap_or(0);
    let confusion = |answer: &dyn Fn(&Example) -> usize| {
        Confusion::of_pairs(LABELS.map(|l| l.to_string()), rows.iter().map(|r| (class(r.label), Some(answer(r)))))
            .map_err(|source| Error::Statistic { figure: "yardstick", source })
    };
    let majority = confusion(&|_| largest)?;
    let bayes = confusion(&|row| bayes.predict(&row.text).0)?;
    Ok(Yardstick {
        split: split.to_owned(),
        rows: rows.len() as u64,
        majority_accuracy: accuracy(&majority),
        majority_macro_f1: macro_f1(&majority),
        bayes_accuracy: accuracy(&bayes),
        bayes_macro_f1: macro_f1(&bayes),
    })
}
