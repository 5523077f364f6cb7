use crate::track::Track;
use crate::{Config, Error};
use artifacts::Seed;
use artifacts::rows::Sentiment;
use stats::SplitMix64;
use stats::classification::{ReliabilityBin, brier_score, calibration_error, fit_temperature, reliability, softmax};

/// How sure a track's scores are, and how sure they should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// With the probabilities as they are.
    pub before: Sureness,
    /// After the temperature.
    pub after: Sureness,
    /// What the scores were divided by: one for all rows, or one for each tenth of them.
    pub temperatures: Vec<f64>,
    /// Whether the temperature comes from rows held out for it; else each tenth of the rows got that of the others.
    pub held_out: bool,
    /// The probabilities after the temperature, one a row.
    pub probabilities: Vec<[f64; 3]>,
}

/// How well probabilities fit what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Sureness {
    /// Brier's score, in [0, 2].
    pub brier: Option<f64>,
    /// Expected calibration error, in [0, 1].
    pub error: Option<f64>,
    /// Answers by confidence.
    pub bins: Vec<ReliabilityBin>,
}

/// Scores of other rows and their truth, to fit a temperature on.
pub type HeldOut<'a> = (&'a [[f64; 3]], &'a [Sentiment]);

impl Calibration {
    /// Of a track that scores, none of one that does not. Without `held_out` rows, each tenth of the rows gets the temperature
    /// of the others, so that no row judges itself.
    ///
    /// # Errors
    /// Scores are not finite.
    pub fn of(
        track: &Track,
        truth: &[Sentiment],
        held_out: Option<HeldOut<'_>>,
        config: &Config,
        seed: Seed,
    ) -> Result<Option<Self>, Error> {
        let Some(scores) = &track.scores else { return Ok(None) };
        let (temperatures, part) = match held_out {
            Some((scores, truth)) => (vec![fitted(scores.iter().zip(truth))?], vec![0; track.answers.len()]),
            None => cross_fitted(scores, truth, seed)?,
        };
        let at = |part: usize| temperatures.get(part).copied().unwrap_or(1.0);
        let probabilities: Vec<[f64; 3]> = scores.iter().zip(&part).map(|(s, &part)| divided(s, at(part))).collect();
        let plain: Vec<[f64; 3]> = scores.iter().map(|s| divided(s, 1.0)).collect();
        Ok(Some(Self {
            before: Sureness::of(&plain, track, truth, config)?,
            after: Sureness::of(&probabilities, track, truth, config)?,
            temperatures,
            held_out: held_out.is_some(),
            probabilities,
        }))
    }
}

impl Sureness {
    fn of(probabilities: &[[f64; 3]], track: &Track, truth: &[Sentiment], config: &Config) -> Result<Self, Error> {
        let classes: Vec<usize> = truth.iter().map(|t| *t as usize).collect();
        let answers: Vec<(f64, bool)> = probabilities
            .iter()
            .zip(track.answers.iter().zip(truth))
            .map(|(p, (answer, truth))| (p.iter().copied().fold(0.0, f64::max).min(1.0), *answer == Some(*truth)))
            .collect();
        Ok(Self {
            brier: brier_score(probabilities, &classes)?,
            error: calibration_error(&answers, config.calibration_bins)?,
            bins: reliability(&answers, config.calibration_bins)?,
        })
    }
}

fn divided(scores: &[f64; 3], temperature: f64) -> [f64; 3] {
    let p = softmax(scores, temperature);
    std::array::from_fn(|k| p.get(k).copied().unwrap_or(0.0))
}

fn fitted<'a>(rows: impl Iterator<Item = (&'a [f64; 3], &'a Sentiment)>) -> Result<f64, Error> {
    let (scores, truth): (Vec<&[f64; 3]>, Vec<usize>) = rows.map(|(s, t)| (s, *t as usize)).unzip();
    Ok(fit_temperature(&scores, &truth)?.unwrap_or(1.0))
}

/// Parts of the rows; of many, each is judged by a temperature that is nearly that of all others.
const PARTS: usize = 10;

/// The temperature for each part, fitted on the others, and each row's part: drawn, with every class spread evenly.
fn cross_fitted(scores: &[[f64; 3]], truth: &[Sentiment], seed: Seed) -> Result<(Vec<f64>, Vec<usize>), Error> {
    let mut random = SplitMix64::new(seed.0);
    let mut part = vec![0; truth.len()];
    for label in Sentiment::ALL {
        let mut rows: Vec<usize> = (0..truth.len()).filter(|&row| truth.get(row) == Some(label)).collect();
        for place in (1..rows.len()).rev() {
            rows.swap(place, random.below(place + 1));
        }
        for (place, row) in rows.into_iter().enumerate() {
            if let Some(part) = part.get_mut(row) {
                *part = place % PARTS;
            }
        }
    }
    let without = |left_out: usize| {
        let rows = scores.iter().zip(truth).zip(&part);
        fitted(rows.filter(|(_, part)| **part != left_out).map(|(row, _)| row))
    };
    Ok(((0..PARTS).map(without).collect::<Result<_, _>>()?, part))
}
