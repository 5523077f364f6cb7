//! What the tests of this crate share: a seeded market.
#![allow(dead_code, reason = "not every test file uses everything")]
#![allow(clippy::cast_possible_wrap, reason = "tests")]

use artifacts::rows::{Bar, News, Observation};
use artifacts::{NoProgress, RunOptions, Seed, Timestamp, write_all};
use features::{FeaturesConfig, Inputs};
use std::path::Path;

pub(crate) const STEP: i64 = 3600;

pub(crate) fn options(force: bool) -> RunOptions<'static> {
    RunOptions { seed: Seed(42), force, progress: &NoProgress }
}

/// Numbers in [0, 1) that depend on the seed and on nothing else.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    // 2022-01-01
    Timestamp::from_seconds(1_640_995_200 + seconds)
}

/// A random walk in hourly bars.
pub(crate) fn bars(symbol: &str, n: usize, seed: u64) -> Vec<Bar> {
    let mut draws = Draws(seed);
    let mut last = 100.0;
    (0..n)
        .map(|i| {
            let open = last;
            let close = open * (1.0 + 0.02 * (draws.next() - 0.5));
            last = close;
            let (top, bottom) = (f64::max(open, close), f64::min(open, close));
            let event_at = at(STEP * i as i64);
            Bar {
                symbol: symbol.into(),
                event_at,
                available_at: event_at.plus_seconds(STEP),
                open: Some(open),
                high: Some(top * (1.0 + 0.005 * draws.next())),
                low: Some(bottom * (1.0 - 0.005 * draws.next())),
                close,
                volume: Some(1000.0 * draws.next()),
            }
        })
        .collect()
}

pub(crate) fn observation(symbol: &str, name: &str, event: i64, known: i64, value: f64) -> Observation {
    Observation { symbol: symbol.into(), name: name.into(), event_at: at(event), available_at: at(known), value }
}

/// Texts and observations at odd times, some known late.
pub(crate) fn texts(symbol: &str, hours: usize, seed: u64) -> (Vec<News>, Vec<Observation>) {
    let mut draws = Draws(seed ^ 0x5eed);
    let (mut news, mut observations) = (Vec::new(), Vec::new());
    for i in 0..hours {
        let event = STEP * i as i64 + (draws.next() * 3000.0) as i64;
        let known = event + (draws.next() * 9000.0) as i64;
        news.push(News {
            id: format!("{symbol}-{i}"),
            symbol: symbol.into(),
            event_at: at(event),
            available_at: at(known),
            text: format!("text {i}"),
            source: "test".into(),
        });
        let names = ["mood", "mvrv_btc_momentum", "index"];
        for name in names {
            if draws.next() < 0.6 {
                observations.push(observation(symbol, name, event, known, draws.next() - 0.5));
            }
        }
    }
    news.sort_by(|a, b| (a.available_at, a.event_at, &a.id).cmp(&(b.available_at, b.event_at, &b.id)));
    observations.sort_by(|a, b| (a.available_at, a.event_at, &a.name).cmp(&(b.available_at, b.event_at, &b.name)));
    (news, observations)
}

pub(crate) fn write_market(folder: &Path, bars: &[Bar], news: &[News], observations: &[Observation]) {
    write_all(&folder.join("bars.parquet"), bars).unwrap();
    write_all(&folder.join("news.parquet"), news).unwrap();
    write_all(&folder.join("observations.parquet"), observations).unwrap();
}

pub(crate) fn run(config: &FeaturesConfig, market: &Path, out: &Path, force: bool) -> artifacts::Manifest {
    features::run(config, &Inputs::of_folder(market), out, &options(force)).unwrap()
}

pub(crate) fn bytes(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join(features::FEATURES)).unwrap()
}

/// A figure of `runtime.json`.
pub(crate) fn measured(folder: &Path, name: &str) -> f64 {
    let text = std::fs::read_to_string(folder.join("runtime.json")).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["measured"][name].as_f64().unwrap()
}
