//! Tables as they come.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{AlertKind, AlertLevel, DataAlert, ProfileFigure};
use artifacts::{Manifest, NoProgress, RunOptions, Seed, read_all};
use common::{alert, lines, shared};
use eda::{Columns, Config, Error, Tables, profile};
use std::path::{Path, PathBuf};

fn look(config: &Config, tables: &Tables, out: &Path) -> Result<Manifest, Error> {
    profile(config, tables, None, out, &RunOptions { seed: Seed(42), force: false, progress: &NoProgress })
}

fn table(path: PathBuf, map: &str, labels: &str) -> Tables {
    Tables { files: vec![(eda::stem(&path), path)], columns: Columns::parse(map, labels).unwrap() }
}

fn alerts_of(out: &Path) -> Vec<DataAlert> {
    read_all(&out.join("alerts.parquet")).unwrap()
}

/// Forty rows of CSV with Windows line ends, one text of two lines, one row too wide and one in Latin-1.
fn strange_csv() -> Vec<u8> {
    let mut bytes = b"\xef\xbb\xbfid,Headline,Stars\r\n".to_vec();
    for i in 0..40 {
        let (verb, stars) = if i % 2 == 0 { ("rose", 5) } else { ("fell", 1) };
        bytes.extend(format!("{i},\"Profit {verb} {}\r\nin the year\",{stars}\r\n", i * 7919).into_bytes());
    }
    bytes.extend(b"40,too,many,fields\r\n41,caf\xe9 profit,5\r\n42,,1\r\n");
    bytes
}

#[test]
fn a_csv_with_embedded_line_breaks_and_bad_rows_is_read_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("strange.csv");
    std::fs::write(&path, strange_csv()).unwrap();
    let out = dir.path().join("out");
    let manifest = look(&Config::default(), &table(path, "text=headline,label=stars", "5=positive,1=negative"), &out);
    assert_eq!(manifest.unwrap().rows_in, 43);
    let alerts = alerts_of(&out);
    let faults = alert(&alerts, AlertKind::Unreadable);
    assert!(faults.count == 2 && faults.message.contains("4 fields, the header has 3 (1)"), "{}", faults.message);
    assert_eq!(alert(&alerts, AlertKind::Missing).count, 1);
    assert!(alert(&alerts, AlertKind::LabelSet).message.contains("absent: neutral"));
}

#[test]
fn csv_json_lines_and_parquet_of_the_same_rows_give_the_same_figures() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<(String, &str)> = (0..60)
        .map(|i| (common::sentence(artifacts::rows::Language::English, i % 3, i), common::LABELS[i % 3]))
        .collect();
    let csv = lines(&rows, |(t, l)| format!("\"{t}\",{l}\n"));
    std::fs::write(dir.path().join("rows.csv"), format!("text,label\n{csv}")).unwrap();
    let tsv = lines(&rows, |(t, l)| format!("{t}\t{l}\n"));
    std::fs::write(dir.path().join("rows.tsv"), format!("text\tlabel\n{tsv}")).unwrap();
    let jsonl = lines(&rows, |(t, l)| format!("{{\"text\": \"{t}\", \"label\": \"{l}\"}}\n"));
    std::fs::write(dir.path().join("rows.jsonl"), jsonl).unwrap();
    let figures = |ending: &str| -> Vec<ProfileFigure> {
        let out = dir.path().join(ending);
        look(&Config::default(), &table(dir.path().join(format!("rows.{ending}")), "", ""), &out).unwrap();
        read_all(&out.join("profile.parquet")).unwrap()
    };
    let csv = figures("csv");
    assert!(csv == figures("jsonl") && csv == figures("tsv"));
    let label = |f: &&ProfileFigure| f.section == "labels" && f.item == "neutral" && f.name == "rows";
    assert_eq!(csv.iter().find(label).unwrap().value, Some(20.0));
}

#[test]
fn a_wrong_column_an_unknown_ending_and_a_bad_map_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.csv");
    std::fs::write(&path, "headline,stars\na,1\n").unwrap();
    let out = dir.path().join("out");
    let error = |tables: &Tables| look(&Config::default(), tables, &out).unwrap_err().to_string();
    let wrong = error(&table(path.clone(), "text=body", ""));
    assert!(wrong.contains("no column `body` for text; it has headline, stars"), "{wrong}");
    let other = dir.path().join("rows.xlsx");
    std::fs::write(&other, "x").unwrap();
    assert!(error(&table(other, "", "")).contains("give a .parquet, .csv, .tsv or .jsonl file"));
    let broken = dir.path().join("rows.parquet");
    std::fs::write(&broken, "PAR1 and no more").unwrap();
    assert!(error(&table(broken, "", "")).contains("rows.parquet: cannot read"));
    std::fs::write(&path, "text,label\n").unwrap();
    assert!(error(&table(path, "", "")).contains("no row in"));
    assert!(Columns::parse("texts=a", "").unwrap_err().to_string().contains("there is no `texts`"));
    assert!(Columns::parse("", "0:negative").is_err());
    assert_eq!(error(&Tables::default()), "no file given; give at least one with --source [NAME=]FILE");
}

#[test]
fn a_damaged_parquet_file_is_an_error_wherever_it_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("rows.parquet");
    let rows: Vec<_> = (0..500).map(|i| artifacts::rows::Rejected::new("a", i, &i.to_string(), "x", "y", "")).collect();
    artifacts::write_all(&source, &rows).unwrap();
    let bytes = std::fs::read(&source).unwrap();
    let (path, out) = (dir.path().join("damaged.parquet"), dir.path().join("out"));
    let (mut refused, mut tried) = (0, 0);
    for at in (4..bytes.len()).step_by(bytes.len() / 60) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        std::fs::write(&path, damaged).unwrap();
        tried += 1;
        // Some bytes are only values: then the figures differ, and nothing fails.
        if let Err(error) = look(&Config::default(), &table(path.clone(), "text=text", ""), &out) {
            refused += 1;
            assert!(error.to_string().contains("damaged.parquet"), "{error}");
        }
    }
    assert!(refused > tried / 4, "{refused} of {tried}");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(look(&Config::default(), &table(path, "text=text", ""), &out).is_err());
}

#[test]
fn repeated_texts_beyond_the_budget_are_estimated_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.csv");
    // 20,000 different texts, every second one twice.
    let rows = lines(0..30_000_u64, |i| format!("profit of {} rose,positive\n", i % 20_000 * 7919));
    std::fs::write(&path, format!("text,label\n{rows}")).unwrap();
    let config = Config { exact_texts: 2_000, sample_texts: 500, chance_draws: 2, ..Config::default() };
    let out = dir.path().join("out");
    let manifest = look(&config, &table(path, "", ""), &out).unwrap();
    assert_eq!(manifest.facts["exact_all"], false);
    let alerts = alerts_of(&out);
    let copies = alert(&alerts, AlertKind::Duplicates);
    assert!(!copies.exact && copies.total == 30_000);
    // About 1,250 kept texts: a standard error of 4 %.
    assert!((copies.count as f64 / 10_000.0 - 1.0).abs() < 0.2, "{}", copies.count);
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("estimated from a uniform sample") && html.contains("<td>estimate</td>"));
}

#[test]
fn the_facts_of_the_fingpt_file_are_found_by_the_alerts_alone() {
    let Some(shared) = shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = shared.join("data/fingpt/train-00000-of-00001.parquet");
    let tables = table(file, "text=input,label=output,source=instruction", "");
    // The nine labels of the published data set; three of them are words of the other parts.
    let nine = "strong negative,moderately negative,mildly negative,neutral,mildly positive,moderately positive,strong positive";
    let mut config = Config::default();
    config.expected_labels.extend(nine.split(',').filter(|l| *l != "neutral").map(str::to_owned));
    let manifest = look(&config, &tables, dir.path()).unwrap();
    assert_eq!(manifest.rows_in, 59_937);
    let alerts = alerts_of(dir.path());
    let copies = alert(&alerts, AlertKind::Duplicates);
    assert_eq!((copies.count, copies.total, copies.exact), (45_887, 59_937, true));
    assert!(copies.message.contains("76.6 %") && copies.message.contains("14,050 texts are different"));
    // PhraseBank was written six times, FiQA twenty-one times, the tweets twice.
    for times in ["texts twice", "texts 6 times", "texts 21 times"] {
        assert!(copies.message.contains(times), "{}", copies.message);
    }
    let conflicts = alert(&alerts, AlertKind::ConflictingLabels);
    assert_eq!((conflicts.count, conflicts.examples.len()), (5, 5));
    let labels = alert(&alerts, AlertKind::LabelSet);
    assert_eq!(labels.level, AlertLevel::Critical);
    assert!(labels.message.starts_with("The labels are negative 11,560, neutral 26,768, positive 21,609."));
    assert!(labels.message.contains("absent: strong negative") && !labels.message.contains("Not expected"));
    assert!(alert(&alerts, AlertKind::Imbalance).message.contains("2.3 times"));
    assert!(alert(&alerts, AlertKind::Encoding).message.contains("wrong character set"));
    assert!(alert(&alerts, AlertKind::Tickers).message.contains("cash tags"));
    assert!(alerts.iter().any(|a| a.kind == AlertKind::Shift && a.slice.contains("tweet") && a.slice.contains("news")));
    assert!(alerts.iter().all(|a| a.kind != AlertKind::Leakage && a.kind != AlertKind::Missing));
}

#[test]
fn the_facts_of_the_vsfc_files_are_found_by_the_alerts_alone() {
    let Some(shared) = shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = |split: &str| shared.join("data/uit_vsfc/default").join(split).join("0000.parquet");
    let mut columns = Columns::parse("text=sentence,label=sentiment", "0=negative,1=neutral,2=positive").unwrap();
    columns.all_in = Some(artifacts::rows::Language::Vietnamese);
    let files = ["train", "validation", "test"].map(|s| (s.to_owned(), file(s))).to_vec();
    let manifest = look(&Config::default(), &Tables { files, columns }, dir.path()).unwrap();
    assert_eq!(manifest.rows_in, 11_426 + 1_583 + 3_166);
    let alerts = alerts_of(dir.path());
    assert_eq!(alert(&alerts, AlertKind::ConflictingLabels).count, 1);
    let neutral: Vec<u64> = alerts.iter().filter(|a| a.kind == AlertKind::Imbalance).map(|a| a.count).collect();
    assert_eq!(neutral, [458, 73, 167], "698 neutral rows in all");
    assert!(alert(&alerts, AlertKind::Leakage).count > 50, "common phrases are in several official parts");
    assert!(alert(&alerts, AlertKind::Placeholders).examples.iter().any(|e| e.contains("colon") || e.contains("dot")));
    assert!(alerts.iter().all(|a| a.kind != AlertKind::UnicodeForm), "the files are NFC");
}
