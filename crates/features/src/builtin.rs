//! The features that everyone asks for first.

use crate::definition::{BandOutput, BarColumn, Carried, Compute, Definition, Input, MacdOutput, Shown};
use stats::indicators::Seeding;

const HOUR: i64 = 3600;

fn close() -> Input {
    Input::default()
}

fn carried(observation: &str, max_age_seconds: i64) -> Input {
    Input::Observation(Carried { observation: observation.to_owned(), max_age_seconds })
}

/// Returns, volatility, averages, RSI, MACD, Bollinger's bands, true range, volume, MVRV momentum, fear and greed, and news.
/// Where a market has no such observation, its features have no values.
///
/// Moods ([`Compute::Mood`]) are not among them: no source writes such observations. What a model reads from the news is averaged,
/// with the same decay, by whoever decides; where a market has a series of moods, define a feature of it.
pub fn definitions() -> Vec<Definition> {
    let sma = |bars, shown| Compute::Sma { input: close(), bars, shown };
    let ema = |bars| Compute::Ema { input: close(), bars, seeding: Seeding::Mean, shown: Shown::Value };
    let macd = |output| {
        let (fast, slow, signal) = (12, 26, 9);
        Compute::Macd { input: close(), fast, slow, signal, seeding: Seeding::Mean, output }
    };
    let bands = |output| Compute::Bollinger { input: close(), bars: 20, deviations: 2.0, output };
    [
        ("atr_14", Compute::Atr { bars: 14, shown: Shown::Value }),
        ("atr_14_relative", Compute::Atr { bars: 14, shown: Shown::Relative }),
        ("bollinger_20_lower", bands(BandOutput::Lower)),
        ("bollinger_20_percent", bands(BandOutput::Percent)),
        ("bollinger_20_upper", bands(BandOutput::Upper)),
        ("bollinger_20_width", bands(BandOutput::Width)),
        ("ema_12", ema(12)),
        ("ema_26", ema(26)),
        ("fear_greed", Compute::Value { input: carried("index", 24 * HOUR) }),
        ("highest_20", Compute::Highest { input: close(), bars: 20 }),
        ("log_return_1", Compute::Return { input: close(), bars: 1, log: true }),
        ("lowest_20", Compute::Lowest { input: close(), bars: 20 }),
        ("macd_histogram", macd(MacdOutput::Histogram)),
        ("macd_line", macd(MacdOutput::Line)),
        ("macd_signal", macd(MacdOutput::Signal)),
        ("momentum_10", Compute::Momentum { input: close(), bars: 10 }),
        ("mvrv_momentum", Compute::Value { input: carried("mvrv_btc_momentum", 24 * HOUR) }),
        ("mvrv_momentum_change_6", Compute::Momentum { input: carried("mvrv_btc_momentum", 24 * HOUR), bars: 6 }),
        ("news_count_6h", Compute::NewsCount { sources: Vec::new(), half_life_seconds: 6.0 * HOUR as f64 }),
        ("return_1", Compute::Return { input: close(), bars: 1, log: false }),
        ("return_12", Compute::Return { input: close(), bars: 12, log: false }),
        ("rsi_14", Compute::Rsi { input: close(), bars: 14 }),
        ("sma_20", sma(20, Shown::Value)),
        ("sma_20_distance", sma(20, Shown::Relative)),
        ("sma_50", sma(50, Shown::Value)),
        ("volatility_20", Compute::Volatility { input: close(), bars: 20 }),
        ("volume_z_20", Compute::ZScore { input: Input::Bar(BarColumn::Volume), bars: 20 }),
    ]
    .into_iter()
    .map(|(name, compute)| Definition::new(name, compute))
    .collect()
}
