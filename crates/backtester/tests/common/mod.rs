//! Bars and decisions for tests.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

use artifacts::Timestamp;
use artifacts::rows::{Bar, Decision};

pub const MINUTES: i64 = 600;

pub fn at(bar: u32) -> Timestamp {
    Timestamp::from_seconds(1_740_355_200 + i64::from(bar) * MINUTES)
}

/// Bars of ten minutes with these (open, close).
pub fn bars(prices: &[(f64, f64)]) -> Vec<Bar> {
    let bar = |(i, (open, close)): (u32, &(f64, f64))| Bar {
        symbol: "BTC".into(),
        event_at: at(i),
        available_at: at(i + 1),
        open: Some(*open),
        high: None,
        low: None,
        close: *close,
        volume: None,
    };
    (0..).zip(prices).map(bar).collect()
}

pub fn closes_only(mut bars: Vec<Bar>) -> Vec<Bar> {
    for bar in &mut bars {
        bar.open = None;
    }
    bars
}

/// A decision on each bar, made when the bar is available and `delay` seconds later.
pub fn decisions(bars: &[Bar], positions: &[f64], delay: i64) -> Vec<Decision> {
    let decision = |(bar, position): (&Bar, &f64)| Decision {
        symbol: bar.symbol.clone(),
        bar_at: bar.event_at,
        decided_at: bar.available_at.plus_seconds(delay),
        position: *position,
        sentiment: None,
        technical: None,
        news_ids: Vec::new(),
        confidence: None,
        fact_ids: Vec::new(),
        rationale: String::new(),
    };
    bars.iter().zip(positions).map(decision).collect()
}
