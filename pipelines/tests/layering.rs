//! The walls of the house: who may depend on whom, and who may write `unsafe`.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Layer 2. The service is no stage, for it writes no artifacts, but it stands where they stand: it meets them in files only.
const STAGES: [&str; 10] = [
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
];

/// Layers 0 and 1: each crate with every crate of ours that it may depend on. A leaf has none.
const FOUNDATION: [(&str, &[&str]); 13] = [
    ("artifacts", &[]),
    ("hub", &[]),
    ("kernels", &[]),
    ("stats", &[]),
    ("text", &[]),
    ("chat", &[]),
    ("cli", &["artifacts"]),
    ("lora", &["kernels"]),
    ("lm", &["kernels", "lora"]),
    ("report", &["stats"]),
    ("grounding", &["artifacts", "text"]),
    ("retrieval", &["artifacts", "hub", "kernels", "text"]),
    ("providers", &["artifacts", "chat", "hub", "lm", "lora"]),
];
const TOP: [&str; 3] = ["pipelines", "benches", "fixtures"];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .no_deps()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .exec()
        .unwrap()
}

fn internal<'a>(package: &'a Package, ours: &BTreeSet<&str>) -> Vec<&'a str> {
    let normal = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
    normal.map(|d| d.name.as_str()).filter(|d| ours.contains(d)).collect()
}

#[test]
fn every_crate_has_a_place_and_depends_only_on_what_its_place_allows() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let foundation = BTreeMap::from(FOUNDATION);
    for package in &metadata.packages {
        let name = package.name.as_str();
        for dependency in internal(package, &ours) {
            let allowed = match foundation.get(name) {
                Some(allowed) => allowed.contains(&dependency),
                None if STAGES.contains(&name) => foundation.contains_key(dependency),
                None => TOP.contains(&name),
            };
            assert!(allowed, "{name} must not depend on {dependency}");
        }
        let placed = foundation.contains_key(name) || STAGES.contains(&name) || TOP.contains(&name);
        assert!(placed, "{name} has no place: add it to docs/architecture.md and to this test");
    }
    assert_eq!(ours.len(), FOUNDATION.len() + STAGES.len() + TOP.len());
}

#[test]
fn the_model_side_and_the_trading_side_stay_apart() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let reach = |start: &str| {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![start.to_owned()]);
        while let Some(name) = todo.pop() {
            let package = metadata.packages.iter().find(|p| p.name == name).unwrap();
            todo.extend(internal(package, &ours).into_iter().filter(|d| !seen.contains(*d)).map(str::to_owned));
            seen.insert(name);
        }
        seen
    };
    for (stage, without) in
        [("backtester", ["lm", "chat"]), ("formatter", ["lm", "kernels"]), ("ingest", ["lm", "chat"])]
    {
        for forbidden in without {
            assert!(!reach(stage).contains(forbidden), "{stage} must not reach {forbidden}");
        }
    }
}

#[test]
fn only_kernels_contains_unsafe_code_and_every_crate_obeys_the_workspace_lints() {
    for package in metadata().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} does not take the workspace's lints", package.name);
        if package.name != "kernels" {
            visit(package.manifest_path.parent().unwrap().as_std_path());
        }
    }
}

fn visit(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with(Path::new("tests/layering.rs")) {
            let text = std::fs::read_to_string(&path).unwrap();
            for word in ["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code", "expect(unsafe_code"] {
                assert!(!text.contains(word), "{}: `{word}` outside crates/kernels", path.display());
            }
        }
    }
}
