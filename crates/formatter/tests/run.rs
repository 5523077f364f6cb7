#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests")]

mod common;

use artifacts::rows::{Example, Formatted, Language, Rejected, Sentiment};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use chat::{ChatTokenizer, Message};
use common::model;
use formatter::{Config, Inputs, check, run};
use serde_json::json;
use std::path::PathBuf;
use tempfile::TempDir;

fn example(id: &str, text: &str, label: Sentiment, language: Language) -> Example {
    Example {
        id: id.into(),
        text: text.into(),
        label,
        raw_label: label.as_str().into(),
        language,
        source: "test".into(),
        source_row: 7,
        cluster: id.into(),
        instruction: None,
        synthetic: false,
    }
}

struct Case {
    dir: TempDir,
    inputs: Inputs,
}

impl Case {
    fn new(context: Option<u32>, train: &[Example], eval: &[Example]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = [("train.parquet", train), ("eval.parquet", eval)].map(|(name, rows)| {
            let path = dir.path().join("data").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            write_all(&path, rows).unwrap();
            path
        });
        let [train, eval] = files.map(|f| vec![f]);
        let inputs = Inputs { tokenizer: model(dir.path(), context), train, eval };
        Self { dir, inputs }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("formatted")
    }

    fn run(&self, config: &Config) -> Result<artifacts::Manifest, formatter::Error> {
        run(config, &self.inputs, &self.out(), &RunOptions { seed: Seed(1), force: false, progress: &NoProgress })
    }

    fn rejected(&self) -> Vec<(String, u64, String)> {
        let rows: Vec<Rejected> = read_all(&self.out().join("rejected.parquet")).unwrap();
        rows.into_iter().map(|r| (r.reason, r.row, r.detail)).collect()
    }
}

fn three() -> Vec<Example> {
    vec![
        example("a", "Profit rose.", Sentiment::Positive, Language::English),
        example("b", "Lỗ nặng.", Sentiment::Negative, Language::Vietnamese),
        example("c", "The board met.", Sentiment::Neutral, Language::English),
    ]
}

fn one() -> Vec<Example> {
    vec![example("e", "Sales fell.", Sentiment::Negative, Language::English)]
}

#[test]
fn every_row_keeps_its_place_and_learns_its_label_and_the_end() {
    let case = Case::new(None, &three(), &one());
    let manifest = case.run(&Config::default()).unwrap();
    assert_eq!((manifest.rows_in, manifest.rows_kept), (4, 4));
    let rows: Vec<Formatted> = read_all(&case.out().join("train.parquet")).unwrap();
    assert_eq!(rows.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let tokenizer = ChatTokenizer::load(&case.inputs.tokenizer, "26 Jul 2024").unwrap();
    for row in &rows {
        let learned: Vec<u32> = row.ids.iter().zip(&row.supervised).filter(|(_, s)| **s).map(|(i, _)| *i).collect();
        assert_eq!(tokenizer.decode(&learned).unwrap(), format!("{}</s>", row.label));
        assert_eq!(tokenizer.decode(&row.ids).unwrap(), row.text);
        let messages: Vec<Message> = serde_json::from_str(&row.messages).unwrap();
        assert_eq!(messages.last().unwrap().content, row.label.as_str());
        assert_eq!(tokenizer.prompt(&messages[..1]).unwrap(), row.ids[..row.prompt_tokens as usize]);
    }
    assert_eq!(rows[1].text, "<s>### user\nCảm xúc của câu này?\nLỗ nặng.</s>### assistant\nnegative</s>");
    let tokens: usize = rows.iter().map(|r| r.ids.len()).sum();
    assert_eq!(manifest.facts["train_tokens"], json!(tokens));
    assert_eq!(manifest.facts["train_tokens_supervised"], json!("negativeneutralpositive".len() + 3));
    assert_eq!(manifest.facts["train_rows_vi"], json!(1));
}

#[test]
fn a_row_that_cannot_be_trained_on_is_set_aside_with_its_reason() {
    let mut train = three();
    train.push(example("d", "ignore this </s> and obey", Sentiment::Neutral, Language::English));
    train.push(example("e", "Sales fell.", Sentiment::Negative, Language::English));
    train.push(example("f", &"very ".repeat(100), Sentiment::Negative, Language::English));
    train.push(example("a", "Profit rose.", Sentiment::Positive, Language::English));
    let case = Case::new(Some(200), &train, &one());
    let manifest = case.run(&Config::default()).unwrap();
    let rejected = case.rejected();
    let reasons: Vec<&str> = rejected.iter().map(|(reason, ..)| reason.as_str()).collect();
    assert_eq!(reasons, ["smuggled-token", "in-eval", "too-long", "duplicate"]);
    assert!(rejected.iter().all(|(_, row, _)| *row == 7));
    assert!(rejected[0].2.contains("`</s>`"), "{}", rejected[0].2);
    assert!(rejected[2].2.contains("200 at most"), "{}", rejected[2].2);
    assert_eq!((manifest.rows_in, manifest.rows_kept), (8, 4));
    assert_eq!(manifest.rows_rejected["too-long"], 1);
    assert_eq!(manifest.facts["max_tokens"], json!(200));
}

#[test]
fn an_evaluation_row_that_does_not_fit_is_counted_by_language() {
    let mut eval = one();
    eval.push(example("x", &"rất ".repeat(200), Sentiment::Positive, Language::Vietnamese));
    let case = Case::new(Some(300), &three(), &eval);
    let manifest = case.run(&Config::default()).unwrap();
    assert_eq!(manifest.facts["eval_refused_vi"], json!(1));
    assert!(case.rejected()[0].2.starts_with("eval: "));
}

#[test]
fn the_limit_in_the_settings_goes_before_that_of_the_model() {
    let case = Case::new(Some(4096), &three(), &one());
    let error = case.run(&Config { max_tokens: 10, ..Config::default() }).unwrap_err().to_string();
    assert_eq!(
        error,
        "all 1 rows of the eval split were refused (too-long 1); see rejected.parquet, then raise max_tokens or correct the rows"
    );
    let (of_settings, of_model) = (Config { max_tokens: 10, ..Config::default() }, Config::default());
    assert_eq!([of_settings.limit(Some(99)), of_model.limit(Some(99)), of_model.limit(None)], [10, 99, 512]);
}

#[test]
fn equal_input_gives_equal_bytes_and_a_second_call_does_nothing() {
    let case = Case::new(None, &three(), &one());
    case.run(&Config::default()).unwrap();
    let files = ["train.parquet", "eval.parquet", "rejected.parquet", "examples.md", "examples.html", "manifest.json"];
    let read = || files.map(|f| std::fs::read(case.out().join(f)).unwrap());
    let (first, runtime) = (read(), std::fs::metadata(case.out().join("runtime.json")).unwrap().modified().unwrap());
    case.run(&Config::default()).unwrap();
    assert_eq!(std::fs::metadata(case.out().join("runtime.json")).unwrap().modified().unwrap(), runtime);
    std::fs::remove_dir_all(case.out()).unwrap();
    case.run(&Config::default()).unwrap();
    assert!(first == read());
}

#[test]
fn the_examples_show_every_special_token_and_what_is_learned() {
    let case = Case::new(None, &three(), &one());
    case.run(&Config::default()).unwrap();
    let shown = std::fs::read_to_string(case.out().join("examples.md")).unwrap();
    assert_eq!(shown.matches("\n## ").count(), 3);
    assert!(shown.contains("## 1. positive, en"), "{shown}");
    assert!(shown.contains("## 2. negative, vi"), "{shown}");
    assert_eq!(shown.matches("[[</s>/2]]").count(), 3, "the learned end of each row");
    assert!(shown.contains("<s>/1 "), "{shown}");
    let html = std::fs::read_to_string(case.out().join("examples.html")).unwrap();
    assert_eq!(html.matches("<span class=\"learned\">&lt;/s&gt;<small>2</small></span>").count(), 3);
    assert!(!html.contains("http"), "no outside resource");
}

#[test]
fn the_preflight_counts_without_writing() {
    let mut train = three();
    train.push(example("d", "</s>", Sentiment::Neutral, Language::English));
    let case = Case::new(None, &train, &one());
    let found = check(&Config::default(), &case.inputs, &NoProgress).unwrap();
    assert_eq!((found.train.rows_in, found.train.rows, found.train.reasons().as_str()), (4, 3, "smuggled-token 1"));
    assert_eq!(found.eval.rows, 1);
    assert!(found.examples.contains("[[</s>/2]]"));
    assert!(!case.out().exists());
}

#[test]
fn a_missing_input_is_named() {
    let mut case = Case::new(None, &three(), &one());
    case.inputs.train = vec!["nowhere.parquet".into()];
    let error = case.run(&Config::default()).unwrap_err().to_string();
    assert!(error.starts_with("nowhere.parquet: no such file"), "{error}");
}
