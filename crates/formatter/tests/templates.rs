//! Wordings from a stranger's file.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use artifacts::rows::{Example, Formatted, FormattedTask, Language, Sentiment, TaskExample, TaskKind};
use artifacts::{Manifest, NoProgress, Row, RunOptions, Seed, read_all, write_all};
use chat::Message;
use common::model;
use formatter::{Config, Error, Inputs, check, run};
use std::path::{Path, PathBuf};

const STRANGER: &str = r#"
[[template]]
name = "memo-v1"
task = "summarisation"
language = "en"
split = "train"
wording = "For the memo, in JSON {\"summary\": ...}:\n{input}"

[[template]]
name = "desk-v1"
task = "summarisation"
language = "en"
split = "train"
wording = "{input}\n\nOne line for the desk:"

[[template]]
name = "minutes-v1"
task = "summarisation"
language = "en"
split = "eval"
wording = "Minutes, please. {input}"

[[template]]
name = "press-v1"
task = "sentiment"
language = "vi"
split = "train"
wording = "Giọng điệu của bài: {input}"

[[template]]
name = "mood-v1"
task = "sentiment"
language = "vi"
split = "eval"
wording = "{input}\nBài này vui hay buồn?"
"#;

fn summary(id: &str, language: Language, input: &str) -> TaskExample {
    TaskExample {
        id: id.into(),
        task: TaskKind::Summarisation,
        language,
        input: input.into(),
        question: None,
        answer: "Oil down".into(),
        source: "test".into(),
        source_row: 0,
        cluster: id.into(),
    }
}

fn sentiment(id: &str, language: Language, text: &str) -> Example {
    Example {
        id: id.into(),
        text: text.into(),
        label: Sentiment::Positive,
        raw_label: "positive".into(),
        language,
        source: "test".into(),
        source_row: 0,
        cluster: id.into(),
        instruction: None,
        synthetic: false,
    }
}

fn format<R: Row + Clone>(folder: &Path, train: &[R], eval: &[R], file: &Path) -> Result<Manifest, Error> {
    let inputs = inputs(folder, train, eval);
    let config = Config { templates: Some(file.to_owned()), ..Config::default() };
    run(&config, &inputs, &folder.join("out"), &RunOptions { seed: Seed(1), force: false, progress: &NoProgress })
}

fn inputs<R: Row + Clone>(folder: &Path, train: &[R], eval: &[R]) -> Inputs {
    let put = |name: &str, rows: &[R]| {
        let path = folder.join(name);
        write_all(&path, rows).unwrap();
        vec![path]
    };
    Inputs { tokenizer: model(folder, Some(4000)), train: put("train.parquet", train), eval: put("eval.parquet", eval) }
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn rows_are_asked_in_the_file_s_words_and_those_it_does_not_name_in_the_built_in_ones() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), "own.toml", STRANGER);
    let train: Vec<TaskExample> = (0..40)
        .map(|i| summary(&format!("t{i}"), Language::English, &format!("Oil fell {{input}} by {i}.")))
        .chain([summary("v", Language::Vietnamese, "Dầu giảm.")])
        .collect();
    let eval = [summary("e", Language::English, "Tin rose.")];
    let manifest = format(folder.path(), &train, &eval, &file).unwrap();
    let read = |name: &str| read_all::<FormattedTask>(&folder.path().join("out").join(name)).unwrap();
    let rows = read("train.parquet");
    let said = |row: &FormattedTask| serde_json::from_str::<Vec<Message>>(&row.messages).unwrap()[0].content.clone();
    let of = |name: &str| rows.iter().filter(|r| r.template == name).collect::<Vec<_>>();
    assert!(of("memo-v1").len() >= 10 && of("desk-v1").len() >= 10, "both have their share");
    assert_eq!((of("memo-v1").len() + of("desk-v1").len(), of("direct-v1").len()), (40, 1));
    for row in of("memo-v1") {
        assert!(
            said(row).starts_with("For the memo, in JSON {\"summary\": ...}:\nOil fell {input} by "),
            "{}",
            said(row)
        );
    }
    assert!(of("desk-v1").iter().all(|row| said(row).ends_with("One line for the desk:")));
    assert_eq!(said(of("direct-v1")[0]), "Tóm tắt văn bản này.\nDầu giảm.");
    let eval = read("eval.parquet");
    assert_eq!((said(&eval[0]).as_str(), eval[0].template.as_str()), ("Minutes, please. Tin rose.", "minutes-v1"));
    assert_eq!(manifest.facts["train_wording"], "desk-v1, memo-v1, press-v1");

    let again = format(folder.path(), &train, &[summary("e", Language::English, "Tin rose.")], &file).unwrap();
    assert_eq!(again, manifest, "unchanged: skipped");
    std::fs::write(&file, STRANGER.replace("Minutes, please.", "The minutes:")).unwrap();
    format(folder.path(), &train, &[summary("e", Language::English, "Tin rose.")], &file).unwrap();
    assert_eq!(said(&read("eval.parquet")[0]), "The minutes: Tin rose.", "other words, other rows");
}

#[test]
fn the_sentiment_question_can_be_a_stranger_s_too_and_json_is_read_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let value: toml::Value = toml::from_str(STRANGER).unwrap();
    let file = file(folder.path(), "own.json", &serde_json::to_string(&value).unwrap());
    let train = [sentiment("a", Language::Vietnamese, "Lãi tăng."), sentiment("b", Language::English, "Profit rose.")];
    format(folder.path(), &train, &[sentiment("c", Language::Vietnamese, "Lỗ nặng.")], &file).unwrap();
    let texts = |name: &str| -> Vec<String> {
        let rows: Vec<Formatted> = read_all(&folder.path().join("out").join(name)).unwrap();
        rows.into_iter().map(|row| row.text).collect()
    };
    let train = texts("train.parquet");
    assert!(train[0].contains("Giọng điệu của bài: Lãi tăng."), "{}", train[0]);
    assert!(train[1].contains("Sentiment of this text?\nProfit rose."), "{}", train[1]);
    assert!(texts("eval.parquet")[0].contains("Lỗ nặng.\nBài này vui hay buồn?"));
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_its_entry_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(
        folder.path(),
        &[summary("a", Language::English, "Oil fell.")],
        &[summary("b", Language::English, "Tin rose.")],
    );
    let qa = |wording: &str| {
        format!(
            "[[template]]\nname = \"q\"\ntask = \"question-answering\"\nlanguage = \"en\"\nsplit = \"train\"\nwording = \"{wording}\""
        )
    };
    let cases = [
        (String::new(), "missing field `template`"),
        ("template = []".into(), "add entries to train and to evaluate on"),
        (
            STRANGER.replace("Minutes, please. {input}", "Minutes, please."),
            "template 3 (`minutes-v1`): its wording has {input} 0 times; summarisation needs it 1 times",
        ),
        (
            STRANGER.replace("Minutes, please. {input}", "{input} {text}"),
            "template 3 (`minutes-v1`): its wording has {text}, which nothing fills",
        ),
        (STRANGER.replace("Minutes, please. {input}", "{input}: {question}"), "summarisation needs it 0 times"),
        (qa("{input}"), "has {question} 0 times; question-answering needs it 1 times"),
        (qa("{input} {question}"), "no question-answering template in en with split = \"eval\"; add one"),
        (
            STRANGER.replace("\"summarisation\"", "\"summary\""),
            "template 1 (`memo-v1`): task is `summary`; it must be one of sentiment, classification",
        ),
        (STRANGER.replace("\"vi\"", "\"fr\""), "template 4 (`press-v1`): language is `fr`; it must be one of en, vi"),
        (STRANGER.replace("\"eval\"", "\"test\""), "split is `test`; it must be one of train, eval"),
        (
            STRANGER.replace("desk-v1", "memo-v1"),
            "template 2 (`memo-v1`): a summarisation template in en has this name already",
        ),
        (
            STRANGER.replace("Minutes, please. {input}", "{input}\\n\\nOne line for the desk:"),
            "template 3 (`minutes-v1`): another summarisation template in en has the same words",
        ),
        (STRANGER.replace("split =", "splits ="), "unknown field `splits`"),
        (STRANGER.replace("[[template]]", "[[template"), "it must be a list of [[template]]"),
    ];
    for (text, expected) in cases {
        let path = file(folder.path(), "own.toml", &text);
        let config = Config { templates: Some(path.clone()), ..Config::default() };
        let error = check(&config, &inputs, &NoProgress).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(&path.display().to_string()), "{expected}: {error}");
    }
    let config = Config { templates: Some(folder.path().join("nowhere.toml")), ..Config::default() };
    let error = check(&config, &inputs, &NoProgress).unwrap_err().to_string();
    assert!(error.contains("nowhere.toml: cannot read"), "{error}");
}
