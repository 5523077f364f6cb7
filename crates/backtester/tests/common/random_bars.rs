//! Bars for tests of sweeps: a seeded walk with opens, ranges and volumes.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

use artifacts::rows::Bar;
use artifacts::{Seed, Timestamp};
use rand::Rng;

/// Hourly bars; `rough` is the size of a step.
pub fn walk(n: usize, rough: f64, seed: u64) -> Vec<Bar> {
    let mut rng = Seed(seed).rng();
    let mut last = 100.0;
    (0_i64..)
        .take(n)
        .map(|i| {
            let open: f64 = last * (1.0 + rough * 0.3 * rng.random_range(-1.0..1.0));
            let close: f64 = open * (1.0 + rough * rng.random_range(-1.0..1.02));
            last = close;
            let event_at = Timestamp::from_seconds(1_600_000_000 + i * 3600);
            Bar {
                symbol: "X".into(),
                event_at,
                available_at: event_at.plus_seconds(3600),
                open: Some(open),
                high: Some(open.max(close) * 1.001),
                low: Some(open.min(close) * 0.999),
                close,
                volume: Some(rng.random_range(0.0..1000.0)),
            }
        })
        .collect()
}
