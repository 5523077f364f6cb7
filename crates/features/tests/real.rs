//! On the real minute bars, where they are.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use artifacts::rows::{Bar, Observation};
use artifacts::{Timestamp, read_all, write_all, write_bytes};
use common::{Draws, bytes, measured, options, run, write_market};
use features::{FeaturesConfig, Follower, Span};
use std::path::{Path, PathBuf};

/// The folder of real data beside the workspace, if it is there.
fn shared() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let found = above.map(|a| a.join("shared")).find(|s| s.join("README.md").is_file());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}

fn minutes(path: &Path) -> Vec<Bar> {
    let text = std::fs::read_to_string(path).unwrap();
    let bar = |line: &str| {
        let cells: Vec<&str> = line.trim().split(',').collect();
        let event_at: Timestamp = cells[0].parse().unwrap();
        let number = |i: usize| Some(cells[i].parse().unwrap());
        Bar {
            symbol: "BTC".into(),
            event_at,
            available_at: event_at.plus_seconds(60),
            open: number(1),
            high: number(2),
            low: number(3),
            close: number(4).unwrap(),
            volume: number(5),
        }
    };
    text.lines().skip(1).map(bar).collect()
}

#[test]
fn a_month_of_minutes_has_the_same_rows_from_a_stream_and_from_a_file() {
    let Some(data) = shared().map(|s| s.join("data/market/btc_1m.csv")) else { return };
    let bars = minutes(&data);
    assert_eq!(bars.len(), 45_031);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write_market(&at("market"), &bars, &[], &[]);
    let config = FeaturesConfig { partition: Span::Day, ..FeaturesConfig::default() };
    run(&config, &at("market"), &at("batch"), false);
    println!("batch: {:.0} bars/s", measured(&at("batch"), "bars_per_second"));

    let (log, out) = (at("log"), at("stream"));
    std::fs::create_dir_all(&log).unwrap();
    let resume = || Follower::resume(&config, &log, None, &out, &options(false)).unwrap();
    let (mut follower, mut draws) = (resume(), Draws(1));
    let (mut from, mut number) = (0, 0);
    while from < bars.len() {
        let to = (from + 1 + (draws.next() * 900.0) as usize).min(bars.len());
        number += 1;
        write_all(&log.join(format!("bars-{number:06}.parquet")), &bars[from..to]).unwrap();
        from = to;
        if draws.next() < 0.3 {
            follower = resume();
        }
        follower.poll().unwrap();
    }
    write_bytes(&log.join("end.json"), b"{}").unwrap();
    assert!(follower.poll().unwrap());
    follower.finish(&config, None, &options(false)).unwrap();
    let read = |folder: &str| read_all::<Observation>(&at(folder).join("features.parquet")).unwrap();
    let (batch, stream) = (read("batch"), read("stream"));
    let differing = batch.iter().zip(&stream).filter(|(a, b)| a != b).count() + batch.len().abs_diff(stream.len());
    println!("{} bars, {} values, {number} segments, {differing} differing rows", bars.len(), batch.len());
    assert_eq!(differing, 0);
    assert!(bytes(&at("batch")) == bytes(&out));
}
