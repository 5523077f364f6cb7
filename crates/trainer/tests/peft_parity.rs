//! Every recorded PEFT training is repeated within ten times its float32 noise.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

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

#[test]
fn every_recorded_training_is_repeated_within_its_tolerances() {
    let Some(shared) = shared() else { return };
    for case in ["tiny_b0", "tiny_bnz", "tiny_accum4", "tiny_rslora", "tiny_dora", "tiny_constlr", "stories"] {
        let report = parity(&shared.join("oracles/peft").join(case)).unwrap();
        eprintln!("{report}");
        assert!(report.passed(), "{report}");
        assert!(report.rows.len() >= 10, "{report}");
    }
}

#[test]
fn a_case_whose_model_is_missing_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let error = parity(&folder.path().join("nothing")).unwrap_err().to_string();
    assert!(error.contains("case.json: cannot read"), "{error}");
}
