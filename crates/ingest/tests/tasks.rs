//! Exercises of other tasks from any table.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::read_all;
use artifacts::rows::{Language, Rejected, TaskExample, TaskKind};
use common::{options, sentences, write};
use ingest::TaskConfig;
use ingest::tasks::run;
use std::collections::BTreeSet;

fn config(task: TaskKind, source: &str, columns: &str) -> TaskConfig {
    let mut config = TaskConfig { source: source.into(), task, eval_rows: 5, ..TaskConfig::default() };
    config.set_columns(columns).unwrap();
    config
}

#[test]
fn questions_with_their_texts_come_from_json_lines() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines: Vec<String> = sentences(40)
        .iter()
        .enumerate()
        .map(|(i, (text, _))| {
            serde_json::json!({"ctx": text, "q": format!("who said {i}?"), "a": "the market"}).to_string()
        })
        .collect();
    lines.push(lines[0].clone());
    lines.push(lines[1].replace("the market", "the bank"));
    lines.push(serde_json::json!({"ctx": "a text", "q": "", "a": "x"}).to_string());
    lines.push(serde_json::json!({"ctx": "a text", "q": "why?", "a": " "}).to_string());
    write(&dir.path().join("qa.jsonl"), lines.join("\n"));
    let out = dir.path().join("out");
    let config = config(TaskKind::QuestionAnswering, "qa.jsonl", "input=ctx,question=q,answer=a");
    let manifest = run(&config, dir.path(), &out, &options(1)).unwrap();
    let reasons: Vec<(&str, u64)> = manifest.rows_rejected.iter().map(|(r, n)| (r.as_str(), *n)).collect();
    assert_eq!(reasons, [("conflicting-answers", 2), ("duplicate", 1), ("empty-answer", 1), ("empty-question", 1)]);
    let read = |file: &str| read_all::<TaskExample>(&out.join(file)).unwrap();
    let (train, eval) = (read("train.parquet"), read("eval.parquet"));
    assert_eq!((train.len(), eval.len(), manifest.rows_in, manifest.rows_kept), (34, 5, 44, 39));
    assert!(train.iter().all(|r| r.question.as_deref().unwrap().starts_with("who said") && r.answer == "the market"));
    assert!(train.iter().all(|r| r.task == TaskKind::QuestionAnswering && r.language == Language::English));
}

#[test]
fn exercises_that_resemble_each_other_stay_on_one_side() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines = vec!["article,summary".to_owned()];
    for (text, _) in sentences(40) {
        lines.push(format!("{text} on the first day,\"short, {text}\"\n{text} on the first days,\"brief, {text}\""));
    }
    write(&dir.path().join("sums.csv"), lines.join("\n"));
    let out = dir.path().join("out");
    let config = config(TaskKind::Summarisation, "sums.csv", "input=article,answer=summary");
    let manifest = run(&config, dir.path(), &out, &options(1)).unwrap();
    let clusters = |file: &str| -> BTreeSet<String> {
        read_all::<TaskExample>(&out.join(file)).unwrap().into_iter().map(|r| r.cluster).collect()
    };
    assert!(clusters("train.parquet").is_disjoint(&clusters("eval.parquet")));
    assert_eq!(manifest.rows_rejected["near-duplicate-of-eval"], 5);
}

#[test]
fn a_wrong_column_or_role_or_a_missing_question_is_named() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("t.csv"), "body,entities\nOil fell in Hanoi,Hanoi\n");
    let message = |config: &TaskConfig| {
        let result = run(config, dir.path(), &dir.path().join("out"), &options(1));
        result.unwrap_err().to_string()
    };
    let wrong = message(&config(TaskKind::Extraction, "t.csv", "input=text,answer=entities"));
    assert!(wrong.contains("no column `text`; it has body, entities"), "{wrong}");
    let wrong = message(&config(TaskKind::QuestionAnswering, "t.csv", "input=body,answer=entities"));
    assert!(wrong.contains("--map question=COLUMN"), "{wrong}");
    let wrong = TaskConfig::default().set_columns("context=body").unwrap_err().to_string();
    assert!(wrong.contains("input, question, answer"), "{wrong}");
    let rejected = dir.path().join("out/rejected.parquet");
    assert!(!rejected.exists() || read_all::<Rejected>(&rejected).is_ok());
}
