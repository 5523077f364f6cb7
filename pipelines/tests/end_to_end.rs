//! The whole pipeline on the embedded data, small: it ends, resumes after kill -9, skips what is unchanged, and gives equal files.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use common::pages::assert_sound;
use common::{differing, files, small};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

fn run_all(dir: &Path) -> Command {
    small(Command::new(env!("CARGO_BIN_EXE_run-all")), dir)
}

#[test]
fn everything_runs_skips_when_unchanged_and_ends_with_equal_files_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (straight, killed) = (folder.path().join("straight"), folder.path().join("killed"));

    let output = run_all(&straight).output().unwrap();
    let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{log}");
    for expected in ["macro-F1, generated", "total return", "report.html"] {
        assert!(out.contains(expected), "{out}");
    }
    let expected = files(&straight);
    assert!(expected.contains_key(Path::new("trainer/adapter/adapter_model.safetensors")), "{expected:?}");
    assert_sound(
        &straight,
        &[
            "ingest/report.html",
            "eda/report.html",
            "eda-en/report.html",
            "eda-vi/report.html",
            "synth/report.html",
            "formatter/report.html",
            "formatter/examples.html",
            "evaluator/report.html",
            "backtester/report.html",
        ],
    );

    let again = run_all(&straight).output().unwrap();
    let log = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && !log.contains("runs"), "{log}");
    assert!(log.matches("unchanged, skipped").count() >= 9, "{log}");
    assert_eq!(differing(&files(&straight), &expected), Vec::<PathBuf>::new());

    let mut child = run_all(&killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let checkpoint = killed.join("trainer/checkpoint.safetensors");
    for _ in 0..6000 {
        if checkpoint.exists() || child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!killed.join("trainer/manifest.json").exists(), "the run ended before it could be killed");
    let resumed = run_all(&killed).output().unwrap();
    let log = String::from_utf8_lossy(&resumed.stderr);
    assert!(resumed.status.success() && log.contains("resumes after update"), "{log}");
    assert_eq!(differing(&files(&killed), &expected), Vec::<PathBuf>::new());
}

#[test]
fn arms_are_compared_on_the_same_rows_and_a_second_call_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, config) = (folder.path().join("run"), folder.path().join("arms.toml"));
    let arms = r#"
        [ablation]
        seeds = [1, 2]
        extra_rows = 4
        resamples = 50
        [[ablation.arms]]
        name = "lora"
        what = "the reference"
        [[ablation.arms]]
        name = "full"
        what = "every parameter, and more real rows"
        extra = "more-real"
        set = ["train.full=true", "sentiment.selection=\"random\""]
        [[ablation.arms]]
        name = "few-shot"
        what = "asked after examples, in other words"
        method = "few-shot"
        extra = "none"
        set = ["formatter.instruction=\"labels\""]
        [[ablation.arms]]
        name = "tf-idf"
        what = "no language model"
        method = "tf-idf"
    "#;
    std::fs::write(&config, arms).unwrap();
    let experiment = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
        command.arg("sentiment").arg("--config").arg(&config);
        small(command, &dir).output().unwrap()
    };
    let output = experiment();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metrics: Vec<artifacts::rows::Metric> = artifacts::read_all(&dir.join("ablation/metrics.parquet")).unwrap();
    for arm in ["lora", "full", "few-shot", "tf-idf"] {
        let of = |name: &str| {
            let found = metrics.iter().find(|m| m.subject == arm && m.slice == "all" && m.metric == name);
            found.and_then(|m| m.value).unwrap_or_else(|| panic!("{arm} has no {name}"))
        };
        assert!((0.0..=1.0).contains(&of("macro_f1")) && of("macro_f1_low") <= of("macro_f1_high"), "{arm}");
        assert!(arm != "lora" || of("difference").abs() < 1e-12, "the reference differs from itself");
    }
    let first = String::from_utf8_lossy(&output.stderr);
    assert!(first.contains("runs stage"), "{first}");

    let examples = |file: &str| -> Vec<artifacts::rows::Example> { artifacts::read_all(&dir.join(file)).unwrap() };
    let (selected, kept) =
        (examples("ablation/full/ingest/train.parquet"), examples("ablation/full/kept-apart/rows.parquet"));
    let ids = |rows: &[artifacts::rows::Example]| rows.iter().map(|r| r.id.clone()).collect::<BTreeSet<_>>();
    assert!(ids(&selected) != ids(&examples("ingest/train.parquet")), "another selection has other rows");
    assert!(ids(&kept).is_disjoint(&ids(&examples("ingest/eval.parquet"))), "and none that the arms are judged on");
    let asked: Vec<artifacts::rows::Formatted> =
        artifacts::read_all(&dir.join("ablation/few-shot/few-shot/eval.parquet")).unwrap();
    assert!(asked.iter().all(|row| row.text.contains("negative, neutral")), "the arm's own wording is used");
    assert!(std::fs::read_to_string(dir.join("ablation/report.md")).unwrap().contains("few-shot"));
    assert_sound(&dir.join("ablation"), &["report.html", "few-shot/evaluator/report.html"]);
    let again = experiment();
    assert!(!String::from_utf8_lossy(&again.stderr).contains("runs stage"), "nothing changed");
}

#[test]
fn an_unknown_preset_names_the_known_ones_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let output = run_all(&dir).args(["--preset", "moon"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(error.trim().lines().count(), 1, "{error}");
    assert!(error.contains("embedded") && error.contains("assessment"), "{error}");
    assert!(!dir.exists());
}
