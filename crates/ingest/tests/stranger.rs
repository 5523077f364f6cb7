//! A table that nobody here has seen: flags or a mapping file, and no code.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::read_all;
use artifacts::rows::{Example, Language, Rejected, Sentiment};
use common::{integers, options, sentences, texts, write, write_parquet};
use ingest::sentiment::{Mapping, SentimentConfig, run};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const CODES: [&str; 3] = ["0", "2", "1"];

fn mapping(source: &str) -> Mapping {
    let mut mapping = Mapping { source: Some(source.into()), ..Mapping::default() };
    mapping.add_columns("text=Body,label=Mood").unwrap();
    mapping.add_labels("0=negative,1=positive,2=neutral").unwrap();
    mapping
}

/// Runs a mapping with everything open, and returns all rows that came through.
fn bring_in(mapping: &Mapping, dir: &Path, out: &str) -> Vec<Example> {
    let sources = vec![mapping.source(dir).unwrap()];
    let config = SentimentConfig { train_rows: 0, eval_rows: 0, sources, ..SentimentConfig::default() };
    run(&config, dir, &dir.join(out), &options(1)).unwrap();
    let files = ["train", "eval", "eval_balanced"].map(|f| dir.join(out).join(format!("{f}.parquet")));
    files.iter().filter(|f| f.exists()).flat_map(|f| read_all::<Example>(f).unwrap()).collect()
}

/// CSV with line breaks inside quotes, CRLF, and letters beyond ASCII.
fn messy() -> (String, BTreeSet<(String, Sentiment)>) {
    let mut lines = vec!["Nr,Überschrift,Body,Mood".to_owned()];
    let mut expected = BTreeSet::new();
    for (i, (text, label)) in sentences(90).into_iter().enumerate() {
        let text = format!("{text}, said \"Café Ångström\"");
        let broken = if i % 3 == 0 { text.replacen(" of ", " of\r\n", 1) } else { text.clone() };
        lines.push(format!("{i},x,\"{}\",{}", broken.replace('"', "\"\""), CODES[label as usize]));
        expected.insert((text, label));
    }
    (lines.join("\r\n") + "\r\n", expected)
}

fn found(rows: &[Example]) -> BTreeSet<(String, Sentiment)> {
    rows.iter().map(|e| (e.text.clone(), e.label)).collect()
}

#[test]
fn a_csv_in_utf_8_or_latin_1_with_line_breaks_in_its_fields_gives_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (csv, expected) = messy();
    write(&dir.path().join("utf8.csv"), &csv);
    write(&dir.path().join("bom.csv"), format!("\u{feff}{csv}"));
    write(&dir.path().join("latin.csv"), csv.chars().map(|c| c as u32 as u8).collect::<Vec<u8>>());
    write(&dir.path().join("semicolons.csv"), csv.replace(", said", " said").replace(',', ";"));
    for file in ["utf8.csv", "bom.csv", "latin.csv"] {
        assert_eq!(found(&bring_in(&mapping(file), dir.path(), file.trim_end_matches(".csv"))), expected, "{file}");
    }
    assert_eq!(bring_in(&mapping("semicolons.csv"), dir.path(), "semicolons").len(), expected.len() + 9);
}

#[test]
fn json_lines_and_parquet_give_the_same_rows_as_csv() {
    let dir = tempfile::tempdir().unwrap();
    let rows = sentences(60);
    let code = |label: Sentiment| CODES[label as usize].parse::<i64>().unwrap();
    let lines = rows.iter().map(|(t, l)| serde_json::json!({"Body": t, "Mood": code(*l)}).to_string() + "\n");
    write(&dir.path().join("rows.jsonl"), lines.collect::<String>());
    let columns =
        vec![("Body", texts(rows.iter().map(|r| r.0.clone()))), ("Mood", integers(rows.iter().map(|r| code(r.1))))];
    write_parquet(&dir.path().join("rows.parquet"), columns);
    let expected: BTreeSet<_> = rows.into_iter().collect();
    for file in ["rows.jsonl", "rows.parquet"] {
        assert_eq!(found(&bring_in(&mapping(file), dir.path(), &format!("out-{file}"))), expected, "{file}");
    }
}

#[test]
fn the_command_of_the_readme_and_a_mapping_file_do_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (csv, _) = messy();
    write(&dir.path().join("FILE.csv"), csv);
    let toml = "source = \"FILE.csv\"\ntext = \"Body\"\nlabel = \"Mood\"\nlabels = { 0 = \"negative\", 1 = \"positive\", 2 = \"neutral\" }\n";
    write(&dir.path().join("map.toml"), toml);
    let ingest = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_seafin-ingest")).args(args).current_dir(&dir).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let flags = ["--map", "text=Body,label=Mood", "--labels", "0=negative,1=positive,2=neutral", "--out", "flags"];
    let (code, log) = ingest(&[&["--source", "FILE.csv"], flags.as_slice()].concat());
    assert_eq!(code, Some(0), "{log}");
    let (code, log) = ingest(&["--mapping", "map.toml", "--out", "file"]);
    assert_eq!(code, Some(0), "{log}");
    for file in ["train.parquet", "eval.parquet", "rejected.parquet"] {
        let bytes = |out: &str| std::fs::read(dir.path().join(out).join(file)).unwrap();
        assert_eq!(bytes("flags"), bytes("file"), "{file}");
    }
    let (code, log) = ingest(&[]);
    assert!(code == Some(1) && log.contains("--source FILE"), "{log}");
    let (code, log) = ingest(&["--source", "FILE.csv", "--map", "text=Text,label=Mood"]);
    assert_eq!(code, Some(1));
    assert!(log.contains("no column `Text`; it has Nr, Überschrift, Body, Mood") && log.contains("--map"), "{log}");
}

#[test]
fn a_file_that_was_cut_off_loses_its_last_row_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (csv, _) = messy();
    let end = csv.rfind('"').unwrap() - 5;
    write(&dir.path().join("cut.csv"), &csv[..end]);
    let rows = bring_in(&mapping("cut.csv"), dir.path(), "out");
    assert!(rows.len() >= 89);
    let rejected: Vec<Rejected> = read_all(&dir.path().join("out/rejected.parquet")).unwrap();
    let cut: Vec<_> = rejected.iter().filter(|r| r.reason == "open-quote").collect();
    assert_eq!((cut.len(), cut[0].row), (1, 89));
    assert!(cut[0].detail.contains("never closed"), "{}", cut[0].detail);
}

#[test]
fn mojibake_is_repaired_and_what_cannot_be_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines = vec!["Body,Mood".to_owned()];
    for (text, label) in sentences(40) {
        lines.push(format!("{text} in ZÃ¼rich,{}", CODES[label as usize]));
    }
    lines.push("lost caf\u{fffd} profit of the group rose in the year,1".into());
    write(&dir.path().join("moji.csv"), lines.join("\n"));
    let rows = bring_in(&mapping("moji.csv"), dir.path(), "out");
    assert!(rows.iter().all(|e| e.text.ends_with("in Zürich")), "{:?}", rows.first());
    let rejected: Vec<Rejected> = read_all(&dir.path().join("out/rejected.parquet")).unwrap();
    assert_eq!(rejected.iter().filter(|r| r.reason == "unrepairable-encoding").count(), 1);
}

#[test]
fn the_language_is_that_of_most_texts() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines = vec!["Body,Mood".to_owned()];
    lines.extend((0..40).map(|i| format!("cổ phiếu số {i} tăng mạnh trong phiên sáng nay,1")));
    write(&dir.path().join("vi.csv"), lines.join("\n"));
    write(
        &dir.path().join("de.csv"),
        "Body,Mood\n".to_owned() + &"die Aktie ist nicht gestiegen und wird verkauft,1\n".repeat(9),
    );
    assert_eq!(mapping("vi.csv").source(dir.path()).unwrap().language, Language::Vietnamese);
    let error = mapping("de.csv").source(dir.path()).unwrap_err().to_string();
    assert!(error.contains("neither English nor Vietnamese") && error.contains("--language"), "{error}");
    let error = mapping("none.csv").source(dir.path()).unwrap_err().to_string();
    assert!(error.contains("none.csv") && error.contains("--source"), "{error}");
}
