//! From small files of each form to examples.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::read_all;
use artifacts::rows::{Example, Language, Rejected, Sentiment};
use common::{config, integers, options, sentences, source, texts, write, write_parquet};
use hub::RepoKind;
use hub::testing::TestHub;
use ingest::sentiment::{SourceKind, run};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn csv_of(rows: &[(String, Sentiment)]) -> String {
    let lines: Vec<String> = rows.iter().map(|(text, label)| format!("\"{text}\",{label}\n")).collect();
    format!("text,label\n{}", lines.concat())
}

fn table(path: &str) -> ingest::sentiment::SourceConfig {
    source("table", Language::English, SourceKind::Table, path)
}

fn examples(out: &Path, file: &str) -> Vec<Example> {
    read_all(&out.join(file)).unwrap()
}

fn rejected(out: &Path) -> Vec<Rejected> {
    read_all(&out.join("rejected.parquet")).unwrap()
}

#[test]
fn exactly_the_rows_asked_for_are_written_and_none_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = sentences(60);
    rows.extend(rows.clone());
    write(&dir.path().join("data.csv"), csv_of(&rows));
    let out = dir.path().join("out");
    let manifest = run(&config(30, 12, vec![table("data.csv")]), dir.path(), &out, &options(1)).unwrap();
    let (train, eval) = (examples(&out, "train.parquet"), examples(&out, "eval.parquet"));
    assert_eq!((train.len(), eval.len(), examples(&out, "pool.parquet").len()), (30, 12, 18));
    assert_eq!(manifest.rows_rejected, BTreeMap::from([("duplicate".to_owned(), 60)]));
    assert_eq!(manifest.rows_in, manifest.rows_kept + manifest.rows_rejected.values().sum::<u64>());
    let ids: BTreeSet<_> = train.iter().chain(&eval).map(|e| &e.id).collect();
    assert_eq!(ids.len(), 42);
    assert_eq!(manifest.facts["overlap_train_eval"], 0);
    for label in Sentiment::ALL {
        assert_eq!(train.iter().filter(|e| e.label == *label).count(), 10);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_rows() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data.csv"), csv_of(&sentences(60)));
    let config = config(20, 10, vec![table("data.csv")]);
    for (folder, seed) in [("a", 1), ("b", 1), ("c", 2)] {
        run(&config, dir.path(), &dir.path().join(folder), &options(seed)).unwrap();
    }
    let bytes = |folder: &str, file: &str| std::fs::read(dir.path().join(folder).join(file)).unwrap();
    for file in ["train.parquet", "eval.parquet", "pool.parquet", "rejected.parquet", "manifest.json"] {
        assert_eq!(bytes("a", file), bytes("b", file), "{file}");
    }
    assert_ne!(bytes("a", "eval.parquet"), bytes("c", "eval.parquet"));
}

#[test]
fn an_unchanged_run_is_skipped_and_a_changed_input_is_not() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data.csv"), csv_of(&sentences(60)));
    let (config, out) = (config(20, 10, vec![table("data.csv")]), dir.path().join("out"));
    run(&config, dir.path(), &out, &options(1)).unwrap();
    std::fs::remove_file(out.join("runtime.json")).unwrap();
    run(&config, dir.path(), &out, &options(1)).unwrap();
    assert!(!out.join("runtime.json").exists(), "a skipped stage writes nothing");
    write(&dir.path().join("data.csv"), csv_of(&sentences(61)));
    run(&config, dir.path(), &out, &options(1)).unwrap();
    assert!(out.join("runtime.json").exists());
}

#[test]
fn an_unknown_label_names_the_file_the_row_and_the_choices() {
    let dir = tempfile::tempdir().unwrap();
    let csv = csv_of(&sentences(30)) + "\"the market was closed today\",bullish?\n";
    write(&dir.path().join("text.csv"), csv);
    let out = dir.path().join("out");
    run(&config(9, 3, vec![table("text.csv")]), dir.path(), &out, &options(1)).unwrap();
    let rows = rejected(&out);
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].reason.as_str(), rows[0].row), ("unknown-label", 30));
    assert!(
        rows[0].detail.starts_with("text.csv: row 30: unknown label \"bullish?\"; known labels are"),
        "{}",
        rows[0].detail
    );
    assert!(rows[0].detail.contains("negative") && rows[0].detail.contains("neutral"), "{}", rows[0].detail);
}

#[test]
fn rows_that_cannot_be_read_keep_their_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = csv_of(&sentences(30)).into_bytes();
    bytes.extend(b"\"caf\xe9 sales rose\",positive\n\"  \",neutral\n\"the shares\",neutral,3\n");
    bytes.extend(
        "\"die Aktie ist nach der Meldung nicht gestiegen und das Unternehmen wird verkauft\",neutral\n".bytes(),
    );
    bytes.extend("\"profit of Sepp\u{fffd} rose\",positive\n".bytes());
    write(&dir.path().join("data.csv"), bytes);
    let out = dir.path().join("out");
    run(&config(9, 3, vec![table("data.csv")]), dir.path(), &out, &options(1)).unwrap();
    let reasons: Vec<String> = rejected(&out).into_iter().map(|r| r.reason).collect();
    assert_eq!(reasons, ["invalid-utf8", "empty-text", "wrong-field-count", "wrong-language", "unrepairable-encoding"]);
}

#[test]
fn conflicting_labels_are_voted_by_source_and_ties_are_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let text = "the board said it would pay no dividend";
    let tie = "the court will hear the case in may";
    // Source a repeats itself; that must not outvote b and c.
    let a = csv_of(&sentences(30)) + &format!("{text},positive\n").repeat(5) + &format!("{tie},positive\n");
    write(&dir.path().join("a.csv"), a);
    write(&dir.path().join("b.csv"), format!("text,label\n{text} .,negative\n{tie},negative\n"));
    write(&dir.path().join("c.csv"), format!("text,label\n{text},negative\n"));
    let mut sources = Vec::new();
    for name in ["a", "b", "c"] {
        sources.push(source(name, Language::English, SourceKind::Table, &format!("{name}.csv")));
    }
    let out = dir.path().join("out");
    let manifest = run(&config(20, 10, sources), dir.path(), &out, &options(1)).unwrap();
    assert_eq!(manifest.rows_rejected["outvoted-label"], 5);
    assert_eq!(manifest.rows_rejected["conflicting-labels"], 2);
    let all: Vec<Example> = ["train", "eval", "pool"]
        .iter()
        .filter(|f| out.join(format!("{f}.parquet")).exists())
        .flat_map(|f| examples(&out, &format!("{f}.parquet")))
        .collect();
    assert_eq!(all.len(), 31);
    assert!(all.iter().any(|e| e.text.starts_with("the board") && e.label == Sentiment::Negative));
}

#[test]
fn near_duplicates_never_stand_on_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    for (text, label) in sentences(80) {
        rows.push((format!("{text} in the first period"), label));
        rows.push((format!("{text} in the first periods"), label));
    }
    write(&dir.path().join("data.csv"), csv_of(&rows));
    for seed in 0..5 {
        let out = dir.path().join(format!("out{seed}"));
        let manifest = run(&config(60, 20, vec![table("data.csv")]), dir.path(), &out, &options(seed)).unwrap();
        let clusters = |file| examples(&out, file).into_iter().map(|e| e.cluster).collect::<BTreeSet<_>>();
        let eval = clusters("eval.parquet");
        assert_eq!(eval.len(), 20, "one row of a cluster");
        assert!(eval.is_disjoint(&clusters("train.parquet")) && eval.is_disjoint(&clusters("pool.parquet")));
        assert_eq!(manifest.rows_rejected["near-duplicate-of-eval"], 20);
        assert_eq!(manifest.facts["near_duplicate_clusters_train_eval"], 0);
    }
}

#[test]
fn too_few_rows_say_how_many_there_are_and_which_flag_to_lower() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data.csv"), csv_of(&sentences(20)));
    let error =
        run(&config(15, 10, vec![table("data.csv")]), dir.path(), &dir.path().join("out"), &options(1)).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("10 rows can be used for training, 15 are asked for") && message.contains("--train-rows"),
        "{message}"
    );
}

#[test]
fn wrong_files_are_named_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("empty.csv"), "text,label\n");
    write(&dir.path().join("columns.csv"), "body,mood\nx,y\n");
    write(&dir.path().join("broken.parquet"), b"PAR1 this is not Parquet");
    write(&dir.path().join("codes.csv"), "text,label\nthe profit rose,7\n");
    write(&dir.path().join("note.docx"), "x");
    let cases = [
        ("missing.csv", "no such file", "--data"),
        ("empty.csv", "no rows", "leave source `table` out"),
        ("columns.csv", "it has body, mood", "`columns`"),
        ("broken.parquet", "cannot be read", "plain Parquet"),
        ("codes.csv", "every one of its 1 rows was refused", "unknown label \"7\""),
        ("note.docx", "no known table", ".jsonl"),
    ];
    for (file, what, remedy) in cases {
        let error =
            run(&config(1, 1, vec![table(file)]), dir.path(), &dir.path().join("out"), &options(1)).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(file) && message.contains(what) && message.contains(remedy), "{message}");
        assert!(!message.contains('\n'));
    }
}

#[test]
fn phrasebank_in_any_encoding_gives_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows: Vec<String> = sentences(20).into_iter().map(|(t, l)| format!("{t} .@{l}")).collect();
    rows[3] = "Sepp+ñl+ñ 's profit rose to EUR 5 mn , mail a@b.fi .@positive".into();
    let utf8 = format!("\u{feff}{}\r\n", rows.join("\r\n"));
    let latin: Vec<u8> = rows.join("\n").chars().map(|c| c as u32 as u8).collect();
    write(&dir.path().join("utf8.txt"), &utf8);
    write(&dir.path().join("latin.txt"), latin);
    for file in ["utf8.txt", "latin.txt"] {
        let sources = vec![source("bank", Language::English, SourceKind::Phrasebank, file)];
        run(&config(15, 5, sources), dir.path(), &dir.path().join(file.replace(".txt", "")), &options(1)).unwrap();
    }
    let train = examples(&dir.path().join("utf8"), "train.parquet");
    assert_eq!(train, examples(&dir.path().join("latin"), "train.parquet"));
    let all = [train, examples(&dir.path().join("utf8"), "eval.parquet")].concat();
    assert!(all.iter().any(|e| e.text == "Seppälä's profit rose to EUR 5 mn, mail a@b.fi."), "{all:?}");
}

const VIETNAMESE: [&str; 12] = [
    "thầy dạy rất nhiệt tình và dễ hiểu colonsmile .",
    "phòng máy quá nóng , máy tính chạy chậm .",
    "cô giảng bài hay , nhiều ví dụ thực tế .",
    "bài tập quá nhiều so với thời lượng môn học .",
    "em chưa có ý kiến gì về môn học này .",
    "tài liệu cần được cập nhật thường xuyên hơn .",
    "giảng viên thân thiện , gần gũi với sinh viên .",
    "thầy vào lớp trễ và cho nghỉ sớm .",
    "môn học gồm lý thuyết fraction thực hành .",
    "điểm quá trình được chấm không công bằng .",
    "trang thiết bị của trường đã được nâng cấp .",
    "đề thi khó hơn nhiều so với bài giảng trên lớp .",
];
const CODES: [i64; 12] = [2, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0];

fn write_vsfc(dir: &Path, test_leaks: bool) {
    let mut parts = vec![("train", "train", &VIETNAMESE[..6], &CODES[..6])];
    parts.push(("dev", "validation", &VIETNAMESE[6..10], &CODES[6..10]));
    parts.push(("test", "test", &VIETNAMESE[10..], &CODES[10..]));
    for (text_folder, parquet_folder, rows, codes) in parts {
        let (mut rows, mut codes) = (rows.to_vec(), codes.to_vec());
        if test_leaks && text_folder == "train" {
            rows.push(VIETNAMESE[11]);
            codes.push(CODES[11]);
        }
        let lines = |items: Vec<String>| items.join("\n") + "\n";
        let folder = dir.join("text").join(text_folder);
        write(&folder.join("sents.txt"), lines(rows.iter().map(|r| (*r).to_owned()).collect()));
        write(&folder.join("sentiments.txt"), lines(codes.iter().map(ToString::to_string).collect()));
        write_parquet(
            &dir.join("parquet").join(parquet_folder).join("0000.parquet"),
            vec![("sentence", texts(rows.iter().copied())), ("sentiment", integers(codes.iter().copied()))],
        );
    }
}

#[test]
fn both_forms_of_vsfc_give_the_same_rows_and_the_official_test_stays_apart() {
    let dir = tempfile::tempdir().unwrap();
    write_vsfc(dir.path(), true);
    for form in ["text", "parquet"] {
        let sources = vec![source("vsfc", Language::Vietnamese, SourceKind::Vsfc, form)];
        let out = dir.path().join(format!("out-{form}"));
        let manifest = run(&config(5, 3, sources), dir.path(), &out, &options(1)).unwrap();
        assert_eq!(manifest.rows_rejected["duplicate"], 1, "the training copy of a test row goes");
    }
    let read =
        |file: &str| (examples(&dir.path().join("out-text"), file), examples(&dir.path().join("out-parquet"), file));
    for file in ["train.parquet", "eval.parquet", "test.parquet"] {
        let (text, parquet) = read(file);
        assert_eq!(text, parquet, "{file}");
    }
    let (train, eval, test) = (read("train.parquet").0, read("eval.parquet").0, read("test.parquet").0);
    assert!(train.iter().all(|e| e.source == "vsfc:train") && eval.iter().all(|e| e.source == "vsfc:validation"));
    assert_eq!(test.len(), 2);
    let all: Vec<&str> = train.iter().chain(&eval).map(|e| e.text.as_str()).collect();
    assert!(!all.iter().any(|t| t.contains("colon") || t.contains("fraction") || t.contains(" ,")), "{all:?}");
}

#[test]
fn fingpt_comes_from_the_hub_by_its_name() {
    let server = TestHub::start(Some("hf_t")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let rows = sentences(40);
    let path = dir.path().join("train.parquet");
    write_parquet(
        &path,
        vec![
            ("input", texts(rows.iter().flat_map(|(t, _)| [t.clone(), t.clone()]))),
            (
                "output",
                texts(rows.iter().flat_map(|(_, l)| {
                    let l = format!("moderately {l}").replace("moderately neutral", "neutral");
                    [l.clone(), l]
                })),
            ),
            ("instruction", texts(rows.iter().flat_map(|_| ["What is the sentiment?", "What is the sentiment?"]))),
        ],
    );
    server.add_file(
        RepoKind::Dataset,
        "org/fingpt",
        "main",
        "data/train-00000-of-00001.parquet",
        &std::fs::read(&path).unwrap(),
    );
    let mut options = options(1);
    options.hub = hub::HubConfig {
        endpoint: Some(server.endpoint().to_owned()),
        cache_dir: dir.path().join("cache"),
        token: Some("hf_t".into()),
        offline: false,
    };
    let sources = vec![source("fingpt", Language::English, SourceKind::Instruction, "hf://datasets/org/fingpt")];
    let out = dir.path().join("out");
    let manifest = run(&config(20, 10, sources.clone()), Path::new("nowhere"), &out, &options).unwrap();
    assert_eq!(manifest.rows_rejected["duplicate"], 40);
    let train = examples(&out, "train.parquet");
    assert!(train.iter().all(|e| e.instruction.as_deref() == Some("What is the sentiment?")));
    assert!(train.iter().any(|e| e.raw_label == "moderately negative" && e.label == Sentiment::Negative));

    options.hub.token = Some("wrong".into());
    let error = run(&config(20, 10, sources), Path::new("nowhere"), &out, &options).unwrap_err();
    assert!(error.to_string().contains("HF_TOKEN"), "{error}");
}

#[test]
fn a_table_with_its_own_names_and_labels_is_mapped() {
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<String> = sentences(30)
        .iter()
        .enumerate()
        .map(|(i, (text, _))| serde_json::json!({"Body": text, "stars": i % 5 + 1}).to_string())
        .collect();
    write(&dir.path().join("reviews.jsonl"), lines.join("\n"));
    let toml = r#"
        train_rows = 20
        eval_rows = 5
        [[sources]]
        name = "reviews"
        language = "en"
        kind = "table"
        path = "reviews.jsonl"
        columns = { text = ["body"], label = ["stars"] }
        labels = { "1" = "negative", "2" = "negative", "3" = "neutral", "4" = "positive", "5" = "positive" }
    "#;
    let out = dir.path().join("out");
    run(&toml::from_str(toml).unwrap(), dir.path(), &out, &options(1)).unwrap();
    let eval = examples(&out, "eval.parquet");
    assert!(eval.iter().all(|e| e.raw_label.len() == 1 && e.source == "reviews"));
    let unknown = toml::from_str::<ingest::SentimentConfig>("train_row = 3").unwrap_err();
    assert!(unknown.to_string().contains("train_row"), "{unknown}");
}
