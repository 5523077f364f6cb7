//! Every recorded PEFT training is repeated within ten times its float32 noise, with all savings and without any.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use lm::{Recompute, Savings, StepOptions};
use std::path::{Path, PathBuf};
use trainer::parity::parity;

/// The folder of inputs beside the workspace, where there is one.
fn shared() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|a| a.join("shared"))
        .find(|s| s.join("README.md").exists());
    if found.is_none() {
        eprintln!("skipped: no shared folder");
    }
    found
}

const CASES: [&str; 7] = ["tiny_b0", "tiny_bnz", "tiny_accum4", "tiny_rslora", "tiny_dora", "tiny_constlr", "stories"];

fn repeat(options: &StepOptions) {
    let Some(shared) = shared() else { return };
    for case in CASES {
        let report = parity(&shared.join("oracles/peft").join(case), options).unwrap();
        eprintln!("{options:?}\n{report}");
        assert!(report.passed(), "{report}");
        assert!(report.rows.len() >= 10, "{report}");
    }
}

#[test]
fn every_recorded_training_is_repeated_with_all_savings() {
    repeat(&StepOptions::default());
}

#[test]
fn every_recorded_training_is_repeated_without_any_saving() {
    repeat(&StepOptions { savings: Savings::NONE, ..StepOptions::default() });
}

#[test]
fn every_recorded_training_is_repeated_in_small_parts_with_everything_computed_twice() {
    repeat(&StepOptions { recompute: Recompute::Block, tokens_at_once: 24, ..StepOptions::default() });
}

#[test]
fn a_case_whose_model_is_missing_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let error = parity(&folder.path().join("nothing"), &StepOptions::default()).unwrap_err().to_string();
    assert!(error.contains("case.json: cannot read"), "{error}");
}
