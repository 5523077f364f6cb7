//! Only what changed, and what depends on its state, is computed again; the file is that of computing everything.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

mod common;

use common::{bars, bytes, measured, run, texts, write_market};
use features::{Compute, Definition, FeaturesConfig, Input, Span};
use std::path::Path;

/// Computed and reused.
fn counts(out: &Path) -> (f64, f64) {
    (measured(out, "partitions_computed"), measured(out, "partitions_reused"))
}

fn windowed() -> FeaturesConfig {
    let definitions = vec![
        Definition::new("sma_5", Compute::Sma { input: Input::default(), bars: 5, shown: features::Shown::Value }),
        Definition::new("volatility_20", Compute::Volatility { input: Input::default(), bars: 20 }),
    ];
    FeaturesConfig { partition: Span::Day, definitions, ..FeaturesConfig::default() }
}

#[test]
fn a_new_day_costs_one_partition_and_a_changed_one_itself_and_those_that_remember_it() {
    let (market, out, full) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (market, out, full) = (market.path(), out.path(), full.path());
    let config = windowed();
    let mut all = bars("X", 24 * 10, 1);
    write_market(market, &all[..24 * 9], &[], &[]);
    run(&config, market, out, false);
    assert_eq!(counts(out), (9.0, 0.0));

    write_market(market, &all, &[], &[]);
    run(&config, market, out, false);
    assert_eq!(counts(out), (1.0, 9.0), "one day more");

    // Noon of the fourth day: twenty returns, so the fifth day remembers it at its first hours; after that the state is the old one.
    all[24 * 3 + 12].close *= 1.001;
    let peak = all[24 * 3 + 12].close * 1.01;
    all[24 * 3 + 12].high = Some(peak);
    write_market(market, &all, &[], &[]);
    let manifest = run(&config, market, out, false);
    assert_eq!(counts(out), (2.0, 8.0), "the fourth and the fifth day");

    let complete = run(&config, market, full, true);
    assert_eq!(counts(full), (10.0, 0.0));
    assert_eq!(bytes(out), bytes(full));
    assert_eq!(manifest.facts, complete.facts);
    assert_eq!(manifest.outputs, complete.outputs, "every file, the partitions' hashes and the report too");
}

#[test]
fn other_definitions_or_a_damaged_partition_are_computed_again() {
    let (market, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (market, out) = (market.path(), out.path());
    write_market(market, &bars("X", 24 * 4, 1), &[], &[]);
    run(&windowed(), market, out, false);
    let before = bytes(out);
    let mut other = windowed();
    other.definitions[0].version = 2;
    run(&other, market, out, false);
    assert_eq!(counts(out), (4.0, 0.0), "every value may mean something else");
    assert_eq!(std::fs::read_dir(out.join(".partitions")).unwrap().count(), 8, "the old ones are gone");
    run(&windowed(), market, out, false);

    for entry in std::fs::read_dir(out.join(".partitions")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "parquet") {
            std::fs::write(&path, "damaged").unwrap();
            break;
        }
    }
    std::fs::remove_file(out.join("features.parquet")).unwrap();
    run(&windowed(), market, out, false);
    assert_eq!(counts(out), (1.0, 3.0));
    assert_eq!(bytes(out), before);
}

#[test]
fn a_text_or_an_observation_that_comes_later_makes_its_day_dirty() {
    let (market, out, full) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (market, out, full) = (market.path(), out.path(), full.path());
    let config = FeaturesConfig { partition: Span::Day, ..FeaturesConfig::default() };
    let bars = bars("X", 24 * 6, 5);
    let (news, observations) = texts("X", 24 * 5, 5);
    let fewer: Vec<_> = observations[..observations.len() - 1].to_vec();
    write_market(market, &bars, &news, &fewer);
    run(&config, market, out, false);
    write_market(market, &bars, &news, &observations);
    run(&config, market, out, false);
    let (computed, reused) = counts(out);
    assert!((1.0..=2.0).contains(&computed) && reused >= 4.0, "{computed} {reused}");
    run(&config, market, full, true);
    assert_eq!(bytes(out), bytes(full));
}
