//! What the prices say, as of a moment.

use artifacts::AsOf;
use artifacts::rows::Bar;

/// Trend strength: the log return over the last `momentum_bars` bars, in units of what a random walk with the volatility of
/// the last `volatility_bars` one-bar returns would move in that time, squashed by tanh to (-1, 1).
///
/// None before there are enough bars, or where prices did not move.
///
/// ```
/// # use artifacts::{Timeline, Timestamp, rows::Bar};
/// # let bar = |i: i64, close| Bar { symbol: "X".into(), event_at: Timestamp::from_seconds(60 * i), available_at: Timestamp::from_seconds(60 * i + 60),
/// #     open: None, high: None, low: None, close, volume: None };
/// let closes = [100.0, 101.0, 100.5, 102.0, 103.0];
/// let bars = Timeline::new(closes.iter().enumerate().map(|(i, &c)| bar(i as i64, c)).collect())?;
/// let now = bars.as_of(Timestamp::from_seconds(300));
/// assert!(trading_agent::technical::momentum(&now, 3, 4).unwrap() > 0.0);
/// assert!(trading_agent::technical::momentum(&now, 3, 5).is_none());
/// # Ok::<(), artifacts::Error>(())
/// ```
pub fn momentum(bars: &AsOf<'_, Bar>, momentum_bars: usize, volatility_bars: usize) -> Option<f64> {
    let needed = momentum_bars.max(volatility_bars) + 1;
    let closes: Vec<f64> = bars.last(needed).iter().map(|b| b.close).collect();
    if closes.len() < needed || momentum_bars == 0 || volatility_bars < 2 {
        return None;
    }
    let returns: Vec<f64> = closes.windows(2).map(|w| (w[1] / w[0]).ln()).collect();
    let recent = &returns[returns.len() - volatility_bars..];
    let mean = recent.iter().sum::<f64>() / recent.len() as f64;
    let variance = recent.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (recent.len() - 1) as f64;
    let total: f64 = returns[returns.len() - momentum_bars..].iter().sum();
    let expected = (variance * momentum_bars as f64).sqrt();
    (expected > 0.0).then(|| (total / expected).tanh())
}
