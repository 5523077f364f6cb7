//! The trading side of the pipeline: the notebooks of the brief, and a replay that asks no model.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{Decision, Metric};
use artifacts::{Manifest, read_all};
use common::pages::assert_sound;
use common::{differing, files, small};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bars of the embedded market that are traded.
const BARS: usize = 80;

/// The first bars of the embedded market and the news until then, as a data folder.
fn short_market(folder: &Path) -> PathBuf {
    let (from, to) = (fixtures::data().join("market"), folder.join("data/market"));
    std::fs::create_dir_all(&to).unwrap();
    for (name, lines) in [("bars.csv", BARS + 1), ("news.jsonl", 60)] {
        let text = std::fs::read_to_string(from.join(name)).unwrap();
        let kept: String = text.split_inclusive('\n').take(lines).collect();
        std::fs::write(to.join(name), kept).unwrap();
    }
    folder.join("data")
}

const SETTINGS: &str = r#"
    [agent]
    strategy = "agents"
    [leakage]
    probes = 4
    [significance]
    resamples = 100
    [experiments]
    seeds = [1, 2]
    resamples = 100
    [[experiments.arms]]
    name = "baseline"
    what = "the agents as they are"
    [[experiments.arms]]
    name = "both"
    what = "similar past cases, filter and calibration"
    set = ["agent.agents.retrieval.on=true", "agent.agents.grounding_filter.on=true"]
    [[experiments.arms]]
    name = "hybrid"
    what = "no agents"
    seeded = false
    set = ["agent.strategy=\"hybrid\""]
"#;

#[test]
fn the_three_notebooks_are_made_and_a_strict_replay_gives_the_same_files_without_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let trained = folder.path().join("trained");
    let output = small(Command::new(env!("CARGO_BIN_EXE_train")), &trained).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (data, settings) = (short_market(folder.path()), folder.path().join("settings.toml"));
    std::fs::write(&settings, SETTINGS).unwrap();
    let experiments = |dir: &Path, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
        command.arg("trading").arg("--data").arg(&data).arg("--adapter").arg(trained.join("trainer/adapter"));
        command.arg("--config").arg(&settings).arg("--run-dir").arg(dir).args(more).output().unwrap()
    };
    // each in a project folder of its own, for trials are counted by project
    let (first, second) = (folder.path().join("a/run"), folder.path().join("b/run"));
    let output = experiments(&first, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let decisions: Vec<Decision> = read_all(&first.join("trading-agent/decisions.parquet")).unwrap();
    assert_eq!(decisions.len(), BARS);
    assert!(decisions.iter().all(|d| d.position.abs() <= 1.0) && decisions.iter().any(|d| d.position != 0.0));
    for (task, name) in [
        ("task_1_baseline", "baseline_strategy"),
        ("task_2_evaluation", "evaluation_report"),
        ("task_3_experimentation", "experiments_and_results"),
    ] {
        let text = std::fs::read_to_string(first.join(task).join(format!("{name}.ipynb"))).unwrap();
        let notebook: serde_json::Value = serde_json::from_str(&text).unwrap();
        let executed = notebook["cells"].as_array().unwrap().iter().filter(|c| c["execution_count"].is_number());
        assert!(executed.count() > 3, "{name} shows tables and figures");
        assert!(first.join(task).join(format!("{name}.html")).is_file());
    }
    let metrics: Vec<Metric> = read_all(&first.join("experiments/metrics.parquet")).unwrap();
    for arm in ["baseline", "both", "hybrid"] {
        assert!(metrics.iter().any(|m| m.subject == arm && m.metric == "difference_low" && m.value.is_some()), "{arm}");
    }
    assert_sound(
        &first,
        &[
            "ingest-market/report.html",
            "features/report.html",
            "backtester/report.html",
            "significance/report.html",
            "reasoning/report.html",
            "leakage/report.html",
            "experiments/report.html",
            "dashboard/dashboard.html",
        ],
    );
    let deflated = Manifest::read(&first.join("significance")).unwrap().unwrap();
    assert_eq!(deflated.facts["trials"].as_f64(), Some(6.0), "the strategy, two arms by two seeds, one without");

    let cassettes = first.join("cassettes");
    let output = experiments(&second, &["--strict", "--cassettes", cassettes.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut expected = files(&first);
    expected.retain(|name, _| !name.starts_with("cassettes"));
    assert_eq!(differing(&files(&second), &expected), Vec::<PathBuf>::new());

    let output = experiments(&folder.path().join("c/run"), &["--strict"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && error.contains("cassette"),
        "without a cassette nothing can be replayed: {error}"
    );
}
