//! The registry of trials: counts each variant once, whoever writes, whatever happens.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::Trial;
use backtester::Config;
use backtester::trials::{key, market, of_project, read, register, trial};
use common::{bars, decisions};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

fn some(number: usize) -> Trial {
    let returns: Vec<f64> = (0..30).map(|i| 0.001 * ((i + number) % 7) as f64 - 0.002).collect();
    trial(format!("key {number:03}"), "BTC".into(), "test", format!("variant {number}"), &returns)
}

#[test]
fn the_same_variant_is_one_trial_and_any_real_difference_is_another() {
    let b = bars(&[(100.0, 101.0), (101.0, 102.0), (102.0, 99.0)]);
    let d = decisions(&b, &[0.5, 1.0, -1.0], 0);
    let config = Config::default();
    let own = key(&b, &d, &config);
    assert_eq!(own.len(), 64);

    let mut told_otherwise = d.clone();
    told_otherwise[0].rationale = "another reason".into();
    told_otherwise[0].confidence = Some(0.3);
    assert_eq!(key(&b, &told_otherwise, &config), own);
    let reported_otherwise = Config { random_shifts: 3, periods_per_year: Some(252.0), ..Config::default() };
    assert_eq!(key(&b, &d, &reported_otherwise), own);

    let mut differs = Vec::new();
    let mut other = d.clone();
    other[2].position = -0.9;
    differs.push(key(&b, &other, &config));
    other = d.clone();
    other[2].decided_at = other[2].decided_at.plus_seconds(1);
    differs.push(key(&b, &other, &config));
    differs.push(key(&b, &d, &Config { slippage_bps: 3.0, ..Config::default() }));
    let mut prices = b.clone();
    prices[1].volume = Some(0.0);
    differs.push(key(&prices, &d, &config));
    differs.push(own);
    differs.sort();
    differs.dedup();
    assert_eq!(differs.len(), 5);
}

#[test]
fn a_market_is_instruments_period_and_bar_length() {
    let mut b = bars(&[(100.0, 101.0), (101.0, 102.0), (102.0, 99.0)]);
    assert_eq!(market(&b), "BTC 2025-02-24T00:00:00Z/2025-02-24T00:20:00Z 600s");
    let mut more = b.clone();
    for bar in &mut more {
        bar.symbol = "ETH".into();
    }
    b.extend(more);
    assert_eq!(market(&b), "BTC+ETH 2025-02-24T00:00:00Z/2025-02-24T00:20:00Z 600s");
}

#[test]
fn registering_again_changes_no_byte_and_the_order_of_arrival_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("a/trials.parquet"), folder.path().join("b/trials.parquet"));
    let all: Vec<Trial> = (0..5).map(some).collect();
    assert_eq!(register(&one, &all[..3]).unwrap().added, 3);
    let after = register(&one, &all[1..]).unwrap();
    assert_eq!((after.added, after.total), (2, 5));
    let bytes = std::fs::read(&one).unwrap();
    assert_eq!(register(&one, &all).unwrap().added, 0);
    assert_eq!(std::fs::read(&one).unwrap(), bytes);
    for trial in all.iter().rev() {
        register(&two, std::slice::from_ref(trial)).unwrap();
    }
    assert_eq!(std::fs::read(&two).unwrap(), bytes);
    assert_eq!(read(&folder.path().join("none.parquet")).unwrap(), []);
    assert_eq!(of_project(Path::new("trials")), Path::new("trials.parquet"));
}

#[test]
fn a_broken_registry_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trials.parquet");
    std::fs::write(&file, b"not Parquet at all").unwrap();
    let text = register(&file, &[some(1)]).unwrap_err().to_string();
    assert!(text.contains("trials.parquet: not a Parquet file"), "{text}");
    assert_eq!(std::fs::read(&file).unwrap(), b"not Parquet at all");
}

#[test]
fn writers_at_the_same_time_lose_no_trial() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trials.parquet");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let file = &file;
            scope.spawn(move || {
                for i in 0..6 {
                    // every second one is also written by the next writer
                    let numbers = [writer * 6 + i, (writer * 6 + i + 3) % 48];
                    register(file, &numbers.map(some)).unwrap();
                }
            });
        }
    });
    let keys: Vec<String> = read(&file).unwrap().into_iter().map(|t| t.key).collect();
    assert_eq!(keys, (0..48).map(|i| format!("key {i:03}")).collect::<Vec<_>>());
}

/// What the test below starts as a process of its own, and kills: it writes one trial after the other.
#[test]
#[ignore = "a part of the test that kills it"]
fn writes_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the test below talks to it")]
    let Ok(file) = std::env::var("SEAFIN_TEST_REGISTRY") else { return };
    for number in 100.. {
        register(Path::new(&file), &[some(number)]).unwrap();
        println!("wrote {number}");
    }
}

#[test]
fn a_writer_that_is_killed_leaves_a_whole_registry_and_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trials.parquet");
    let mut last = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "writes_until_it_is_killed"])
            .env("SEAFIN_TEST_REGISTRY", &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // killed somewhere within what follows this many writes
        let seen = lines.by_ref().map_while(Result::ok).filter(|l| l.contains("wrote")).nth(3 + round);
        child.kill().unwrap();
        child.wait().unwrap();
        let line = seen.unwrap();
        let wrote: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
        last = last.max(wrote);
        // nothing that was reported is gone, and the next writer gets the lock at once
        let begun = std::time::Instant::now();
        register(&file, &[some(round)]).unwrap();
        assert!(begun.elapsed().as_secs() < 10);
        let keys: Vec<String> = read(&file).unwrap().into_iter().map(|t| t.key).collect();
        for number in (0..=round).chain(100..=last) {
            assert!(keys.contains(&format!("key {number:03}")), "{number} is lost");
        }
    }
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|n| n.contains("tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
