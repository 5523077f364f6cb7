#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod common;

use artifacts::rows::{Candidate, Example, Language, Sentiment, Verdict};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use providers::testing::tiny_model;
use providers::{Completion, Error, Prompt, Provider, Reply, Shape, Written};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use synth::{Config, Inputs, Rows, Writer, run, run_with};

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

/// Writes what the simulation writes, until it has been asked `left` times for a text (or for a vote); then it fails, as a
/// killed process does.
struct Mortal {
    inner: providers::Simulation,
    of_votes: bool,
    left: AtomicU64,
    calls: Arc<AtomicU64>,
}

impl Provider for Mortal {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn complete(&self, messages: &[chat::Message], options: &Completion) -> Result<Reply, Error> {
        self.inner.complete(messages, options)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        self.inner.continue_text(prefix, options)
    }

    fn score(&self, messages: &[chat::Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        self.inner.score(messages, answers)
    }

    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
        if matches!(prompt, Prompt::Raw(_)) != self.of_votes {
            self.calls.fetch_add(1, Ordering::Relaxed);
            if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_err() {
                return Err(Error::EmptyPrompt);
            }
        }
        self.inner.write(prompt, options, shape)
    }
}

#[test]
fn a_run_that_died_goes_on_where_it_was_and_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Rows { train: folder.path().join("train.parquet"), eval: folder.path().join("eval.parquet") };
    write_all(&rows.train, &common::train()).unwrap();
    write_all(&rows.eval, &common::eval()).unwrap();
    let config = Config { rows: 60, near_duplicate: 0.95, confident_learning: 0.5, ..common::config(400) };
    let author = |prompt: &str, seed: u64| {
        let (a, b) = (seed % 9973, seed % 7919);
        let words = ["mast", "mill", "bank", "dock", "farm", "port", "yard", "shop", "mine", "fund"];
        let name = |n: u64| format!("{} {}", words[(n % 10) as usize], words[(n / 10 % 10) as usize]);
        let what = match prompt {
            "Good news today:" => "won an order and its profit rose sharply",
            "Bad news today:" => "lost an order and its profit fell heavily",
            _ => "will hold its annual meeting in the spring",
        };
        format!("The {} of the {} {what} in {a} towns with {b} people.", name(a), name(b))
    };
    let make = |out: &Path, of_votes: bool, lives: u64| {
        let calls = Arc::new(AtomicU64::new(0));
        let open = || {
            let inner = common::judge(0.1, common::meaning).writing(author);
            Ok(Box::new(Mortal { inner, of_votes, left: AtomicU64::new(lives), calls: calls.clone() })
                as Box<dyn Provider>)
        };
        let options = RunOptions { seed: Seed(5), force: false, progress: &NoProgress };
        let made = run_with(&config, &rows, &Writer::default(), open, out, &options);
        (made, calls.load(Ordering::Relaxed))
    };
    let (whole, all_calls) = make(&folder.path().join("whole"), false, u64::MAX);
    let whole = whole.unwrap();
    assert!(whole.facts["kept"] == 60 && all_calls >= 64, "{} {all_calls}", whole.facts["kept"]);

    let out = folder.path().join("killed");
    let (killed, _) = make(&out, false, 40);
    assert!(killed.is_err() && out.join("candidates.journal").is_file());
    assert!(!out.join("manifest.json").exists(), "nobody takes the folder for complete");
    let (resumed, calls) = make(&out, false, u64::MAX);
    assert_eq!(resumed.unwrap().outputs, whole.outputs, "the same bytes");
    assert_eq!(calls, all_calls - 32, "the batch that was complete is not asked for again");
    assert!(!out.join("candidates.journal").exists());

    // Eight votes a candidate: the second batch is half judged.
    let out = folder.path().join("killed while judging");
    let (killed, _) = make(&out, true, 8 * 32 + 50);
    assert!(killed.is_err() && !out.join("manifest.json").exists());
    let journal = std::fs::read_to_string(out.join("candidates.journal")).unwrap();
    assert_eq!(journal.lines().count(), 1 + 32, "what was half judged is not on record");
    let (resumed, calls) = make(&out, false, u64::MAX);
    assert_eq!((resumed.unwrap().outputs, calls), (whole.outputs, all_calls - 32));
}

#[test]
fn what_a_person_wrote_into_the_review_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Rows { train: folder.path().join("train.parquet"), eval: folder.path().join("eval.parquet") };
    write_all(&rows.train, &common::train()).unwrap();
    write_all(&rows.eval, &common::eval()).unwrap();
    let out = folder.path().join("synth");
    let make = |seed: u64| {
        let open = || {
            let author = |prompt: &str, seed: u64| match prompt {
                "Good news today:" => format!("Company {seed} of the north won an order and its profit rose sharply."),
                _ => String::new(),
            };
            Ok(Box::new(common::judge(0.0, common::meaning).writing(author)) as Box<dyn Provider>)
        };
        let config = Config { review_rows: 9, near_duplicate: 1.0, ..common::config(40) };
        let options = RunOptions { seed: Seed(seed), force: true, progress: &NoProgress };
        run_with(&config, &rows, &Writer::default(), open, &out, &options).unwrap();
    };
    make(1);
    let path: PathBuf = out.join("review.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 4, "a third of nine is positive, and only positive ones are kept: {text}");
    assert_eq!(synth::read_review(&path).unwrap().interval, None);
    let filled: String = text
        .lines()
        .enumerate()
        .map(|(i, line)| line.replace(",,", [",correct,", ",y,", ",n,", ",Y,"][i]) + "\n")
        .collect();
    std::fs::write(&path, &filled).unwrap();
    make(1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), filled, "the same rows: it stays");
    let review = synth::read_review(&path).unwrap();
    assert_eq!((review.rows, review.checked, review.correct), (3, 3, 2));
    let (low, high) = review.interval.unwrap();
    // Wilson's interval of 2 in 3 at 95 %.
    assert!((low - 0.2077).abs() < 1e-4 && (high - 0.9385).abs() < 1e-4, "{low} {high}");
    make(2);
    assert_eq!(std::fs::read_to_string(out.join("review-old.csv")).unwrap(), filled, "other rows: it is put aside");

    std::fs::write(&path, "number,label,text,correct\n1,positive,Up.,perhaps\n").unwrap();
    let error = synth::read_review(&path).unwrap_err().to_string();
    assert!(error.contains("row 1") && error.contains("perhaps"), "{error}");
}
