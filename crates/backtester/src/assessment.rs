//! Compatibility with the backtester of the trading assessment: the same numbers, flaws included, so that results can
//! be compared with others' to the last digit. Use the default mode for everything else.
//!
//! # Rules
//! With close c, position p, cost rate k = commission + slippage:
//! 1. market return r\[t\] = c\[t\]/c\[t−1\] − 1; strategy return s\[t\] = p\[t−1\]·r\[t\] − |p\[t\] − p\[t−1\]|·k. The first of
//!    each does not exist and is left out everywhere.
//! 2. equity\[t\] = capital · Π(1 + s) up to t; total return = Π(1 + s) − 1; annual return = (1 + total)^(252/n) − 1 with n
//!    strategy returns; Sharpe = √252 · mean/sd (ddof 1), 0 where sd is 0.
//! 3. drawdown = (C − max C)/(1 + max C) with C the cumulative return from the first strategy return on; the minimum.
//! 4. win rate = share of s > 0 among s ≠ 0, 0 if none; profit factor = Σ gains / |Σ losses|, infinite without a loss.
//! 5. precision, recall and F1 of "buy": truth Signal > 0 among rows with Signal ≠ 0, prediction p > 0 on the same row; 0
//!    where the denominator is 0.
//!
//! # Flaws kept here, and what the default mode does instead
//! | here | default mode |
//! |---|---|
//! | 252 periods a year whatever the bars are (10-minute bars: about 52,560) | the median bar interval, or a setting; stated |
//! | a position fills at the close it was computed on | the next bar's open, or its close |
//! | the first entry is free, for it has no position before it | every change of units is paid |
//! | no exit at the end, so it costs nothing | the same, or a liquidation (`liquidate_at_end`); stated |
//! | the drawdown misses the starting capital: a loss on the first bar is not one | the capital is the first high |
//! | flat (0) counts as "sell" in precision and recall | not reported: they belong to a classifier |
//! | the win rate is per bar, and a bar that only pays costs is a loss | per bar and per trade |
//! | costs are relative to equity, positions drift without being traded | cash and units, trades by value |
//! | gaps between bars are ignored | bars have times; decisions fill in the first bar that begins after them |
//! | a NaN position drops bars without a word | refused, here too: the one flaw that is not reproduced |

use crate::Error;
use serde::Serialize;
use stats::distribution::{mean, std};

/// Bars in a year, whatever they are.
const PERIODS: f64 = 252.0;

/// Costs and capital.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Cash to begin with.
    pub initial_capital: f64,
    /// Share of equity for each unit of change in position.
    pub commission: f64,
    /// Added to the commission.
    pub slippage: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { initial_capital: 10_000.0, commission: 0.001, slippage: 0.0 }
    }
}

/// The figures, under the names that the assessment uses. None is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metrics {
    /// Rule 2.
    pub total_return: Option<f64>,
    /// Rule 2.
    pub annual_return: Option<f64>,
    /// Rule 2.
    pub sharpe_ratio: Option<f64>,
    /// Rule 3.
    pub max_drawdown: Option<f64>,
    /// Rule 4.
    pub win_rate: Option<f64>,
    /// Rule 4.
    pub profit_factor: Option<f64>,
    /// Rule 5; none without the column Signal.
    pub precision: Option<f64>,
    /// Rule 5; none without the column Signal.
    pub recall: Option<f64>,
    /// Rule 5; none without the column Signal.
    pub f1_score: Option<f64>,
}

/// A run in this mode.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The figures.
    pub metrics: Metrics,
    /// Equity after each row; the first does not exist.
    pub equity: Vec<Option<f64>>,
    /// Strategy returns that exist.
    pub returns_counted: usize,
    /// Capital times the last close over the first.
    pub final_market_equity: f64,
}

/// Runs positions against closes by the rules above.
///
/// # Errors
/// Fewer than 3 prices; not one position for each price; a setting, price or position that is not finite.
///
/// ```
/// use backtester::assessment::{assess, Settings};
/// let found = assess(&[100.0, 110.0, 99.0], None, &[1.0, 1.0, 0.0], &Settings::default())?;
/// // +10 %, then -10 % and the exit
/// assert!((found.metrics.total_return.unwrap() - (1.1 * (1.0 - 0.1 - 0.001) - 1.0)).abs() < 1e-12);
/// # Ok::<(), backtester::Error>(())
/// ```
pub fn assess(
    close: &[f64],
    signal: Option<&[f64]>,
    positions: &[f64],
    settings: &Settings,
) -> Result<Assessment, Error> {
    check(close, positions, settings)?;
    let rate = settings.commission + settings.slippage;
    let pairs = close.iter().zip(positions);
    let returns: Vec<f64> = pairs
        .clone()
        .zip(pairs.skip(1))
        .map(|((c0, p0), (c1, p1))| p0 * (c1 / c0 - 1.0) - (p1 - p0).abs() * rate)
        .collect();
    let n = returns.len();
    let growth: Vec<f64> = returns
        .iter()
        .scan(1.0, |g, s| {
            *g *= 1.0 + s;
            Some(*g)
        })
        .collect();
    let total = growth.last().copied().unwrap_or(1.0) - 1.0;
    let sharpe = match (mean(&returns), std(&returns, 1)) {
        (Some(_), Some(0.0)) => Some(0.0),
        (Some(mean), Some(sd)) => Some(PERIODS.sqrt() * mean / sd),
        _ => None,
    };
    let [precision, recall, f1_score] = signal.map_or([None; 3], |signal| buys(signal, positions));
    let finite = |v: f64| v.is_finite().then_some(v);
    let equity = std::iter::once(None).chain(growth.iter().map(|g| finite(settings.initial_capital * g))).collect();
    Ok(Assessment {
        metrics: Metrics {
            total_return: finite(total),
            annual_return: finite((1.0 + total).powf(PERIODS / n as f64) - 1.0),
            sharpe_ratio: sharpe.and_then(finite),
            max_drawdown: finite(drawdown(&growth)),
            win_rate: Some(win_rate(&returns)),
            profit_factor: finite(profit_factor(&returns)),
            precision,
            recall,
            f1_score,
        },
        equity,
        returns_counted: n,
        final_market_equity: match (close.first(), close.last()) {
            (Some(first), Some(last)) => settings.initial_capital * last / first,
            _ => settings.initial_capital,
        },
    })
}

fn check(close: &[f64], positions: &[f64], settings: &Settings) -> Result<(), Error> {
    if close.len() < 3 {
        return Err(Error::TooFewPrices { prices: close.len() });
    }
    if close.len() != positions.len() {
        return Err(Error::PositionCount { positions: positions.len(), prices: close.len() });
    }
    let Settings { initial_capital, commission, slippage } = *settings;
    let fits = |name, value: f64, fits: bool, range| {
        if value.is_finite() && fits { Ok(()) } else { Err(Error::BadSetting { name, value, range }) }
    };
    fits("initial_capital", initial_capital, initial_capital > 0.0, "above 0")?;
    fits("commission", commission, (0.0..1.0).contains(&commission), "from 0 to below 1 (a share, not a percentage)")?;
    fits("slippage", slippage, (0.0..1.0).contains(&slippage), "from 0 to below 1 (a share, not a percentage)")?;
    let bad = |values: &[f64], ok: fn(f64) -> bool| values.iter().copied().enumerate().find(|(_, v)| !ok(*v));
    if let Some((row, position)) = bad(positions, f64::is_finite) {
        return Err(Error::BadPosition { row, position });
    }
    if let Some((row, value)) = bad(close, |c| c.is_finite() && c > 0.0) {
        let (line, value) = (row as u64 + 2, value.to_string());
        return Err(Error::BadCell { line, column: "close", value, expected: "a price above 0" });
    }
    Ok(())
}

fn drawdown(growth: &[f64]) -> f64 {
    let mut top = f64::NEG_INFINITY;
    growth.iter().fold(0.0, |worst, g| {
        top = top.max(*g);
        // (C - max C) / (1 + max C) with C = g - 1
        f64::min(worst, (g - top) / top)
    })
}

fn win_rate(returns: &[f64]) -> f64 {
    let (wins, moves) = (returns.iter().filter(|s| **s > 0.0).count(), returns.iter().filter(|s| **s != 0.0).count());
    if moves == 0 { 0.0 } else { wins as f64 / moves as f64 }
}

fn profit_factor(returns: &[f64]) -> f64 {
    let gains: f64 = returns.iter().filter(|s| **s > 0.0).sum();
    let losses: f64 = returns.iter().filter(|s| **s < 0.0).sum::<f64>().abs();
    if losses == 0.0 { f64::INFINITY } else { gains / losses }
}

/// Precision, recall and F1 of "buy".
fn buys(signal: &[f64], positions: &[f64]) -> [Option<f64>; 3] {
    let (mut hits, mut claimed, mut true_buys) = (0.0, 0.0, 0.0);
    for (truth, claim) in signal.iter().zip(positions).filter(|(s, _)| **s != 0.0).map(|(s, p)| (*s > 0.0, *p > 0.0)) {
        hits += f64::from(u8::from(truth && claim));
        claimed += f64::from(u8::from(claim));
        true_buys += f64::from(u8::from(truth));
    }
    let share = |of: f64| if of == 0.0 { Some(0.0) } else { Some(hits / of) };
    [share(claimed), share(true_buys), share(f64::midpoint(claimed, true_buys))]
}
