//! A run of the whole pipeline that takes seconds.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests; not every file uses all of it, and what is skipped says why"
)]

pub(crate) mod browser;
pub(crate) mod pages;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn small(mut command: Command, dir: &Path) -> Command {
    command.arg("--run-dir").arg(dir).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let settings = [
        "sentiment.train_rows=40",
        "sentiment.eval_rows=12",
        "synth.rows=6",
        "synth.max_candidates=40",
        "train.optimisation.epochs=2",
        "train.optimisation.checkpoint_every=2",
        "evaluate.resamples=50",
        "backtest.random_shifts=10",
        "agent.strategy=\"hybrid\"",
        "leakage.probes=4",
        "significance.resamples=100",
        "experiments.resamples=100",
    ];
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
}

pub(crate) fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() != "runtime.json" {
                let name = path.strip_prefix(dir).unwrap().to_owned();
                found.insert(name, artifacts::hash_path(&path).unwrap());
            }
        }
    }
    found
}

pub(crate) fn differing(a: &BTreeMap<PathBuf, String>, b: &BTreeMap<PathBuf, String>) -> Vec<PathBuf> {
    let names = a.keys().chain(b.keys().filter(|n| !a.contains_key(*n)));
    names.filter(|n| a.get(*n) != b.get(*n)).cloned().collect()
}
