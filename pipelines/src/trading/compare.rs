//! Figures of the arms. An arm's returns are the mean over its seeds; intervals come from resampling blocks of bars, the same for
//! both arms of a difference, so that what moved the market for everyone cancels.

use super::heard::Heard;
use super::{TradingArm, TradingConfig};
use anyhow::Context;
use artifacts::rows::{Cost, EquityPoint, Metric};
use artifacts::{Seed, Timestamp, read_all};
use stats::distribution::{mean, std};
use stats::selection::{Resampling, deflated_sharpe, paired_difference, superior};
use std::path::PathBuf;

/// Fewest returns on either side of a choice.
const FEWEST: usize = 20;
/// Confidence of the intervals.
const LEVEL: f64 = 0.95;

/// What the runs of one arm gave.
pub(super) struct Result {
    pub(super) name: String,
    pub(super) what: String,
    /// The bars of the returns.
    pub(super) bars: Vec<Timestamp>,
    /// Return of each bar, mean over seeds.
    pub(super) returns: Vec<f64>,
    /// What the model calls cost, mean over seeds, in the price table's currency.
    pub(super) money: f64,
    /// Tokens of all calls, mean over seeds.
    pub(super) tokens: f64,
    /// The agents' claims; none where no agent was asked.
    pub(super) heard: Option<Heard>,
    capital: f64,
    figures: Vec<Vec<Metric>>,
}

/// The figures of one arm.
#[derive(Debug, Default)]
pub(super) struct Arm {
    pub(super) total_return: Option<f64>,
    /// Standard deviation of the total return over seeds.
    pub(super) deviation: Option<f64>,
    pub(super) sharpe: Option<f64>,
    pub(super) drawdown: Option<f64>,
    pub(super) turnover: Option<f64>,
    pub(super) cost: Option<f64>,
    /// Total return after what the model calls cost, as a share of the capital.
    pub(super) net_return: Option<f64>,
    pub(super) difference: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) p_value: Option<f64>,
}

/// An arm chosen by the first bars, judged by the later ones.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) chosen: usize,
    pub(super) chosen_return: f64,
    pub(super) reference_return: f64,
    pub(super) best: usize,
    pub(super) best_return: f64,
}

/// Everything that the report says.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) arms: Vec<Arm>,
    /// p-value of "no arm is better than the first", given how many were tried (Hansen's consistent one).
    pub(super) any_better: Option<f64>,
    /// Deflated Sharpe ratio of the best arm, for as many trials as there are arms.
    pub(super) deflated: Option<f64>,
    pub(super) choice: Option<Choice>,
}

impl Result {
    /// Reads the runs of one arm.
    pub(super) fn read(arm: &TradingArm, backtests: &[PathBuf], agents: &[PathBuf]) -> anyhow::Result<Self> {
        let (mut bars, mut returns, mut figures): (Vec<Timestamp>, Vec<f64>, _) = (Vec::new(), Vec::new(), Vec::new());
        let mut capital = 0.0;
        for folder in backtests {
            let points: Vec<EquityPoint> = read_all(&folder.join("equity.parquet"))?;
            capital = points.first().map_or(0.0, |p| p.equity);
            let own: Vec<f64> = points.windows(2).map(|w| growth(w[0].equity, w[1].equity)).collect();
            if returns.is_empty() {
                bars = points.iter().skip(1).map(|p| p.event_at).collect();
                returns = vec![0.0; own.len()];
            }
            anyhow::ensure!(
                own.len() == returns.len(),
                "{}: another number of bars than the other seeds",
                folder.display()
            );
            for (sum, value) in returns.iter_mut().zip(own) {
                *sum += value / backtests.len() as f64;
            }
            figures.push(read_all::<Metric>(&folder.join("metrics.parquet"))?);
        }
        let mut costs = Vec::new();
        for file in agents.iter().map(|f| f.join("costs.parquet")).filter(|f| f.exists()) {
            costs.extend(read_all::<Cost>(&file)?);
        }
        let runs = agents.len().max(1) as f64;
        Ok(Self {
            name: arm.name.clone(),
            what: arm.what.clone(),
            bars,
            returns,
            money: costs.iter().map(|c| c.money).sum::<f64>() / runs,
            tokens: costs.iter().map(|c| (c.prompt_tokens + c.answer_tokens) as f64).sum::<f64>() / runs,
            heard: Heard::read(agents)?,
            capital,
            figures,
        })
    }

    /// Mean over standard deviation of the bars' returns.
    pub(super) fn sharpe_per_bar(&self) -> Option<f64> {
        (self.returns.iter().any(|r| *r != 0.0)).then(|| sharpe(&self.returns))
    }

    /// A figure of the strategy, mean over seeds.
    fn figure(&self, name: &str) -> Option<f64> {
        mean(&self.each(name))
    }

    fn each(&self, name: &str) -> Vec<f64> {
        let find =
            |m: &Vec<Metric>| m.iter().find(|m| m.subject == "strategy" && m.metric == name).and_then(|m| m.value);
        self.figures.iter().filter_map(find).collect()
    }
}

fn growth(before: f64, now: f64) -> f64 {
    if before > 0.0 { now / before - 1.0 } else { 0.0 }
}

fn total(returns: &[f64]) -> f64 {
    returns.iter().map(|r| 1.0 + r).product::<f64>() - 1.0
}

fn sharpe(returns: &[f64]) -> f64 {
    match (mean(returns), std(returns, 1)) {
        (Some(mean), Some(sd)) if sd > 0.0 => mean / sd,
        _ => 0.0,
    }
}

/// Compares every arm with the first.
pub(super) fn compare(results: &[Result], settings: &TradingConfig, seed: Seed) -> anyhow::Result<Comparison> {
    let first = results.first().context("no arms")?;
    for result in results {
        anyhow::ensure!(
            result.bars == first.bars,
            "arm {} was judged on other bars than {}: give all arms the same prices",
            result.name,
            first.name
        );
    }
    let resampling = Resampling { resamples: settings.resamples, level: LEVEL, seed: seed.0, mean_block: 1.0 };
    let mut arms = Vec::new();
    for result in results {
        let own = &result.returns;
        let totals = result.each("total_return");
        let total_return = mean(&totals);
        // an arm that never differs has no difference to resample
        let gap = (own != &first.returns)
            .then(|| paired_difference(&first.returns, own, None, &resampling, |r| Some(total(r))))
            .transpose()?;
        arms.push(Arm {
            total_return,
            deviation: (totals.len() > 1).then(|| std(&totals, 1)).flatten(),
            sharpe: result.figure("sharpe_ratio"),
            drawdown: result.figure("max_drawdown"),
            turnover: result.figure("turnover"),
            cost: result.figure("total_cost"),
            net_return: total_return.map(|t| if result.capital > 0.0 { t - result.money / result.capital } else { t }),
            difference: Some(gap.map_or(0.0, |g| g.estimate)),
            low: Some(gap.map_or(0.0, |g| g.low)),
            high: Some(gap.map_or(0.0, |g| g.high)),
            p_value: Some(gap.map_or(1.0, |g| g.share_not_above_zero)),
        });
    }
    let sharpes: Vec<f64> = results.iter().map(|r| sharpe(&r.returns)).collect();
    let best = best(&sharpes);
    let spread = std(&sharpes, 1).unwrap_or(0.0);
    let gaps: Vec<Vec<f64>> = results
        .iter()
        .skip(1)
        .map(|r| r.returns.iter().zip(&first.returns).map(|(own, base)| own - base).collect())
        .collect();
    let block = (first.returns.len() as f64).cbrt().max(1.0);
    // where no arm differs there is nothing to test
    let test = superior(&gaps, block, settings.resamples, seed.derive("superior").0, true);
    Ok(Comparison {
        any_better: test.ok().map(|t| t.p.consistent),
        deflated: deflated_sharpe(&results[best].returns, results.len(), spread * spread),
        choice: choose(results, settings.choose_share),
        arms,
    })
}

/// The highest, the earliest of equals.
fn best(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// The arm with the highest Sharpe ratio on the first bars, and what it and the others earn after them.
fn choose(results: &[Result], share: f64) -> Option<Choice> {
    let rows = results.first()?.returns.len();
    let cut = (rows as f64 * share) as usize;
    if cut < FEWEST || rows - cut < FEWEST {
        return None;
    }
    let seen: Vec<f64> = results.iter().map(|r| sharpe(&r.returns[..cut])).collect();
    let later: Vec<f64> = results.iter().map(|r| total(&r.returns[cut..])).collect();
    let (chosen, best) = (best(&seen), best(&later));
    Some(Choice { chosen, chosen_return: later[chosen], reference_return: later[0], best, best_return: later[best] })
}

impl Comparison {
    /// The figures as rows.
    pub(super) fn metrics(&self, results: &[Result]) -> Vec<Metric> {
        let mut rows = Vec::new();
        for (result, arm) in results.iter().zip(&self.arms) {
            for (metric, value) in [
                ("total_return", arm.total_return),
                ("total_return_deviation", arm.deviation),
                ("sharpe_ratio", arm.sharpe),
                ("max_drawdown", arm.drawdown),
                ("turnover", arm.turnover),
                ("total_cost", arm.cost),
                ("model_cost", Some(result.money)),
                ("model_tokens", Some(result.tokens)),
                ("net_return", arm.net_return),
                ("difference", arm.difference),
                ("difference_low", arm.low),
                ("difference_high", arm.high),
                ("p_not_better", arm.p_value),
            ] {
                rows.push(Metric {
                    subject: result.name.clone(),
                    slice: "all".into(),
                    metric: metric.into(),
                    value: value.filter(|v| v.is_finite()),
                    n: result.returns.len() as u64,
                });
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(name: &str, returns: Vec<f64>) -> Result {
        let bars = (0..).map(Timestamp::from_seconds).take(returns.len()).collect();
        let (what, figures) = (String::new(), Vec::new());
        Result { name: name.into(), what, bars, returns, money: 5.0, tokens: 1.0, heard: None, capital: 100.0, figures }
    }

    fn noise(seed: u64, drift: f64) -> Vec<f64> {
        use rand::Rng;
        let mut rng = Seed(seed).rng();
        (0..400).map(|_| drift + 0.01 * (rng.random::<f64>() - 0.5)).collect()
    }

    #[test]
    fn a_better_arm_is_found_and_noise_is_not() {
        let base = noise(1, 0.0);
        let better = base.iter().map(|r| r + 0.002).collect();
        let same = noise(2, 0.0);
        let results =
            [result("base", base.clone()), result("better", better), result("noise", same), result("twin", base)];
        let found = compare(&results, &TradingConfig::default(), Seed(7)).unwrap();
        assert!(found.arms[1].low.unwrap() > 0.0 && found.arms[1].p_value.unwrap() < 0.01);
        assert!(found.arms[2].low.unwrap() < 0.0 && found.arms[2].high.unwrap() > 0.0);
        assert_eq!((found.arms[3].difference, found.arms[3].p_value), (Some(0.0), Some(1.0)), "nothing differs");
        let choice = found.choice.as_ref().unwrap();
        assert_eq!((choice.chosen, choice.best), (1, 1));
        assert!(found.deflated.unwrap() > 0.9);
        assert_eq!(found.metrics(&results).len(), 4 * 13);
    }

    #[test]
    fn arms_on_other_bars_are_not_compared() {
        let mut other = result("other", noise(2, 0.0));
        other.bars[3] = Timestamp::from_seconds(99);
        let error = compare(&[result("base", noise(1, 0.0)), other], &TradingConfig::default(), Seed(7)).unwrap_err();
        assert!(error.to_string().contains("other bars"), "{error}");
    }
}
