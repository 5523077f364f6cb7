//! Stream = batch: the features of a log, however it is cut and however often its reader is killed, are those of the file.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::Bar;
use artifacts::{Seed, write_all, write_bytes};
use common::{bars, bytes, options, run, texts, write_market};
use features::{FeaturesConfig, Follower};
use proptest::prelude::*;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn segment(log: &Path, number: usize, bars: &[Bar]) {
    write_all(&log.join(format!("bars-{number:06}.parquet")), bars).unwrap();
}

fn end(log: &Path) {
    write_bytes(&log.join("end.json"), b"{}\n").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_file_of_a_stream_is_that_of_the_batch_however_it_is_cut(
        seed in 0..u64::MAX,
        n in 30..200_usize,
        cuts in prop::collection::vec(1..40_usize, 1..8),
        restarts in prop::collection::vec(prop::bool::ANY, 8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (log, market) = (at("log"), at("market"));
        let bars = bars("X", n, seed);
        let (news, observations) = texts("X", n, seed);
        write_market(&market, &bars, &news, &observations);
        let config = FeaturesConfig::default();
        run(&config, &market, &at("batch"), false);

        std::fs::create_dir_all(&log).unwrap();
        let resume = || Follower::resume(&config, &log, Some(&market), &at("stream"), &options(false)).unwrap();
        let mut follower = resume();
        let (mut from, mut number) = (0, 0);
        while from < n {
            let to = (from + cuts[number % cuts.len()]).min(n);
            number += 1;
            segment(&log, number, &bars[from..to]);
            from = to;
            if restarts[number % restarts.len()] {
                follower = resume();
            }
            prop_assert!(!follower.poll().unwrap());
            prop_assert_eq!(follower.bars(), to as u64);
        }
        end(&log);
        prop_assert!(follower.poll().unwrap());
        let manifest = follower.finish(&config, Some(&market), &options(false)).unwrap();
        prop_assert_eq!(manifest.rows_kept, n as u64);
        prop_assert!(bytes(&at("batch")) == bytes(&at("stream")));
    }
}

fn start(log: &Path, out: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_seafin-features"))
        .args(["follow", "--poll-ms", "1", "--idle-seconds", "60", "--quiet", "--log"])
        .arg(log)
        .arg("--out")
        .arg(out)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_reader_killed_again_and_again_while_the_log_grows_loses_nothing_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (log, market, out) = (at("log"), at("market"), at("stream"));
    let bars = bars("X", 600, 9);
    write_market(&market, &bars, &[], &[]);
    run(&FeaturesConfig::default(), &market, &at("batch"), false);
    std::fs::create_dir_all(&log).unwrap();
    let mut draws = common::Draws(Seed(5).derive("kill").0);
    let mut reader = start(&log, &out);
    let mut kills = 0;
    for (i, part) in bars.chunks(5).enumerate() {
        segment(&log, i + 1, part);
        if draws.next() < 0.25 {
            std::thread::sleep(Duration::from_micros((draws.next() * 20_000.0) as u64));
            reader.kill().unwrap();
            reader.wait().unwrap();
            kills += 1;
            reader = start(&log, &out);
        }
    }
    end(&log);
    assert!(reader.wait().unwrap().success());
    assert!(kills > 10, "{kills}");
    assert_eq!(bytes(&at("batch")), bytes(&out));
}

#[test]
fn values_written_but_not_counted_before_a_kill_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (log, out, config) = (at("log"), at("out"), FeaturesConfig::default());
    let bars = bars("X", 60, 2);
    segment(&log, 1, &bars[..40]);
    let mut follower = Follower::resume(&config, &log, None, &out, &options(false)).unwrap();
    follower.poll().unwrap();
    let before = std::fs::read(out.join(".progress/state.json")).unwrap();
    segment(&log, 2, &bars[40..]);
    follower.poll().unwrap();
    let counted = std::fs::read(out.join(".progress/values-000002.parquet")).unwrap();
    // As if the process had died between the two files.
    std::fs::write(out.join(".progress/state.json"), before).unwrap();
    let mut follower = Follower::resume(&config, &log, None, &out, &options(false)).unwrap();
    assert_eq!(follower.bars(), 40);
    follower.poll().unwrap();
    assert_eq!(follower.bars(), 60);
    assert_eq!(std::fs::read(out.join(".progress/values-000002.parquet")).unwrap(), counted);
}

#[test]
fn a_log_that_changed_behind_the_reader_or_other_definitions_are_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (log, out, config) = (at("log"), at("out"), FeaturesConfig::default());
    let bars = bars("X", 20, 2);
    segment(&log, 1, &bars[..10]);
    let resume = |config: &FeaturesConfig| Follower::resume(config, &log, None, &out, &options(false));
    resume(&config).unwrap().poll().unwrap();
    let mut other = config.clone();
    other.definitions.truncate(3);
    other.plots.clear();
    let error = resume(&other).err().unwrap().to_string();
    assert!(error.contains("other definitions") && error.contains("delete that folder"), "{error}");
    segment(&log, 1, &bars[..9]);
    let error = resume(&config).err().unwrap().to_string();
    assert!(error.contains("changed where it was read already"), "{error}");
    segment(&log, 1, &bars[..10]);
    segment(&log, 2, &common::bars("Y", 20, 2)[10..]);
    let error = resume(&config).unwrap().poll().unwrap_err().to_string();
    assert!(error.contains("a bar of `Y` in a log of `X`"), "{error}");
}
