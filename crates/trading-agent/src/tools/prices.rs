use super::{Draft, Known, Tool, number};
use crate::{Error, technical};
use artifacts::rows::{Bar, FactKind};
use artifacts::{AsOf, Timestamp};
use serde::Serialize;

/// Prices up to now: the last close, its changes, its range, the volume.
#[derive(Debug, Clone)]
pub struct GetPriceData {
    /// The currency of the prices.
    pub currency: String,
}

/// Arguments of [`GetPriceData`].
#[derive(Debug, Clone, Serialize)]
pub struct GetPriceDataArguments {
    /// Bars of the longer change and of the range.
    pub bars: usize,
}

fn price(name: String, at: (Timestamp, Timestamp), value: f64, unit: &str, text: String, relevance: f64) -> Draft {
    let (event_at, available_at) = at;
    let unit = unit.to_owned();
    Draft { kind: FactKind::Price, name, event_at, available_at, value: Some(value), unit, text, relevance }
}

impl Tool for GetPriceData {
    type Arguments = GetPriceDataArguments;
    const NAME: &'static str = "get_price_data";

    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let Some(last) = known.bars.latest() else { return Ok(Vec::new()) };
        let at = (last.event_at, last.available_at);
        let currency = &self.currency;
        let text = format!("close {} {currency}", number(last.close));
        let mut facts = vec![price("close".into(), at, last.close, currency, text, 3.0)];
        let mut spans = vec![1, arguments.bars];
        spans.dedup();
        for bars in spans.into_iter().filter(|bars| *bars > 0) {
            let window = known.bars.last(bars + 1);
            if window.len() <= bars {
                continue;
            }
            let Some(first) = window.first() else { continue };
            let change = (last.close / first.close - 1.0) * 100.0;
            let over = if bars == 1 { "the last bar".to_owned() } else { format!("{bars} bars") };
            let text = format!("return over {over}: {change:+.3} %");
            facts.push(price(format!("return_{bars}"), at, change, "%", text, 2.5));
        }
        let window = known.bars.last(arguments.bars);
        if window.len() >= 2 {
            let best = |pick: fn(f64, f64) -> f64, from: f64| window.iter().map(|b| b.close).fold(from, pick);
            let (high, low) = (best(f64::max, f64::NEG_INFINITY), best(f64::min, f64::INFINITY));
            for (name, value) in [("highest", high), ("lowest", low)] {
                let text = format!("{name} close of {} bars: {} {currency}", window.len(), number(value));
                facts.push(price(format!("{name}_close_{}", window.len()), at, value, currency, text, 1.0));
            }
        }
        if let Some(volume) = last.volume {
            let text = format!("volume {}", number(volume));
            facts.push(price("volume".into(), at, volume, "", text, 0.8));
        }
        Ok(facts)
    }
}

/// Standard deviation of the last `bars` one-bar log returns; none before there are enough bars.
pub fn volatility(bars: &AsOf<'_, Bar>, count: usize) -> Option<f64> {
    let window = bars.last(count + 1);
    if count < 2 || window.len() <= count {
        return None;
    }
    let returns: Vec<f64> = window.windows(2).map(|w| (w[1].close / w[0].close).ln()).collect();
    let mean = returns.iter().sum::<f64>() / returns.len() as f64;
    let variance = returns.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (returns.len() - 1) as f64;
    Some(variance.sqrt())
}

/// How much the price moves, and how strong its trend is against that.
#[derive(Debug, Clone)]
pub struct CalculateVolatility;

/// Arguments of [`CalculateVolatility`].
#[derive(Debug, Clone, Serialize)]
pub struct CalculateVolatilityArguments {
    /// Bars of the volatility.
    pub bars: usize,
    /// Bars of the trend that is measured in it.
    pub trend_bars: usize,
}

impl Tool for CalculateVolatility {
    type Arguments = CalculateVolatilityArguments;
    const NAME: &'static str = "calculate_volatility";

    fn call(&self, arguments: &Self::Arguments, known: &Known<'_>) -> Result<Vec<Draft>, Error> {
        let Some(last) = known.bars.latest() else { return Ok(Vec::new()) };
        let at = (last.event_at, last.available_at);
        let mut facts = Vec::new();
        if let Some(volatility) = volatility(&known.bars, arguments.bars) {
            let percent = volatility * 100.0;
            let text = format!("volatility over {} bars: {} % a bar", arguments.bars, number(percent));
            facts.push(price(format!("volatility_{}", arguments.bars), at, percent, "%", text, 1.5));
        }
        if let Some(trend) = technical::momentum(&known.bars, arguments.trend_bars, arguments.bars) {
            let text = format!("momentum over {} bars: {trend:+.2} (-1 to 1)", arguments.trend_bars);
            facts.push(price(format!("momentum_{}", arguments.trend_bars), at, trend, "", text, 2.0));
        }
        Ok(facts)
    }
}
