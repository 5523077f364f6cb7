//! A log with a hole, a torn segment or an end that says something else is refused: nothing is made from part of it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::{write_all, write_bytes};
use common::{bars, options};
use features::{Error, FeaturesConfig};
use std::path::Path;
use std::time::Duration;

const SEGMENTS: usize = 5;

fn name(number: usize) -> String {
    format!("bars-{number:06}.parquet")
}

/// A complete log of fifty bars in five segments.
fn complete(log: &Path) {
    std::fs::create_dir_all(log).unwrap();
    for (i, part) in bars("X", 50, 7).chunks(50 / SEGMENTS).enumerate() {
        write_all(&log.join(name(i + 1)), part).unwrap();
    }
    write_bytes(&log.join("end.json"), br#"{"segments": 5, "bars": 50}"#).unwrap();
}

fn followed(folder: &Path) -> Result<u64, Error> {
    let wait = (Duration::from_millis(1), 1);
    let config = FeaturesConfig::default();
    features::follow(&config, &folder.join("log"), None, &folder.join("out"), wait, &options(false))
        .map(|manifest| manifest.rows_kept)
}

/// The error of following a log after `damage`: one line that names `file` and says `words`. No features are left of it, and once
/// the log is whole again the next call makes them all.
fn refused(file: &str, words: &str, damage: impl Fn(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    complete(&log);
    damage(&log);
    let message = followed(folder.path()).unwrap_err().to_string();
    for part in [file, words, "; "] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    assert!(!message.contains('\n'), "{message}");
    assert!(!folder.path().join("out/features.parquet").exists(), "{message}");
    complete(&log);
    for extra in 0..20 {
        if !(1..=SEGMENTS).contains(&extra) {
            std::fs::remove_file(log.join(name(extra))).ok();
        }
    }
    assert_eq!(followed(folder.path()).unwrap(), 50, "after the repair of: {message}");
}

#[test]
fn a_missing_segment_is_named_wherever_it_was() {
    for gone in 1..SEGMENTS {
        let words = format!("number {gone} is missing");
        refused(&name(SEGMENTS), &words, |log| std::fs::remove_file(log.join(name(gone))).unwrap());
    }
    let last = |log: &Path| std::fs::remove_file(log.join(name(SEGMENTS))).unwrap();
    refused("end.json", "it ends with 5 segments, there are 4", last);
}

#[test]
fn a_torn_segment_is_named_and_read_once_it_is_whole() {
    for torn in [1, 3, SEGMENTS] {
        refused(&name(torn), "truncated", |log| {
            let bytes = std::fs::read(log.join(name(torn))).unwrap();
            std::fs::write(log.join(name(torn)), &bytes[..bytes.len() / 2]).unwrap();
        });
    }
}

#[test]
fn an_end_that_does_not_fit_the_log_or_cannot_be_read_is_refused() {
    for (text, words) in [
        (&b""[..], "not readable"),
        (b"{\"segments\": 5, ", "not readable"),
        (b"{\"segments\": 4}", "it ends with 4 segments, there are 5"),
        (b"{\"segments\": 18446744073709551615}", "there are 5"),
        (b"{\"segments\": 5, \"bars\": 49}", "it ends with 49 bars, there are 50"),
    ] {
        refused("end.json", words, |log| std::fs::write(log.join("end.json"), text).unwrap());
    }
}

#[test]
fn bars_that_come_again_in_a_later_segment_name_that_segment() {
    refused(&name(4), "order in which they could be known", |log| {
        std::fs::copy(log.join(name(2)), log.join(name(4))).unwrap();
    });
}

#[test]
fn a_folder_that_is_no_log_says_which_one_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let message = followed(folder.path()).unwrap_err().to_string();
    assert!(message.contains("no log can be read there") && message.contains("; give the folder"), "{message}");
}
