//! A linear classifier on words: what a language model must beat, and a judge of labels that has not seen them.

use crate::sample::SampleText;
use crate::vocabulary::without_links;
use crate::{Config, Error, Subject};
use artifacts::rows::LabelScore;
use stats::classification::{
    Confusion, LogisticConfig, LogisticRegression, accuracy, confident_learning, macro_f1, out_of_fold,
};
use std::borrow::Cow;
use text::{TfIdf, TfIdfConfig};

fn features() -> TfIdfConfig {
    // Pieces of words add a point or two and take ten times as long.
    TfIdfConfig { words: (1, 2), characters: (0, 0), min_documents: 2, max_features: 30_000, sublinear: true }
}

fn settings(balanced: bool) -> LogisticConfig {
    LogisticConfig { l2: 0.2, max_iterations: 40, tolerance: 1e-3, balanced }
}

/// Numbers the labels that occur from 0.
fn dense(labels: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut known: Vec<usize> = labels.to_vec();
    known.sort_unstable();
    known.dedup();
    let numbers = labels.iter().map(|l| known.binary_search(l).unwrap_or(0)).collect();
    (numbers, known)
}

/// A score for each text whose rows agree about its label, the least trusted first (confident learning: Northcutt, Jiang and
/// Chuang, JAIR 70, 2021). Labels with fewer rows than folds are left out, since no classifier could know them.
pub(crate) fn label_scores(
    subject: &Subject,
    (splits, names): (&[String], &[String]),
    config: &Config,
    seed: u64,
) -> Vec<LabelScore> {
    let folds = config.label_error_folds.max(2);
    let labelled: Vec<(&SampleText, usize)> =
        subject.sample.iter().take(config.label_error_texts).filter_map(|t| Some((t, t.only_label()?))).collect();
    let mut rows_of = std::collections::BTreeMap::<usize, usize>::new();
    for (_, label) in &labelled {
        *rows_of.entry(*label).or_default() += 1;
    }
    rows_of.retain(|_, rows| *rows >= folds);
    let labelled: Vec<(&SampleText, usize)> = labelled.into_iter().filter(|(_, l)| rows_of.contains_key(l)).collect();
    if rows_of.len() < 2 || labelled.len() < 10 * folds {
        return Vec::new();
    }
    let (labels, known) = dense(&labelled.iter().map(|(_, l)| *l).collect::<Vec<_>>());
    let plain: Vec<_> = labelled.iter().map(|(t, _)| without_links(t)).collect();
    let (tfidf, rows) = TfIdf::fit_transform(plain.iter().map(AsRef::as_ref), &features());
    let probabilities = out_of_fold(&rows, &labels, known.len(), tfidf.features(), folds, seed, &settings(false));
    let quality = confident_learning(&probabilities, &labels, known.len());
    let name = |label: usize| known.get(label).and_then(|l| names.get(*l)).cloned().unwrap_or_default();
    let mut scores: Vec<LabelScore> = labelled
        .iter()
        .zip(labels.iter().zip(&quality))
        .map(|((text, _), (label, quality))| LabelScore {
            subject: subject.name().to_owned(),
            split: text.occurrences.first().and_then(|o| splits.get(o.split)).cloned().unwrap_or_default(),
            row: text.row,
            text: text.text.clone(),
            label: name(*label),
            likely: name(quality.likely),
            self_confidence: quality.self_confidence,
            margin: quality.margin,
            suspicious: quality.suspicious,
        })
        .collect();
    scores.sort_by(|a, b| {
        b.suspicious.cmp(&a.suspicious).then(a.margin.total_cmp(&b.margin)).then_with(|| a.text.cmp(&b.text))
    });
    scores
}

/// What plain methods reach on a split when they learn from the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Yardstick {
    /// Index of the split they are tried on.
    pub split: usize,
    /// Texts of the split.
    pub texts: u64,
    /// Accuracy of the best constant answer: the split's own largest class, so the reference may be balanced.
    pub majority_accuracy: Option<f64>,
    /// Macro F1 of the same.
    pub majority_macro_f1: Option<f64>,
    /// Accuracy of logistic regression on words and pairs of words.
    pub linear_accuracy: Option<f64>,
    /// Macro F1 of the same.
    pub linear_macro_f1: Option<f64>,
}

/// Trains on the texts of the reference split and judges each further split. Texts that are in both are judged too: what
/// leaks shows here as well.
pub(crate) fn yardsticks(
    subject: &Subject,
    reference: usize,
    names: &[String],
    limit: usize,
) -> Result<Vec<Yardstick>, Error> {
    let of_split = |split: usize| -> Vec<(Cow<'_, str>, usize)> {
        let label = |t: &SampleText| t.label_where(|o| o.split == split);
        subject.sample.iter().filter_map(|t| Some((without_links(t), label(t)?))).take(limit).collect()
    };
    let train = of_split(reference);
    let others: Vec<usize> = subject.groups.iter().map(|g| g.split).filter(|s| *s != reference).collect();
    let (labels, known) = dense(&train.iter().map(|(_, l)| *l).collect::<Vec<_>>());
    if others.is_empty() || known.len() < 2 {
        return Ok(Vec::new());
    }
    let (tfidf, rows) = TfIdf::fit_transform(train.iter().map(|(t, _)| t.as_ref()), &features());
    let model = LogisticRegression::fit(&rows, &labels, known.len(), tfidf.features(), &settings(false));
    let mut found = Vec::new();
    for split in others {
        let texts = of_split(split);
        // Labels that the reference lacks have a place of their own, and nothing predicts them.
        let mut classes = known.clone();
        classes.extend(texts.iter().map(|(_, l)| *l).filter(|l| !known.contains(l)));
        classes.sort_unstable();
        classes.dedup();
        let place = |label: usize| classes.binary_search(&label).unwrap_or(0);
        let mut counts = vec![0_u64; classes.len()];
        for (_, label) in &texts {
            crate::group::bump(&mut counts, place(*label));
        }
        let largest = counts.iter().max().and_then(|most| counts.iter().position(|n| n == most)).unwrap_or(0);
        let confusion = |answer: &dyn Fn(&str) -> usize| {
            let named = classes.iter().map(|l| names.get(*l).cloned().unwrap_or_default());
            Confusion::of_pairs(named, texts.iter().map(|(t, l)| (place(*l), Some(answer(t)))))
                .map_err(|source| Error::Statistic { figure: "yardstick", source })
        };
        let majority = confusion(&|_| largest)?;
        let linear =
            confusion(&|text| known.get(model.predict(&tfidf.transform(text))).map_or(0, |label| place(*label)))?;
        found.push(Yardstick {
            split,
            texts: texts.len() as u64,
            majority_accuracy: accuracy(&majority),
            majority_macro_f1: macro_f1(&majority),
            linear_accuracy: accuracy(&linear),
            linear_macro_f1: macro_f1(&linear),
        });
    }
    Ok(found)
}
