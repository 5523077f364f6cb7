//! The judges of labels: a classifier that is no language model, the language model's calibrated score of the labels, and a
//! vote among its sampled answers. None of them knows what label was asked for, and how good each is, is measured before any is
//! heard ([`Panel`]).

mod calibration;
mod classifier;
mod measure;
mod model;
mod panel;
mod wordings;

use crate::{Config, RealRows};
use artifacts::rows::{Example, Sentiment};
use artifacts::{Progress, Seed};
use classifier::Classifier;
pub(crate) use classifier::{features, settings};
pub use measure::Measured;
use measure::{Heard, hold_out};
use model::ModelJudges;
pub use panel::{Panel, Rule, Threshold};
use providers::Provider;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stats::classification::wilson_interval;
use std::sync::atomic::{AtomicU64, Ordering};

/// Probability of each label, in the order of [`Sentiment::ALL`].
pub(crate) type Shares = [f64; 3];

/// What the judges say of one text. A judge that could not be asked says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The classifier trained on real rows.
    pub classifier: Option<Shares>,
    /// The language model's calibrated score of the labels.
    pub score: Option<Shares>,
    /// Shares of the language model's sampled answers.
    pub vote: Option<Shares>,
}

/// The names of the judges, in the order of [`Judgement::each`].
pub const JUDGES: [&str; 3] =
    ["classifier on real rows", "label score of the language model", "vote of the language model"];

impl Judgement {
    /// All three, in the order of [`JUDGES`].
    pub fn each(&self) -> [Option<Shares>; 3] {
        [self.classifier, self.score, self.vote]
    }

    /// Which judges find the label, with at least this probability.
    pub(crate) fn agreeing(&self, intended: Sentiment, probability: f64) -> [bool; 3] {
        self.each().map(|shares| {
            shares.is_some_and(|shares| {
                let share = shares.get(intended as usize).copied().unwrap_or(0.0);
                likeliest(&shares) == Some(intended) && share >= probability
            })
        })
    }
}

/// The likeliest label; none where the first place is shared.
pub(crate) fn likeliest(shares: &Shares) -> Option<Sentiment> {
    let best = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut at_top = Sentiment::ALL.iter().zip(shares).filter(|(_, p)| **p >= best).map(|(label, _)| *label);
    at_top.next().filter(|_| at_top.next().is_none())
}

/// One judge, measured on real rows that it did not learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// Rows it could be asked about.
    pub rows: u64,
    /// Rows whose likeliest label was theirs.
    pub right: u64,
    /// Rows about which it was sure enough to agree with some label.
    pub sure: u64,
    /// Those of them that it got right.
    pub sure_and_right: u64,
}

impl Record {
    /// Share right, with its 95 % interval.
    pub fn accuracy(&self) -> Option<(f64, (f64, f64))> {
        wilson_interval(self.right, self.rows, 0.95).map(|interval| (self.right as f64 / self.rows as f64, interval))
    }
}

/// The judges on real evaluation rows: each by itself, and together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JudgeCheck {
    /// Evaluation rows of the language.
    pub rows: u64,
    /// Each judge, in the order of [`JUDGES`].
    pub judges: [Record; 3],
    /// Rows that the judges let pass under their own label.
    pub true_label_passes: u64,
    /// Pairs of a row and a wrong label that they let pass.
    pub wrong_label_passes: u64,
}

impl JudgeCheck {
    /// Share of true labels among what they let pass, if labels were given by chance: the label quality to expect of kept rows
    /// at worst, where the model that writes does not itself heed the label it is asked for. None where nothing passed.
    pub fn precision(&self) -> Option<f64> {
        let (right, wrong) = (self.true_label_passes as f64, self.wrong_label_passes as f64);
        (right + wrong > 0.0).then(|| right / (right + wrong))
    }
}

/// The three judges, trained, calibrated and measured.
pub(crate) struct Judges<'a> {
    config: &'a Config,
    pub(crate) panel: Panel,
    classifier: Classifier,
    model: ModelJudges<'a>,
}

impl<'a> Judges<'a> {
    /// Trains the classifier on the real training rows of the language, calibrates the language model's scores on some of
    /// them, and measures all three on others.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn new(
        config: &'a Config,
        provider: &'a dyn Provider,
        train: &[Example],
        seed: Seed,
        progress: &dyn Progress,
    ) -> Result<Self, providers::Error> {
        let rows: Vec<&Example> = train.iter().filter(|e| e.language == config.language && !e.synthetic).collect();
        let (held, rows) = hold_out(&rows, config.judges.held_out_rows, seed.derive("held-out"));
        let some = stratified(&rows, config.judges.calibration_rows, seed.derive("calibration"));
        let ticker = progress.start("measuring the judges", held.len() as u64);
        let mut judges = Self {
            config,
            panel: Panel::of(&config.judges, &[]),
            classifier: Classifier::train(&rows),
            model: ModelJudges::calibrate(config, provider, &some)?,
        };
        let done = AtomicU64::new(0);
        let heard: Result<Vec<Heard>, providers::Error> = held
            .par_iter()
            .enumerate()
            .map(|(i, row)| {
                let judgement = judges.judge(&row.text, seed.derive(&format!("held-out/{i}")))?;
                ticker.at(done.fetch_add(1, Ordering::Relaxed) + 1, "");
                Ok((judgement, row.label))
            })
            .collect();
        judges.panel = Panel::of(&config.judges, &heard?);
        Ok(judges)
    }

    /// What the judges say of a text. `seed` draws the votes.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn judge(&self, text: &str, seed: Seed) -> Result<Judgement, providers::Error> {
        let (score, vote) = self.model.judge(text, seed)?;
        Ok(Judgement { classifier: Some(self.classifier.probabilities(text)), score, vote })
    }

    /// How far to trust each judge, and all together, on real rows that none of them learned from.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn check(&self, real: RealRows<'_>, seed: Seed) -> Result<JudgeCheck, providers::Error> {
        let of_language = |e: &&Example| e.language == self.config.language && !e.synthetic;
        let rows: Vec<&Example> = real.eval.iter().filter(of_language).collect();
        let judged: Result<Vec<Judgement>, providers::Error> = rows
            .par_iter()
            .enumerate()
            .map(|(i, row)| self.judge(&row.text, seed.derive(&format!("check/{i}"))))
            .collect();
        let mut check = JudgeCheck { rows: rows.len() as u64, ..JudgeCheck::default() };
        let needed = self.config.judges.probability;
        for (row, judgement) in rows.iter().zip(judged?) {
            for (record, shares) in check.judges.iter_mut().zip(judgement.each()) {
                let Some(shares) = shares else { continue };
                let right = likeliest(&shares) == Some(row.label);
                let sure = likeliest(&shares).is_some() && shares.iter().any(|p| *p >= needed);
                record.rows += 1;
                record.right += u64::from(right);
                record.sure += u64::from(sure);
                record.sure_and_right += u64::from(sure && right);
            }
            for label in Sentiment::ALL {
                let passes = u64::from(self.panel.passes(*label, &judgement));
                if *label == row.label {
                    check.true_label_passes += passes;
                } else {
                    check.wrong_label_passes += passes;
                }
            }
        }
        Ok(check)
    }
}

/// `n` rows, of each label a third, or all of a label that has fewer; drawn, because rows of a file often stand in order of
/// source.
fn stratified<'e>(rows: &[&'e Example], n: usize, seed: Seed) -> Vec<&'e Example> {
    let mut some = Vec::new();
    for label in Sentiment::ALL {
        let mut of: Vec<&Example> = rows.iter().filter(|e| e.label == *label).copied().collect();
        of.shuffle(&mut seed.derive(label.as_str()).rng());
        some.extend(of.into_iter().take(n / Sentiment::ALL.len()));
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_first_place_is_no_label_and_no_agreement() {
        assert_eq!(likeliest(&[0.5, 0.5, 0.0]), None);
        assert_eq!(likeliest(&[0.2, 0.3, 0.5]), Some(Sentiment::Positive));
        let judgement = Judgement { classifier: Some([0.1, 0.2, 0.7]), score: Some([0.4, 0.2, 0.4]), vote: None };
        assert_eq!(judgement.agreeing(Sentiment::Positive, 0.5), [true, false, false]);
        assert_eq!(judgement.agreeing(Sentiment::Positive, 0.8), [false, false, false]);
    }
}
