//! Every command builds on the same features (docs/decisions/0002): compares each package's resolution with the workspace's.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

type Features = BTreeMap<String, BTreeSet<String>>;

fn features(selection: &[&str]) -> Features {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none", "-f", "{p}|{f}", "-e", "normal,build,dev"])
        .args(selection)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features = Features::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line = line.replace(" (*)", "");
        let Some((package, list)) = line.split_once('|') else { continue };
        let package = package.replace(" (proc-macro)", "");
        let entry = features.entry(package).or_default();
        entry.extend(list.split(',').filter(|f| !f.is_empty()).map(str::to_owned));
    }
    features
}

#[test]
fn a_stage_alone_builds_on_the_same_features_as_the_whole_workspace() {
    let whole = features(&["--workspace"]);
    for package in [
        "ingest",
        "features",
        "eda",
        "synth",
        "formatter",
        "trainer",
        "evaluator",
        "trading-agent",
        "backtester",
        "service",
        "pipelines",
        "fixtures",
    ] {
        for (dependency, alone) in features(&["-p", package]) {
            let missing: Vec<_> = whole[&dependency].difference(&alone).collect();
            assert!(
                missing.is_empty(),
                "-p {package} builds {dependency} without {missing:?} and so builds it again: add them to crates/cli/Cargo.toml"
            );
        }
    }
}
