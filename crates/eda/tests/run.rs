#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::rows::{Example, Language, Metric, Rejected, Sentiment};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use eda::{Alert, Aspect, Config, Inputs, Level, Split, alerts, analyse, distinctive_words, run};
use std::path::PathBuf;

const EN: Language = Language::English;
const VI: Language = Language::Vietnamese;

fn row(text: &str, label: Sentiment, language: Language) -> Example {
    Example {
        id: text.into(),
        text: text.into(),
        label,
        raw_label: label.as_str().into(),
        language,
        source: "wire".into(),
        source_row: 1,
        cluster: text.into(),
        instruction: None,
        synthetic: false,
    }
}

/// Different sentences of one label, from `from` on.
fn rows(from: usize, n: usize, label: Sentiment) -> Vec<Example> {
    let (class, verb) = match label {
        Sentiment::Negative => (0, "fell"),
        Sentiment::Neutral => (1, "stayed flat"),
        Sentiment::Positive => (2, "rose"),
    };
    let company = ["the bank", "our shipyard", "that brewery", "this airline", "a small telecom operator"];
    let month = ["in March", "after the strike", "before the merger of the two", "by year's end", "at the fair"];
    (from..from + n)
        .map(|i| {
            // No number occurs twice, else words would gather in one split.
            let [a, b] = [7919, 104_729].map(|prime| (3 * i + class) * prime);
            let text = format!("Sales of {} {verb} {a} {} with {b}", company[i % 5], month[i / 5 % 5]);
            row(&text, label, EN)
        })
        .collect()
}

fn balanced(from: usize, each: usize) -> Vec<Example> {
    [Sentiment::Negative, Sentiment::Neutral, Sentiment::Positive]
        .into_iter()
        .flat_map(|l| rows(from, each, l))
        .collect()
}

fn split(name: &str, rows: Vec<Example>) -> Split {
    Split { name: name.into(), rows }
}

fn found(splits: &[Split]) -> Vec<Alert> {
    let config = Config::default();
    alerts(&analyse(splits, &[], &config, Seed(3), &NoProgress).unwrap(), &config)
}

#[test]
fn rows_in_order_raise_no_alert() {
    let found = found(&[split("train", balanced(0, 100)), split("eval", balanced(200, 40))]);
    assert_eq!(found, []);
}

#[test]
fn the_same_text_in_two_splits_is_critical_leakage() {
    let (train, mut eval) = (balanced(0, 100), balanced(200, 40));
    eval[0].text = train[0].text.to_uppercase() + " !";
    let found = found(&[split("train", train), split("eval", eval)]);
    assert!(found.contains(&Alert::Leakage { language: EN, texts: 1 }), "{found:?}");
    assert_eq!(found[0].level(), Level::Critical, "the most serious alert comes first");
}

#[test]
fn a_near_copy_in_another_split_is_found() {
    let (mut train, eval) = (balanced(0, 100), balanced(200, 40));
    train[0].text = eval[0].text.replace("Sales", "The sales");
    let found = found(&[split("train", train), split("eval", eval)]);
    assert!(found.iter().any(|a| matches!(a, Alert::NearLeakage { clusters: 1, .. })), "{found:?}");
}

#[test]
fn a_text_with_two_labels_is_a_conflict() {
    let mut train = balanced(0, 100);
    train.push(row(&train[0].text.clone(), Sentiment::Positive, EN));
    let found = found(&[split("train", train)]);
    assert!(found.contains(&Alert::ConflictingLabels { language: EN, texts: 1 }), "{found:?}");
    assert!(found.contains(&Alert::Repeats { language: EN, split: "train".into(), rows: 1 }), "{found:?}");
}

#[test]
fn imbalance_missing_and_small_classes_are_told_apart() {
    let mut eval = rows(200, 60, Sentiment::Negative);
    eval.extend(rows(200, 10, Sentiment::Neutral));
    let found = found(&[split("train", balanced(0, 100)), split("eval", eval)]);
    let titles: Vec<&str> = found.iter().map(Alert::title).collect();
    assert!(titles.contains(&"Missing class") && titles.contains(&"Few rows of a class"), "{titles:?}");
    let mut train = balanced(0, 20);
    train.extend(rows(100, 60, Sentiment::Positive));
    let found = self::found(&[split("train", train)]);
    assert!(matches!(&found[..], [Alert::Imbalance { ratio, .. }] if (*ratio - 4.0).abs() < 1e-12), "{found:?}");
}

#[test]
fn a_split_of_other_labels_differs_more_than_chance() {
    let mut eval = rows(200, 80, Sentiment::Negative);
    eval.extend(balanced(300, 30));
    let found = found(&[split("train", balanced(0, 100)), split("eval", eval)]);
    let shift = found.iter().find(|a| matches!(a, Alert::SplitShift { aspect: Aspect::Labels, .. }));
    assert!(shift.is_some_and(|a| a.message().contains("labels of eval differ from train")), "{found:?}");
}

#[test]
fn rows_in_another_language_are_counted_and_shown() {
    let mut train = balanced(0, 30);
    for (i, row) in train.iter_mut().enumerate().filter(|(i, _)| i % 9 == 0) {
        row.text = format!("Doanh thu của công ty đã giảm mạnh trong quý này {}", i * 7919);
    }
    let config = Config::default();
    let analysis = analyse(&[split("train", train)], &[], &config, Seed(3), &NoProgress).unwrap();
    let group = &analysis.languages[0].groups[0];
    assert_eq!((group.detected["other"], group.mismatches.len()), (10, config.examples));
    assert!(alerts(&analysis, &config).iter().any(|a| a.title() == "Language mismatch"));
}

#[test]
fn a_source_of_one_label_only_gives_the_label_away() {
    let mut train = balanced(0, 50);
    for row in &mut train {
        row.source = format!("wire of {}", row.label);
    }
    let found = found(&[split("train", train)]);
    assert!(matches!(&found[..], [Alert::SourceTellsLabel { cramers_v, .. }] if (*cramers_v - 1.0).abs() < 1e-9));
}

#[test]
fn a_text_that_names_its_label_is_counted() {
    let mut train = balanced(0, 30);
    train[0].text += " negative";
    train[1].text += " Negative";
    train[2].text += " positive";
    let analysis = analyse(&[split("train", train)], &[], &Config::default(), Seed(3), &NoProgress).unwrap();
    assert_eq!(analysis.languages[0].groups[0].label_words, 2, "of the three only two name their own label");
}

#[test]
fn the_words_that_tell_classes_apart_come_first() {
    let all = balanced(0, 60);
    let refs: Vec<&Example> = all.iter().collect();
    let [negative, _, positive] = distinctive_words(&refs, 3, 100.0);
    assert_eq!((negative[0].word.as_str(), negative[0].inside, negative[0].outside), ("fell", 60, 0));
    assert_eq!(positive[0].word, "rose");
    assert!(negative.windows(2).all(|w| w[0].z >= w[1].z));
}

#[test]
fn a_word_that_is_as_common_everywhere_is_not_distinctive() {
    let all = balanced(0, 60);
    let refs: Vec<&Example> = all.iter().collect();
    for class in distinctive_words(&refs, 50, 100.0) {
        assert!(class.iter().all(|w| w.word != "sales" || w.z < 1.0), "{class:?}");
    }
}

#[test]
fn plain_methods_learn_from_the_reference_only() {
    let splits = [split("train", balanced(0, 60)), split("eval", balanced(200, 30))];
    let analysis = analyse(&splits, &[], &Config::default(), Seed(3), &NoProgress).unwrap();
    let y = &analysis.languages[0].yardsticks[0];
    assert_eq!((y.split.as_str(), y.rows), ("eval", 90));
    assert!((y.majority_accuracy.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert!(y.bayes_macro_f1.unwrap() > 0.95);
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
    let mut train = balanced(0, 40);
    train.push(row("<script>alert(1)</script> & lãi tăng mạnh", Sentiment::Positive, VI));
    let mut synthetic = rows(500, 10, Sentiment::Neutral);
    for row in &mut synthetic {
        row.synthetic = true;
    }
    let examples = vec![
        write("real", "train.parquet", &train),
        write("made", "train.parquet", &synthetic),
        write("real", "eval.parquet", &balanced(200, 40)),
    ];
    let rejected = dir.path().join("rejected.parquet");
    let refused = Rejected::new("wire", 4, "x", "bullish?", "unknown-label", "");
    let unknown = Rejected::new("elsewhere", 5, "y", "", "empty-text", "");
    write_all(&rejected, &[refused.clone(), refused, unknown]).unwrap();
    Case { inputs: Inputs { examples, rejected: vec![rejected] }, dir }
}

impl Case {
    fn out(&self) -> PathBuf {
        self.dir.path().join("eda")
    }

    fn run(&self) -> artifacts::Manifest {
        let options = RunOptions { seed: Seed(1), force: false, progress: &NoProgress };
        run(&Config::default(), &self.inputs, &self.out(), &options).unwrap()
    }
}

#[test]
fn the_report_is_one_page_that_needs_nothing_else() {
    let case = case();
    case.run();
    let html = std::fs::read_to_string(case.out().join("report.html")).unwrap();
    assert!(html.matches("<svg").count() >= 4, "two figures for each language");
    assert!(!html.contains("<script") && !html.contains("src=\"http") && !html.contains("<link"));
    for word in ["English", "Vietnamese", "unknown-label", "Most distinctive words", "fell"] {
        assert!(html.contains(word), "{word}");
    }
    let markdown = std::fs::read_to_string(case.out().join("report.md")).unwrap();
    assert!(markdown.contains("labels_en.svg"));
    assert!(case.out().join("labels_en.svg").is_file());
}

#[test]
fn every_figure_is_a_metric_row_too() {
    let case = case();
    let manifest = case.run();
    assert_eq!(manifest.rows_in, 251);
    let metrics: Vec<Metric> = read_all(&case.out().join("metrics.parquet")).unwrap();
    let value = |subject: &str, slice: &str, metric: &str| {
        let found: Vec<_> =
            metrics.iter().filter(|m| (&*m.subject, &*m.slice, &*m.metric) == (subject, slice, metric)).collect();
        assert_eq!(found.len(), 1, "{subject} {slice} {metric}");
        found[0].value
    };
    assert_eq!(value("en", "train", "rows"), Some(130.0), "files of one name are one split");
    assert_eq!(value("en", "train", "synthetic_rows"), Some(10.0));
    assert_eq!(value("en", "eval:neutral", "rows"), Some(40.0));
    assert_eq!(value("vi", "train", "words_max"), Some(7.0));
    assert!(value("en", "train|eval", "js_distance_words").unwrap() > 0.0);
    assert!(value("en", "eval", "naive_bayes_macro_f1").unwrap() > 0.9);
    let json = std::fs::read_to_string(case.out().join("alerts.json")).unwrap();
    assert!(json.contains("\"kind\": \"missing-class\""), "{json}");
}

#[test]
fn equal_input_gives_equal_bytes_and_a_second_call_does_nothing() {
    let case = case();
    case.run();
    let files = ["report.html", "report.md", "metrics.parquet", "alerts.json", "lengths_vi.svg", "manifest.json"];
    let read = || files.map(|f| std::fs::read(case.out().join(f)).unwrap());
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
fn no_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let options = RunOptions { seed: Seed(1), force: false, progress: &NoProgress };
    let error = run(&Config::default(), &Inputs::default(), dir.path(), &options).unwrap_err();
    assert_eq!(error.to_string(), "no file of examples given; give at least one with --examples");
}
