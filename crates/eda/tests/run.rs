//! The stage on files: what it writes, and that it writes the same again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{Example, LabelScore, Language, ProfileFigure, Rejected, Sentiment};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use eda::{Config, Inputs, run, run_with_tokenizer};
use std::path::{Path, PathBuf};

fn examples(language: Language, from: usize, each: usize) -> Vec<Example> {
    let example = |row: eda::Record| {
        let text = row.text.unwrap();
        let label = row.label.unwrap();
        Example {
            id: text.clone(),
            text: text.clone(),
            label: label.parse::<Sentiment>().unwrap(),
            raw_label: label,
            language,
            source: "wire".into(),
            source_row: row.row,
            cluster: text,
            instruction: None,
            synthetic: false,
        }
    };
    common::rows(language, from, each).into_iter().map(example).collect()
}

struct Case {
    dir: tempfile::TempDir,
    inputs: Inputs,
}

fn case() -> Case {
    let dir = tempfile::tempdir().unwrap();
    let write = |folder: &str, name: &str, rows: &[Example]| -> PathBuf {
        let path = dir.path().join(folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_all(&path, rows).unwrap();
        path
    };
    let mut train = examples(Language::English, 0, 40);
    train.extend(examples(Language::Vietnamese, 0, 40));
    train[0].text = "<script>alert(1)</script> & profit fell at the company".into();
    let mut made = examples(Language::English, 500, 10);
    for row in &mut made {
        row.synthetic = true;
    }
    let mut eval = examples(Language::English, 200, 20);
    eval.extend(examples(Language::Vietnamese, 200, 20));
    let examples = vec![
        write("real", "train.parquet", &train),
        write("made", "train.parquet", &made),
        write("real", "eval.parquet", &eval),
    ];
    let rejected = dir.path().join("rejected.parquet");
    let refused = Rejected::new("wire", 4, "x", "bullish?", "unknown-label", "");
    write_all(&rejected, &[refused.clone(), refused]).unwrap();
    Case { inputs: Inputs { examples, rejected: vec![rejected] }, dir }
}

const OPTIONS: RunOptions<'static> = RunOptions { seed: Seed(1), force: false, progress: &NoProgress };

impl Case {
    fn out(&self) -> PathBuf {
        self.dir.path().join("eda")
    }

    fn run(&self) -> artifacts::Manifest {
        run(&Config::default(), &self.inputs, &self.out(), &OPTIONS).unwrap()
    }
}

#[test]
fn the_report_is_one_page_that_needs_nothing_else() {
    let case = case();
    case.run();
    let html = std::fs::read_to_string(case.out().join("report.html")).unwrap();
    assert!(html.matches("<svg").count() >= 6);
    assert!(!html.contains("<script") && !html.contains("src=\"http") && !html.contains("<link"));
    for word in [
        "English",
        "Vietnamese",
        "unknown-label",
        "Most distinctive words",
        "fell",
        "language: en against vi",
        "origin (en): real against synthetic",
        "What differs from the English pipeline, and why",
        "syllables a word",
    ] {
        assert!(html.contains(word), "{word}");
    }
    let markdown = std::fs::read_to_string(case.out().join("report.md")).unwrap();
    assert!(markdown.contains("labels_en.svg"));
    assert!(case.out().join("labels_en.svg").is_file());
}

#[test]
fn the_notebook_is_executed_and_of_the_current_format() {
    let case = case();
    case.run();
    let text = std::fs::read_to_string(case.out().join("report.ipynb")).unwrap();
    let notebook: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&notebook["nbformat"], &notebook["nbformat_minor"]), (&4.into(), &5.into()));
    let cells = notebook["cells"].as_array().unwrap();
    let run = cells.iter().filter(|c| c["cell_type"] == "code");
    assert!(run.clone().count() > 0 && run.clone().all(|c| c["execution_count"].is_u64()));
}

#[test]
fn every_figure_is_a_row() {
    let case = case();
    let manifest = case.run();
    assert_eq!(manifest.rows_in, 390);
    let figures: Vec<ProfileFigure> = read_all(&case.out().join("profile.parquet")).unwrap();
    let value = |section: &str, subject: &str, slice: &str, name: &str, item: &str| {
        let found: Vec<_> = figures
            .iter()
            .filter(|f| {
                (&*f.section, &*f.subject, &*f.slice, &*f.name, &*f.item) == (section, subject, slice, name, item)
            })
            .collect();
        assert_eq!(found.len(), 1, "{section} {subject} {slice} {name} {item}");
        found[0].value
    };
    assert_eq!(value("rows", "en", "train", "rows", ""), Some(150.0), "files of one name are one split");
    assert_eq!(value("rows", "en", "train", "synthetic rows", ""), Some(30.0));
    assert_eq!(value("labels", "en", "eval", "rows", "neutral"), Some(20.0));
    assert!(value("plain methods", "en", "eval", "macro F1", "linear classifier").unwrap() > 0.9);
    let distance = "words used: distance";
    let languages = value("comparison of languages", "all", "en | vi", distance, "Jensen–Shannon").unwrap();
    let splits = value("comparison of splits", "en", "train | eval", distance, "Jensen–Shannon").unwrap();
    assert!(languages > 0.9 && splits < languages, "{languages} {splits}");
    let compounds: Vec<&str> = figures.iter().filter(|f| f.section == "compounds").map(|f| f.item.as_str()).collect();
    assert!(compounds.contains(&"doanh thu"), "{compounds:?}");
    let top = figures.iter().find(|f| f.section == "words and pairs" && f.subject == "en" && f.slice == "negative");
    assert!(top.unwrap().item.contains("fell"));
    let scores: Vec<LabelScore> = read_all(&case.out().join("label_scores.parquet")).unwrap();
    assert_eq!(scores.len(), 390, "each text has a score");
}

#[test]
fn equal_input_gives_equal_bytes_and_a_second_call_does_nothing() {
    let case = case();
    let manifest = case.run();
    let read = || manifest.outputs.iter().map(|o| std::fs::read(case.out().join(&o.path)).unwrap()).collect::<Vec<_>>();
    let first = read();
    let modified = || std::fs::metadata(case.out().join("runtime.json")).unwrap().modified().unwrap();
    let before = modified();
    case.run();
    assert_eq!(modified(), before);
    std::fs::remove_dir_all(case.out()).unwrap();
    case.run();
    assert!(first == read());
}

#[test]
fn tokens_are_counted_where_a_tokenizer_is_given() {
    let case = case();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/model");
    run_with_tokenizer(&Config::default(), &case.inputs, Some(&model), &case.out(), &OPTIONS).unwrap();
    let figures: Vec<ProfileFigure> = read_all(&case.out().join("profile.parquet")).unwrap();
    let fertility = |subject: &str| {
        let found = figures.iter().find(|f| f.subject == subject && f.slice == "train" && f.name == "tokens a word");
        found.unwrap().value.unwrap()
    };
    assert!(fertility("en") > 1.0 && fertility("vi") > 1.0);
    assert!(figures.iter().any(|f| f.section == "comparison of languages" && f.name == "tokens a text: distance"));
}

#[test]
fn one_language_can_be_looked_at_alone() {
    let case = case();
    let config = Config { only: Some(Language::Vietnamese), ..Config::default() };
    let manifest = run(&config, &case.inputs, &case.out(), &OPTIONS).unwrap();
    assert_eq!(manifest.rows_in, 180);
    let figures: Vec<ProfileFigure> = read_all(&case.out().join("profile.parquet")).unwrap();
    assert!(figures.iter().all(|f| f.subject != "en" && f.section != "comparison of languages"));
    assert!(figures.iter().any(|f| f.subject == "vi" && f.section == "comparison of splits"));
}

#[test]
fn no_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = run(&Config::default(), &Inputs::default(), dir.path(), &OPTIONS).unwrap_err();
    assert_eq!(error.to_string(), "no file of examples given; give at least one with --examples");
}
