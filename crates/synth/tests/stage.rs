#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::rows::{Candidate, Example, Language, Sentiment, Verdict};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use providers::testing::tiny_model;
use std::path::Path;
use synth::{Config, Inputs, run};

fn rows(count: usize, from: usize) -> Vec<Example> {
    (from..from + count)
        .map(|i| {
            let label = Sentiment::ALL[i % 3];
            let what = ["lost an order", "holds a meeting", "won an order"][i % 3];
            let text = format!("The mill number {i} {what} in the month of {}.", ["May", "June"][i % 2]);
            let id = text::text_id("en", &text);
            Example {
                cluster: id.clone(),
                id,
                text,
                label,
                raw_label: label.to_string(),
                language: Language::English,
                source: "test".into(),
                source_row: i as u64,
                instruction: None,
                synthetic: false,
            }
        })
        .collect()
}

fn inputs(folder: &Path) -> Inputs {
    tiny_model(&folder.join("model"), 1).unwrap();
    write_all(&folder.join("train.parquet"), &rows(30, 0)).unwrap();
    write_all(&folder.join("eval.parquet"), &rows(6, 100)).unwrap();
    Inputs {
        model: folder.join("model"),
        adapter: None,
        train: folder.join("train.parquet"),
        eval: folder.join("eval.parquet"),
    }
}

#[test]
fn a_model_that_writes_nonsense_is_a_result_and_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let config = Config { max_candidates: 40, max_tokens: 12, ..Config::default() };
    let make = |name: &str| {
        let options = RunOptions { seed: Seed(5), force: false, progress: &NoProgress };
        run(&config, &inputs, &folder.path().join(name), &options).unwrap()
    };
    let manifest = make("synth");
    assert_eq!(manifest.facts["kept"], 0);
    assert_eq!((manifest.rows_in, manifest.rows_kept), (40, 0));
    assert_eq!(manifest.rows_rejected.values().sum::<u64>(), 40);
    let out = folder.path().join("synth");
    assert!(!out.join("synthetic.parquet").exists() && manifest.output("synthetic.parquet").is_none());
    let candidates: Vec<Candidate> = read_all(&out.join("candidates.parquet")).unwrap();
    assert!(candidates.iter().all(|c| c.verdict != Verdict::Kept && !c.detail.is_empty()));
    assert!(std::fs::read_to_string(out.join("report.md")).unwrap().contains("Nothing was kept"));

    let again = make("again");
    assert_eq!(manifest.outputs, again.outputs, "equal input and seed, equal bytes");
    assert_eq!(make("synth"), manifest, "unchanged: skipped");
}
