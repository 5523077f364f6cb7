//! What the cleaning tells, and what it promises of the sets it makes.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{CleaningSample, CleaningStep, Conflict, Example, Language, Sentiment, TickerMention};
use artifacts::{Row, read_all};
use common::{config, options, sentences, source, write};
use ingest::sentiment::{Choice, Conflicts, SentimentConfig, SourceKind, run};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use text::{comparison_key, jaccard, ngram_hashes};

fn csv(rows: &[(String, Sentiment)]) -> String {
    rows.iter().fold("text,label\n".to_owned(), |csv, (text, label)| csv + &format!("\"{text}\",{label}\n"))
}

fn table(path: &str) -> ingest::sentiment::SourceConfig {
    source("table", Language::English, SourceKind::Table, path)
}

fn rows<R: Row + Clone>(out: &Path, file: &str) -> Vec<R> {
    read_all(&out.join(format!("{file}.parquet"))).unwrap()
}

#[test]
fn every_step_counts_what_it_changed_and_shows_rows_before_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let mut data = sentences(60);
    for (i, (text, _)) in data.iter_mut().enumerate() {
        match i % 6 {
            0 => *text = format!("{text} &amp; so on"),
            1 => *text = format!("{text} itâ€™s"),
            2 => *text = format!("{text} ."),
            3 => *text = format!("{text} cafe\u{301}"),
            4 => *text = text.replace(" of ", "  of "),
            _ => {}
        }
    }
    data.push((data[5].0.clone(), data[5].1));
    write(&dir.path().join("data.csv"), csv(&data) + "nothing here,great\n");
    let out = dir.path().join("out");
    run(&config(20, 10, vec![table("data.csv")]), dir.path(), &out, &options(1)).unwrap();
    let steps: BTreeMap<String, CleaningStep> =
        rows::<CleaningStep>(&out, "cleaning").into_iter().map(|s| (s.step.clone(), s)).collect();
    for step in ["unicode", "encoding", "entities", "white-space", "spacing"] {
        assert_eq!((steps[step].changed, steps[step].refused), (10, 0), "{step}");
    }
    assert_eq!((steps["label"].refused, steps["duplicates"].refused, steps["duplicates"].rows_in), (1, 1, 61));
    let samples: Vec<CleaningSample> = rows(&out, "samples");
    let of = |step: &str| samples.iter().filter(|s| s.step == step).collect::<Vec<_>>();
    assert_eq!(of("encoding").len(), 10);
    for sample in of("encoding") {
        assert!(sample.before.ends_with("itâ€™s") && sample.after.ends_with("it’s"), "{sample:?}");
        assert_eq!(sample.source_row % 6, 1);
    }
    assert!(of("label")[0].after.starts_with("unknown-label: row 61: unknown label \"great\""), "{:?}", of("label"));
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("itâ€™s") && html.contains("&amp;amp; so on"), "the rows stand in the report, escaped");
    let notebook: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("report.ipynb")).unwrap()).unwrap();
    assert_eq!(notebook["nbformat"], 4);
}

#[test]
fn conflicts_stand_in_a_table_and_are_voted_or_dropped_as_the_settings_say() {
    let dir = tempfile::tempdir().unwrap();
    let (disputed, tied) = ("the board said it would pay no dividend", "the court will hear the case in may");
    write(&dir.path().join("a.csv"), csv(&sentences(30)) + &format!("{disputed},positive\n{tied},positive\n"));
    write(&dir.path().join("b.csv"), format!("text,label\n{disputed},negative\n{tied},negative\n"));
    write(&dir.path().join("c.csv"), format!("text,label\n{disputed},negative\n"));
    let sources: Vec<_> =
        ["a", "b", "c"].map(|n| source(n, Language::English, SourceKind::Table, &format!("{n}.csv"))).into();
    for (rule, outcomes) in [(Conflicts::Vote, ["voted", "dropped"]), (Conflicts::Drop, ["dropped", "dropped"])] {
        let out = dir.path().join(outcomes.concat());
        let config = SentimentConfig { conflicts: rule, ..config(18, 9, sources.clone()) };
        run(&config, dir.path(), &out, &options(1)).unwrap();
        let conflicts: Vec<Conflict> = rows(&out, "conflicts");
        assert_eq!(conflicts.iter().map(|c| c.outcome.as_str()).collect::<Vec<_>>(), outcomes);
        assert_eq!(
            (conflicts[0].votes.as_str(), conflicts[1].votes.as_str()),
            ("negative 2, positive 1", "negative 1, positive 1")
        );
        assert_eq!(conflicts[0].rows, "a row 30: positive; b row 0: negative; c row 0: negative");
        assert_eq!(conflicts[0].label, (rule == Conflicts::Vote).then_some(Sentiment::Negative));
        let kept = ["train", "eval", "pool"].iter().flat_map(|f| rows::<Example>(&out, f)).any(|e| e.text == disputed);
        assert_eq!(kept, rule == Conflicts::Vote);
    }
}

/// Sentences in families of three that resemble each other, with two labels of five rare.
fn families(n: usize) -> Vec<(String, Sentiment)> {
    let one = |(i, (text, _)): (usize, (String, Sentiment))| {
        let label = match i % 10 {
            0 => Sentiment::Neutral,
            1..4 => Sentiment::Negative,
            _ => Sentiment::Positive,
        };
        ["first", "second", "third"].map(|which| (format!("{text} in the {which} part of the long year"), label))
    };
    sentences(n).into_iter().enumerate().flat_map(one).collect()
}

#[test]
fn no_held_out_row_resembles_a_row_that_trains_or_may_train() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data.csv"), csv(&families(120)));
    for seed in 0..4 {
        for choice in [Choice::Diverse, Choice::Farthest, Choice::Random, Choice::First] {
            let out = dir.path().join(format!("{seed}{choice:?}"));
            let config = SentimentConfig { selection: choice, ..config(90, 30, vec![table("data.csv")]) };
            run(&config, dir.path(), &out, &options(seed)).unwrap();
            let sets = |files: &[&str]| -> Vec<Vec<u64>> {
                let rows = files.iter().flat_map(|f| rows::<Example>(&out, f));
                rows.map(|e| ngram_hashes(&comparison_key(&e.text), 5)).collect()
            };
            let (held, trained) = (sets(&["eval", "eval_balanced"]), sets(&["train", "pool"]));
            assert!(trained.len() > 150 && held.len() > 35, "{} {}", trained.len(), held.len());
            // By comparing all pairs: nothing here shares code with the clusters.
            let highest = held.iter().flat_map(|a| trained.iter().map(|b| jaccard(a, b))).fold(0.0, f64::max);
            assert!(highest < 0.7, "{choice:?}, seed {seed}: {highest}");
        }
    }
}

#[test]
fn the_balanced_set_has_as_many_rows_of_each_class_and_changes_no_other_set() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data.csv"), csv(&families(120)));
    let run_with = |eval_balanced: bool| {
        let out = dir.path().join(format!("{eval_balanced}"));
        let config = SentimentConfig { eval_balanced, ..config(90, 30, vec![table("data.csv")]) };
        let manifest = run(&config, dir.path(), &out, &options(3)).unwrap();
        assert_eq!(manifest.rows_in, manifest.rows_kept + manifest.rows_rejected.values().sum::<u64>());
        out
    };
    let (with, without) = (run_with(true), run_with(false));
    for file in ["train.parquet", "eval.parquet"] {
        assert_eq!(std::fs::read(with.join(file)).unwrap(), std::fs::read(without.join(file)).unwrap(), "{file}");
    }
    assert!(!without.join("eval_balanced.parquet").exists());
    let balanced: Vec<Example> = rows(&with, "eval_balanced");
    let of = |label| balanced.iter().filter(|e| e.label == label).count();
    let counts: BTreeSet<usize> = Sentiment::ALL.iter().map(|label| of(*label)).collect();
    assert_eq!(counts.len(), 1, "{counts:?}");
    assert!(balanced.len() >= 9, "{}", balanced.len());
    let clusters: BTreeSet<&str> = balanced.iter().map(|e| e.cluster.as_str()).collect();
    assert_eq!(clusters.len(), balanced.len(), "one row of a cluster");
}

#[test]
fn a_diverse_choice_takes_fewer_rows_of_one_family_than_an_even_one() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data.csv"), csv(&families(120)));
    let families_in = |choice: Choice| {
        let mut clusters = 0;
        for seed in 0..5 {
            let out = dir.path().join(format!("{choice:?}{seed}"));
            let config = SentimentConfig { selection: choice, ..config(90, 30, vec![table("data.csv")]) };
            run(&config, dir.path(), &out, &options(seed)).unwrap();
            clusters += rows::<Example>(&out, "train").into_iter().map(|e| e.cluster).collect::<BTreeSet<_>>().len();
        }
        clusters
    };
    let [diverse, farthest, random] = [Choice::Diverse, Choice::Farthest, Choice::Random].map(families_in);
    assert!(diverse > random + 20, "{diverse} families against {random} in five runs");
    assert!(farthest >= diverse, "{farthest} against {diverse}");
}

#[test]
fn the_first_rows_are_the_first_of_their_source() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data.csv"), csv(&sentences(90)));
    let out = dir.path().join("out");
    let config = SentimentConfig { selection: Choice::First, ..config(30, 9, vec![table("data.csv")]) };
    run(&config, dir.path(), &out, &options(1)).unwrap();
    let largest = |file| rows::<Example>(&out, file).into_iter().map(|e| e.source_row).max().unwrap();
    let least = rows::<Example>(&out, "pool").into_iter().map(|e| e.source_row).min().unwrap();
    assert!(largest("train") < least + 6, "{} {least}", largest("train"));
}

#[test]
fn tickers_stay_in_the_text_and_stand_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut data = sentences(30);
    data.iter_mut().take(12).for_each(|(text, _)| *text = format!("$AAPL and (NYSE: IBM) {text} worth $5"));
    write(&dir.path().join("data.csv"), csv(&data));
    let out = dir.path().join("out");
    run(&config(18, 9, vec![table("data.csv")]), dir.path(), &out, &options(1)).unwrap();
    let mentions: Vec<TickerMention> = rows(&out, "tickers");
    let mut named = 0;
    for split in ["train", "eval", "pool", "eval_balanced"] {
        for row in rows::<Example>(&out, split).into_iter().filter(|e| e.text.contains("$AAPL")) {
            let of_row: Vec<&str> =
                mentions.iter().filter(|m| m.id == row.id && m.split == split).map(|m| m.ticker.as_str()).collect();
            assert_eq!(of_row, ["AAPL", "IBM"]);
            named += 2;
        }
    }
    assert_eq!(mentions.len(), named);
}
