//! What followed each decision, and in which kind of market it was made.

use super::record::Prices;
use super::{Error, ReasoningConfig};
use artifacts::rows::{Bar, Decision};
use std::path::Path;

/// Calm, usual or rough: terciles of the volatility over all decisions. They describe; nothing was decided with them.
pub(crate) const VOLATILITIES: [&str; 3] = ["calm", "usual", "rough"];

/// One decision with what followed it.
#[derive(Debug, Clone)]
pub(crate) struct Outcome<'a> {
    pub(crate) decision: &'a Decision,
    /// Return of the close over each of the horizons; none where the bars end first.
    pub(crate) forward: Vec<Option<f64>>,
    /// Over the horizon of the settings.
    pub(crate) main: Option<f64>,
    /// Place in [`VOLATILITIES`]; none before there are enough bars.
    pub(crate) volatility: Option<usize>,
    /// Whether the close rose over the bars of the trend.
    pub(crate) rising: Option<bool>,
}

impl Outcome<'_> {
    /// What the decision earned before costs: position times return.
    pub(crate) fn earned(&self) -> Option<f64> {
        Some(self.decision.position * self.main?)
    }
}

/// The outcomes of all decisions, in the order of time.
pub(crate) fn outcomes<'a>(
    config: &ReasoningConfig,
    decisions: &'a [Decision],
    prices: &Prices,
    agent: &Path,
) -> Result<Vec<Outcome<'a>>, Error> {
    let mut found = Vec::with_capacity(decisions.len());
    let mut rough: Vec<Option<f64>> = Vec::with_capacity(decisions.len());
    for (row, decision) in decisions.iter().enumerate() {
        let Some((bars, at)) = prices.at(&decision.symbol, decision.bar_at) else {
            return Err(Error::NoBar {
                decisions: agent.join("decisions.parquet"),
                row,
                symbol: decision.symbol.clone(),
                bar: decision.bar_at.to_string(),
                bars: prices.path.clone(),
            });
        };
        rough.push(volatility(bars, at, config.volatility_bars));
        let trend = at.checked_sub(config.trend_bars).and_then(|from| change(bars, from, at));
        found.push(Outcome {
            decision,
            forward: config.horizons.iter().map(|h| change(bars, at, at + h)).collect(),
            main: change(bars, at, at + config.horizon),
            volatility: None,
            rising: trend.filter(|t| *t != 0.0).map(|t| t > 0.0),
        });
    }
    let mut sorted: Vec<f64> = rough.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let edge = |q| stats::distribution::quantile_sorted(&sorted, q);
    if let (Some(low), Some(high)) = (edge(1.0 / 3.0), edge(2.0 / 3.0)) {
        for (outcome, volatility) in found.iter_mut().zip(rough) {
            outcome.volatility = volatility.map(|v| usize::from(v > low) + usize::from(v > high));
        }
    }
    found.sort_by(|a, b| (a.decision.bar_at, &a.decision.symbol).cmp(&(b.decision.bar_at, &b.decision.symbol)));
    Ok(found)
}

fn change(bars: &[Bar], from: usize, to: usize) -> Option<f64> {
    Some(bars.get(to)?.close / bars.get(from)?.close - 1.0)
}

fn volatility(bars: &[Bar], at: usize, count: usize) -> Option<f64> {
    let window = bars.get(at.checked_sub(count)?..=at)?;
    let returns: Vec<f64> = window.windows(2).map(|w| (w[1].close / w[0].close).ln()).collect();
    stats::distribution::std(&returns, 1)
}
