use crate::{Config, Error};
use artifacts::rows::{Metric, Prediction, Sentiment};
use stats::classification::{
    ClassScores, Confusion, accuracy, calibration_error, class_scores, macro_f1, matthews, wilson_interval,
};

/// The two ways to take an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// What the model wrote, strictly parsed.
    Generated,
    /// The label with the highest score.
    Scored,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Generated, Self::Scored];

    /// The prefix of its metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Scored => "scored",
        }
    }

    /// The class this way takes from a prediction; none where it cannot be read.
    pub fn answer(self, prediction: &Prediction) -> Option<Sentiment> {
        match self {
            Self::Generated => prediction.predicted,
            Self::Scored => Some(prediction.scored),
        }
    }
}

/// How one model did on some rows, taken one way. Shares are in [0, 1].
#[derive(Debug, Clone)]
pub struct Figures {
    /// Truth by answer.
    pub confusion: Confusion,
    /// Share answered rightly; unparseable answers are wrong.
    pub accuracy: Option<f64>,
    /// Its Wilson interval.
    pub accuracy_interval: Option<(f64, f64)>,
    /// Mean of the classes' F1.
    pub macro_f1: Option<f64>,
    /// Matthews correlation.
    pub matthews: Option<f64>,
    /// For each class, in the order of [`Sentiment::ALL`].
    pub classes: Vec<ClassScores>,
}

impl Figures {
    /// Figures of (truth, answer) pairs.
    pub(crate) fn of_pairs(
        pairs: impl Iterator<Item = (Sentiment, Option<Sentiment>)>,
        confidence: f64,
    ) -> Result<Self, Error> {
        let confusion = confusion(pairs)?;
        Ok(Self {
            accuracy: accuracy(&confusion),
            accuracy_interval: wilson_interval(confusion.hits(), confusion.total(), confidence),
            macro_f1: macro_f1(&confusion),
            matthews: matthews(&confusion),
            classes: (0..Sentiment::ALL.len()).map(|class| class_scores(&confusion, class)).collect(),
            confusion,
        })
    }

    /// Figures of one model's predictions.
    pub fn of(predictions: &[&Prediction], way: Way, confidence: f64) -> Result<Self, Error> {
        Self::of_pairs(predictions.iter().map(|p| (p.label, way.answer(p))), confidence)
    }

    /// Figures of the constant answer that is best on these rows: the bar that any model must clear.
    pub fn majority(predictions: &[&Prediction], confidence: f64) -> Result<Self, Error> {
        let count = |label: Sentiment| predictions.iter().filter(|p| p.label == label).count();
        let mut best = Sentiment::Negative;
        for label in Sentiment::ALL {
            if count(*label) > count(best) {
                best = *label;
            }
        }
        Self::of_pairs(predictions.iter().map(|p| (p.label, Some(best))), confidence)
    }
}

/// Truth by answer, over the three labels.
pub(crate) fn confusion(pairs: impl Iterator<Item = (Sentiment, Option<Sentiment>)>) -> Result<Confusion, Error> {
    let indices = pairs.map(|(truth, answer)| (truth as usize, answer.map(|a| a as usize)));
    Ok(Confusion::of_pairs(Sentiment::ALL.iter().map(|l| l.as_str()), indices)?)
}

/// Mean distance between how sure the label scores are and how often they are right.
pub(crate) fn calibration(predictions: &[&Prediction], bins: usize) -> Result<Option<f64>, Error> {
    let answers: Vec<(f64, bool)> = predictions
        .iter()
        .map(|p| (p.p_negative.max(p.p_neutral).max(p.p_positive).clamp(0.0, 1.0), p.scored == p.label))
        .collect();
    Ok(calibration_error(&answers, bins)?)
}

/// Appends the rows of `metrics.parquet` for one model and one set of rows.
pub(crate) fn push_metrics(
    metrics: &mut Vec<Metric>,
    subject: &str,
    slice: &str,
    predictions: &[&Prediction],
    config: &Config,
) -> Result<(), Error> {
    let n = predictions.len() as u64;
    for way in Way::ALL {
        let figures = Figures::of(predictions, way, config.confidence)?;
        push_figures(metrics, subject, slice, way.name(), &figures);
        if slice == "all" {
            for (label, class) in Sentiment::ALL.iter().zip(&figures.classes) {
                let values = [("precision", class.precision), ("recall", class.recall), ("f1", class.f1)];
                for (name, value) in values {
                    let metric = format!("{}_{name}", way.name());
                    metrics.push(row(subject, &format!("class:{label}"), &metric, value, class.support));
                }
            }
        }
    }
    let unparseable = predictions.iter().filter(|p| p.predicted.is_none()).count();
    let share = (n > 0).then(|| unparseable as f64 / n as f64);
    metrics.push(row(subject, slice, "unparseable_share", share, n));
    metrics.push(row(subject, slice, "scored_ece", calibration(predictions, config.calibration_bins)?, n));
    Ok(())
}

/// Appends the figures that every subject has.
pub(crate) fn push_figures(metrics: &mut Vec<Metric>, subject: &str, slice: &str, way: &str, figures: &Figures) {
    let values = [
        ("accuracy", figures.accuracy),
        ("accuracy_low", figures.accuracy_interval.map(|i| i.0)),
        ("accuracy_high", figures.accuracy_interval.map(|i| i.1)),
        ("macro_f1", figures.macro_f1),
        ("mcc", figures.matthews),
    ];
    for (name, value) in values {
        metrics.push(row(subject, slice, &format!("{way}_{name}"), value, figures.confusion.total()));
    }
}

/// One row of `metrics.parquet`.
pub(crate) fn row(subject: &str, slice: &str, metric: &str, value: Option<f64>, n: u64) -> Metric {
    Metric { subject: subject.to_owned(), slice: slice.to_owned(), metric: metric.to_owned(), value, n }
}
