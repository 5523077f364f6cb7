//! The whole pipeline on the embedded data, small: it ends, resumes after kill -9, skips what is unchanged, and gives equal files.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

fn run_all(dir: &Path) -> Command {
    small(Command::new(env!("CARGO_BIN_EXE_run-all")), dir)
}

fn small(mut command: Command, dir: &Path) -> Command {
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
    ];
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
}

fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
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

fn differing(a: &BTreeMap<PathBuf, String>, b: &BTreeMap<PathBuf, String>) -> Vec<PathBuf> {
    let names = a.keys().chain(b.keys().filter(|n| !a.contains_key(*n)));
    names.filter(|n| a.get(*n) != b.get(*n)).cloned().collect()
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
