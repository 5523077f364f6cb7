use super::combinations::{combinations, runs};
use crate::Error;
use crate::distribution::median;
use crate::finite::ratio;

/// What choosing the best variant in one half of the past does in the other half.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Overfitting {
    /// Probability of backtest overfitting: share of the splits in which the variant that was best in one half ranks in
    /// the lower half of all variants in the other (on or below the median), in [0, 1].
    pub probability: f64,
    /// Share of the splits in which the chosen variant's Sharpe ratio out of sample is below 0.
    pub loss_probability: f64,
    /// Slope of the chosen variants' Sharpe ratio out of sample over that in sample: below 0, the better the past the
    /// worse the future. None where all in-sample values are equal.
    pub slope: Option<f64>,
    /// Medians over the splits of the chosen variant's Sharpe ratio per period: in sample.
    pub chosen_in: Option<f64>,
    /// ... and out of sample.
    pub chosen_out: Option<f64>,
    /// For each split the logit of the chosen variant's relative rank out of sample; 0 is the median.
    pub logits: Vec<f64>,
    /// For each split which variant was chosen.
    pub chosen: Vec<usize>,
}

/// Moments of one variant in one block, about the variant's overall mean so that nothing cancels.
#[derive(Clone, Copy, Default)]
struct Moments {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn plus(self, other: Self) -> Self {
        Self { n: self.n + other.n, sum: self.sum + other.sum, squares: self.squares + other.squares }
    }

    /// Mean over standard deviation (ddof 1); 0 where the returns do not vary.
    fn sharpe(self, centre: f64) -> f64 {
        let mean = self.sum / self.n;
        let variance = (self.squares - self.n * mean * mean) / (self.n - 1.0);
        if variance <= 1e-24 * centre * centre || variance <= 0.0 { 0.0 } else { (centre + mean) / variance.sqrt() }
    }
}

/// Probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey, Borwein, López de Prado and
/// Zhu, Journal of Computational Finance 20, 2017).
///
/// `variants` holds each variant's returns per period, all of the same length. They are cut into `blocks` runs in time
/// (an even number; 16 is usual); each half of the blocks in turn is the past, the other half the future. The variant
/// with the highest Sharpe ratio in the past is ranked in the future: ω = rank / (variants + 1), logit ln(ω / (1 − ω)).
/// Equal Sharpe ratios share their mean rank; of equal best ones the first is chosen. A variant whose returns do not vary
/// (it never traded) has the Sharpe ratio 0. Cost: C(blocks, blocks/2) · variants.
///
/// # Errors
/// Fewer than 2 variants; an odd number of blocks, or one outside 2..=20; fewer than 2 returns in a block; series of
/// different length; a return that is not finite.
///
/// ```
/// // the first variant always earns, the second always loses: choosing is no mistake
/// let good: Vec<f64> = (0..40).map(|i| 0.01 + 0.001 * f64::from(i % 3)).collect();
/// let bad: Vec<f64> = good.iter().map(|x| -x).collect();
/// assert_eq!(stats::selection::overfitting(&[good, bad], 8)?.probability, 0.0);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn overfitting(variants: &[Vec<f64>], blocks: usize) -> Result<Overfitting, Error> {
    let rows = variants.first().map_or(0, Vec::len);
    let bad = |name, value: usize, range| Error::OutOfRange { name, value: value as f64, range };
    if variants.len() < 2 {
        return Err(bad("the number of variants", variants.len(), "from 2"));
    }
    if !(2..=20).contains(&blocks) || !blocks.is_multiple_of(2) {
        return Err(bad("the number of blocks", blocks, "that is even, from 2 to 20"));
    }
    if rows < 2 * blocks {
        return Err(bad("the number of returns", rows, "from twice the number of blocks"));
    }
    for variant in variants {
        if variant.len() != rows {
            return Err(Error::LengthMismatch { left: rows, right: variant.len() });
        }
        if let Some(value) = variant.iter().find(|x| !x.is_finite()) {
            return Err(Error::OutOfRange { name: "a return", value: *value, range: "that is finite" });
        }
    }
    let runs = runs(rows, blocks);
    let centres: Vec<f64> = variants.iter().map(|x| x.iter().sum::<f64>() / rows as f64).collect();
    let moments = |(variant, centre): (&Vec<f64>, &f64)| -> Vec<Moments> {
        let block = |run: &std::ops::Range<usize>| {
            variant[run.clone()].iter().fold(Moments::default(), |m, x| {
                let off = x - centre;
                Moments { n: m.n + 1.0, sum: m.sum + off, squares: m.squares + off * off }
            })
        };
        runs.iter().map(block).collect()
    };
    let moments: Vec<Vec<Moments>> = variants.iter().zip(&centres).map(moments).collect();

    let mut found = Overfitting {
        probability: 0.0,
        loss_probability: 0.0,
        slope: None,
        chosen_in: None,
        chosen_out: None,
        logits: Vec::new(),
        chosen: Vec::new(),
    };
    let (mut best_in, mut best_out) = (Vec::new(), Vec::new());
    let mut outside = vec![0.0; variants.len()];
    for past in combinations(blocks, blocks / 2) {
        let is_past: Vec<bool> = (0..blocks).map(|b| past.binary_search(&b).is_ok()).collect();
        let mut best: Option<(usize, f64)> = None;
        for (variant, ((blocks, centre), out)) in moments.iter().zip(&centres).zip(&mut outside).enumerate() {
            let (mut before, mut after) = (Moments::default(), Moments::default());
            for (block, past) in blocks.iter().zip(&is_past) {
                if *past { before = before.plus(*block) } else { after = after.plus(*block) }
            }
            let inside = before.sharpe(*centre);
            *out = after.sharpe(*centre);
            if best.is_none_or(|(_, top)| inside > top) {
                best = Some((variant, inside));
            }
        }
        let Some((chosen, inside)) = best else { continue };
        let own = outside[chosen];
        let below = outside.iter().filter(|s| **s < own).count() as f64;
        let above = outside.iter().filter(|s| **s > own).count() as f64;
        let equal = variants.len() as f64 - below - above;
        let omega = (below + f64::midpoint(equal, 1.0)) / (variants.len() as f64 + 1.0);
        found.logits.push((omega / (1.0 - omega)).ln());
        found.chosen.push(chosen);
        best_in.push(inside);
        best_out.push(own);
    }
    let splits = found.logits.len() as f64;
    // the logit of an exact median is 0 but for rounding
    found.probability = found.logits.iter().filter(|l| **l <= 1e-12).count() as f64 / splits;
    found.loss_probability = best_out.iter().filter(|s| **s < 0.0).count() as f64 / splits;
    found.slope = slope(&best_in, &best_out);
    found.chosen_in = median(&best_in);
    found.chosen_out = median(&best_out);
    Ok(found)
}

/// Least squares.
fn slope(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let both: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
    ratio(both, x.iter().map(|x| (x - mx).powi(2)).sum())
}
