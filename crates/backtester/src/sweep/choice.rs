use super::splits::Split;
use super::{Sweep, Variant};
use crate::Error;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// By what variants are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Mean over standard deviation of the returns of bars.
    #[default]
    Sharpe,
    /// Return after costs.
    TotalReturn,
}

/// A variant chosen on some bars, and what it earned on others.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its number within the grid.
    pub variant: usize,
    /// What it was chosen by.
    pub train_score: Option<f64>,
    /// Its return over the bars it was chosen on.
    pub train_return: f64,
    /// The same score on the bars it is judged by.
    pub test_score: Option<f64>,
    /// What it earned there.
    pub test: Variant,
    /// Share of the variants that scored better there.
    pub test_rank: f64,
}

impl Score {
    fn of(self, variant: &Variant) -> Option<f64> {
        match self {
            Self::Sharpe => variant.sharpe_per_bar,
            Self::TotalReturn => Some(variant.total_return),
        }
    }

    /// The score of several stretches of bars as one: (bars, variant) of each.
    fn together(self, parts: &[(usize, &Variant)]) -> Option<f64> {
        if let [(_, only)] = parts {
            return self.of(only);
        }
        if self == Self::TotalReturn {
            return Some(parts.iter().map(|(_, v)| 1.0 + v.total_return).product::<f64>() - 1.0);
        }
        let moments = parts.iter().map(|(bars, v)| {
            let deviation = v.deviation.unwrap_or(0.0);
            (*bars as f64, v.sharpe_per_bar.unwrap_or(0.0) * deviation, deviation)
        });
        let moments: Vec<(f64, f64, f64)> = moments.collect();
        let n: f64 = moments.iter().map(|(n, _, _)| n).sum();
        let mean = moments.iter().map(|(n, mean, _)| n * mean).sum::<f64>() / n;
        let squares: f64 = moments.iter().map(|(n, m, d)| (n - 1.0) * d * d + n * (m - mean) * (m - mean)).sum();
        let deviation = (squares / (n - 1.0)).sqrt();
        (deviation > 0.0).then_some(mean / deviation).filter(|s| s.is_finite())
    }
}

impl Sweep<'_> {
    /// For each split the variant with the best score on its training bars (the first of equals), and what it did on the
    /// others. The choice sees no bar that comes after its training bars, nor any between them.
    ///
    /// # Errors
    /// Whatever [`crate::simulate`] refuses.
    pub fn choose(&self, splits: &[Split], score: Score) -> Result<Vec<Choice>, Error> {
        splits.par_iter().map(|split| self.choose_one(split, score)).collect()
    }

    fn choose_one(&self, split: &Split, score: Score) -> Result<Choice, Error> {
        let train = split.train.iter().map(|r| Ok((r.len(), self.variants_within(r.clone())?)));
        let train: Vec<(usize, Vec<Variant>)> = train.collect::<Result<_, Error>>()?;
        let test = self.variants_within(split.test.clone())?;
        let parts = |v: usize| -> Vec<(usize, &Variant)> {
            train.iter().filter_map(|(bars, variants)| Some((*bars, variants.get(v)?))).collect()
        };
        let scores: Vec<Option<f64>> = (0..test.len()).map(|v| score.together(&parts(v))).collect();
        let value = |s: &Option<f64>| s.unwrap_or(f64::NEG_INFINITY);
        let best = (1..scores.len()).fold(0, |best, v| {
            let better = scores.get(v).map(value) > scores.get(best).map(value);
            if better { v } else { best }
        });
        let chosen = test.get(best).cloned().ok_or(Error::TooFewBars { symbol: String::new(), bars: 0 })?;
        let own = score.of(&chosen);
        let better = test.iter().filter(|v| value(&score.of(v)) > value(&own)).count();
        Ok(Choice {
            variant: best,
            train_score: scores.get(best).copied().flatten(),
            train_return: Score::TotalReturn.together(&parts(best)).unwrap_or_default(),
            test_score: own,
            test: chosen,
            test_rank: better as f64 / test.len() as f64,
        })
    }
}
