//! Planted faults: the ladder refuses each kind for its own reason, and lets good texts pass.
//!
//! The label judges need a language model that knows what a text means. Where the test needs one, it is a simulation that
//! errs on one question in twenty; the classifier is trained on the real rows. The embedded model, which has never been asked
//! anything, is measured too, and its figures are printed.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests")]

mod common;

use artifacts::Seed;
use artifacts::rows::{Example, Sentiment, Verdict};
use common::row;
use providers::{LocalModel, Provider, Simulation};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use synth::{Ask, Config, Decide, Judging, RealRows, verify};

const EACH: usize = 40;
const ERRS: f64 = 0.05;

struct Planted {
    kind: &'static str,
    /// None: is to be kept.
    expected: Option<Verdict>,
    text: String,
    /// What it is offered as.
    label: Sentiment,
    /// What it means.
    meaning: Sentiment,
}

/// A clear sentence of a label, and rows that it is to be mixed with.
struct Material {
    train: Vec<Example>,
    eval: Vec<Example>,
    /// Different sentences, of each label as many.
    clear: Vec<(String, Sentiment)>,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn another(label: Sentiment) -> Sentiment {
    if label == Sentiment::Negative { Sentiment::Positive } else { Sentiment::Negative }
}

/// 40 of each kind, made of the first clear sentences; the rest of them are the good ones.
fn planted(material: &Material) -> Vec<Planted> {
    let mut all = Vec::new();
    let mut clear = material.clear.iter();
    let mut add =
        |kind, expected, text: String, label, meaning| all.push(Planted { kind, expected, text, label, meaning });
    let stem = |text: &str| text.trim_end_matches([' ', '.']).to_owned();
    for (text, label) in clear.by_ref().take(EACH) {
        add("wrong label", Some(Verdict::Label), text.clone(), another(*label), *label);
    }
    for (text, label) in clear.by_ref().take(EACH) {
        add(
            "leaked label",
            Some(Verdict::LabelLeak),
            format!("{}, which is {label} news.", stem(text)),
            *label,
            *label,
        );
    }
    for (text, label) in clear.by_ref().take(EACH) {
        let text = format!("Here is one realistic financial news headline: {text}");
        add("leaked template", Some(Verdict::TemplateLeak), text, *label, *label);
    }
    for (text, label) in clear.by_ref().take(EACH) {
        add("cut off", Some(Verdict::Format), format!("{}, although the", stem(text)), *label, *label);
    }
    for (i, row) in material.eval.iter().filter(|r| plain(&r.text)).take(EACH).enumerate() {
        let text = if i.is_multiple_of(2) { row.text.clone() } else { format!("{}!", stem(&row.text).to_uppercase()) };
        add("copy of an evaluation row", Some(Verdict::Contaminated), text, row.label, row.label);
    }
    for row in material.train.iter().filter(|r| plain(&r.text)).take(EACH) {
        add("copy of a training row", Some(Verdict::Duplicate), row.text.clone(), row.label, row.label);
    }
    let firms = ["Nhà máy", "Ngân hàng", "Hãng vận tải", "Công ty điện", "Tập đoàn thép"];
    let months = ["tháng một", "tháng hai", "tháng ba", "tháng tư", "tháng năm", "tháng sáu", "tháng bảy", "tháng tám"];
    for (firm, month) in firms.iter().flat_map(|f| months.iter().map(move |m| (f, m))).take(EACH) {
        let text = format!("{firm} báo lợi nhuận tăng mạnh trong {month} nhờ đơn hàng lớn.");
        add("wrong language", Some(Verdict::Language), text, Sentiment::Positive, Sentiment::Positive);
    }
    for (text, label) in clear {
        add("good", None, text.clone(), *label, *label);
    }
    all
}

/// Shares refused for the right reason, and of good texts refused at all; prints both by kind.
fn climb(config: &Config, provider: &dyn Provider, material: &Material, planted: &[Planted]) -> (f64, f64) {
    let real = RealRows { train: &material.train, eval: &material.eval };
    let texts: Vec<(String, Sentiment)> = planted.iter().map(|p| (p.text.clone(), p.label)).collect();
    let found = verify(config, provider, real, &texts, Seed(11)).unwrap();
    let mut kinds: BTreeMap<&str, (usize, usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    for (planted, candidate) in planted.iter().zip(&found.candidates) {
        let entry = kinds.entry(planted.kind).or_default();
        entry.0 += 1;
        let refused = candidate.verdict != Verdict::Kept;
        entry.1 += usize::from(planted.expected.map_or(refused, |expected| expected == candidate.verdict));
        *entry.2.entry(candidate.verdict.as_str()).or_default() += 1;
        if planted.expected.unwrap_or(Verdict::Kept) != candidate.verdict {
            println!("  {} became {}: {} ({})", planted.kind, candidate.verdict, candidate.text, candidate.detail);
        }
    }
    for (kind, (all, right, verdicts)) in &kinds {
        let what = if *kind == "good" { "refused" } else { "refused for the right reason" };
        println!("{kind}: {right} of {all} {what} {verdicts:?}");
    }
    println!("fit: {:?}, {:?}; on evaluation rows: {:?}", found.panel.fit(), found.panel.rule, found.judge);
    let share = |good: bool| {
        let of = kinds.iter().filter(|(kind, _)| (**kind == "good") == good);
        let (all, right) = of.fold((0, 0), |sum, (_, (all, right, _))| (sum.0 + all, sum.1 + right));
        right as f64 / all as f64
    };
    (share(false), share(true))
}

/// A language model that knows the meaning of these texts and errs on one question in twenty.
fn knowing(material: &Material, planted: &[Planted]) -> Simulation {
    let mut meanings: BTreeMap<String, Sentiment> =
        material.train.iter().chain(&material.eval).map(|r| (r.text.clone(), r.label)).collect();
    meanings.extend(planted.iter().map(|p| (p.text.clone(), p.meaning)));
    common::judge(ERRS, move |question| question.lines().find_map(|line| meanings.get(line).copied()))
}

fn asking() -> Config {
    Config { judges: Judging { ask: Ask::Question, ..Judging::default() }, ..Config::default() }
}

/// Whether a real row has nothing that a rung before the one in question refuses with good reason: a label's name, half a
/// quotation, a fragment.
fn plain(text: &str) -> bool {
    let words: Vec<String> = text::words(text).collect();
    let named = words.iter().any(|w| w.starts_with("positive") || w.starts_with("negative") || w == "neutral");
    (8..=35).contains(&words.len()) && !named && text.matches('"').count().is_multiple_of(2) && text.ends_with('.')
}

fn eight_words(text: &str) -> BTreeSet<String> {
    let words: Vec<String> = text::words(text).collect();
    words.windows(8).map(|run| run.join(" ")).collect()
}

/// The embedded corpus; clear sentences in its manner.
fn fixtures() -> Material {
    let text = std::fs::read_to_string(repository().join("fixtures/data/news_en/train.jsonl")).unwrap();
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let (input, output) = (value["input"].as_str().unwrap().trim(), value["output"].as_str().unwrap());
        let label = Sentiment::ALL.iter().find(|l| output.contains(l.as_str()));
        if let (Some(label), true) = (label, !input.is_empty() && seen.insert(text::comparison_key(input))) {
            rows.push(row(input, *label));
        }
    }
    let eval: Vec<Example> = rows.split_off(2700).into_iter().take(300).collect();
    // A training row that shares words with an evaluation row is refused for that, and rightly so.
    let runs: BTreeSet<String> = eval.iter().flat_map(|r| eight_words(&r.text)).collect();
    rows.retain(|r| eight_words(&r.text).is_disjoint(&runs));
    let firms = [
        "Astridge Rail",
        "Foxmere Foods",
        "Hollinside Motors",
        "Jasperton Airlines",
        "Thornacre Bank",
        "Galbrook Mills",
    ];
    let times = ["in March", "this morning", "in the third quarter", "on Tuesday"];
    let clauses: [(&str, Sentiment); 15] = [
        ("raised its profit forecast after record sales", Sentiment::Positive),
        ("won a large order and added to its dividend", Sentiment::Positive),
        ("beat expectations with a sharp rise in net profit", Sentiment::Positive),
        ("cut its debt and returned to growth", Sentiment::Positive),
        ("opened a new plant after demand picked up", Sentiment::Positive),
        ("cut its profit forecast after weak sales", Sentiment::Negative),
        ("lost a large order and scrapped its dividend", Sentiment::Negative),
        ("missed expectations with a sharp fall in net profit", Sentiment::Negative),
        ("faced a fine and a widening net loss", Sentiment::Negative),
        ("closed its main plant after demand dried up", Sentiment::Negative),
        ("will hold its annual meeting in Marrick", Sentiment::Neutral),
        ("will publish its quarterly report", Sentiment::Neutral),
        ("kept its forecast and its dividend unchanged", Sentiment::Neutral),
        ("did not comment on reports about its unit in Tarsk", Sentiment::Neutral),
        ("appointed a new auditor as planned", Sentiment::Neutral),
    ];
    let mut clear = Vec::new();
    for (i, time) in times.iter().enumerate() {
        for (j, firm) in firms.iter().enumerate() {
            // Labels in turn, so that every kind gets its share of each.
            for k in 0..clauses.len() {
                let (clause, label) = clauses[(k % 3) * 5 + k / 3];
                let text = if (i + j + k).is_multiple_of(2) {
                    format!("{firm} {clause} {time}.")
                } else {
                    format!("{}{}, {firm} {clause}.", time[..1].to_uppercase(), &time[1..])
                };
                clear.push((text, label));
            }
        }
    }
    Material { train: rows, eval, clear }
}

#[test]
fn planted_faults_are_refused_for_the_right_reason_and_good_texts_pass() {
    let material = fixtures();
    let planted = planted(&material);
    let (bad, good) = climb(&asking(), &knowing(&material, &planted), &material, &planted);
    println!("{:.1} % of the bad refused for the right reason, {:.1} % of the good refused", 100.0 * bad, 100.0 * good);
    assert!(bad >= 0.95 && good <= 0.05, "{bad} {good}");
}

#[test]
fn the_embedded_model_as_a_judge_lets_no_more_faults_pass() {
    let material = fixtures();
    let planted = planted(&material);
    let folder = repository().join("fixtures/model");
    let config = Config::default();
    let model = LocalModel::open(&folder, None, &config.date).unwrap();
    let plain = Config { judges: Judging { decide: Decide::Agree, ..Judging::default() }, ..Config::default() };
    let mut found = Vec::new();
    for config in [&plain, &config] {
        let (bad, good) = climb(config, &model, &material, &planted);
        println!(
            "{:?}: {:.1} % of the bad refused for the right reason, {:.1} % of the good refused",
            config.judges.decide,
            100.0 * bad,
            100.0 * good
        );
        found.push((bad, good));
    }
    // Two judges that know little agree with little: faults stay out, and most good texts with them. Where they abstain,
    // faults stay out all the same.
    let (before, after) = (found[0], found[1]);
    assert!(before.0 >= 0.95 && after.0 >= 0.95, "{found:?}");
    assert!(after.1 < before.1 - 0.05, "{found:?}");
}

/// Sentences of the Financial PhraseBank on whose label all annotators agree.
#[test]
fn planted_faults_among_real_rows_are_refused_for_the_right_reason() {
    let path = repository().parent().unwrap().join("shared/data/phrasebank/Sentences_AllAgree.txt");
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: no {}", path.display());
        return;
    };
    let text: String = bytes.iter().map(|b| char::from(*b)).collect(); // ISO-8859-1
    let mut seen = BTreeSet::new();
    let mut rows: Vec<Example> = text
        .lines()
        .filter_map(|line| line.trim().rsplit_once('@'))
        .map(|(text, label)| row(&text::detokenise(text.trim()), label.parse().unwrap()))
        .filter(|r| seen.insert(text::comparison_key(&r.text)))
        .collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    let config = asking();
    let keys: Vec<String> = rows.iter().map(|r| text::comparison_key(&r.text)).collect();
    let clusters = text::near_duplicates(&keys, 0.6, 1);
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for run in rows.iter().flat_map(|r| eight_words(&r.text)) {
        *met.entry(run).or_default() += 1;
    }
    // Good texts are like no other row; everything else may be.
    let mut alone: Vec<Example> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        if clusters.representative[i] == i && plain(&row.text) && eight_words(&row.text).iter().all(|run| met[run] == 1)
        {
            alone.push(row.clone());
        }
    }
    let mut clear = Vec::new();
    for label in Sentiment::ALL {
        clear.push(alone.iter().filter(|r| r.label == *label).take(95).cloned().collect::<Vec<_>>());
    }
    let each = clear.iter().map(Vec::len).min().unwrap();
    assert!(each > 80, "{each}");
    let taken: BTreeSet<String> = clear.iter().flatten().map(|r| r.id.clone()).collect();
    let representative: BTreeMap<&str, usize> =
        rows.iter().enumerate().map(|(i, r)| (r.id.as_str(), clusters.representative[i])).collect();
    let taken_clusters: BTreeSet<usize> = taken.iter().map(|id| representative[id.as_str()]).collect();
    let mut train: Vec<Example> =
        rows.iter().filter(|r| !taken_clusters.contains(&representative[r.id.as_str()])).cloned().collect();
    let eval = train.split_off(train.len() - 250);
    let runs: BTreeSet<String> = eval.iter().flat_map(|r| eight_words(&r.text)).collect();
    train.retain(|r| eight_words(&r.text).is_disjoint(&runs));
    let clear = (0..each).flat_map(|i| clear.iter().map(move |of| (of[i].text.clone(), of[i].label))).collect();
    let material = Material { train, eval, clear };
    let planted = planted(&material);
    let (bad, good) = climb(&config, &knowing(&material, &planted), &material, &planted);
    println!("{:.1} % of the bad refused for the right reason, {:.1} % of the good refused", 100.0 * bad, 100.0 * good);
    assert!(bad >= 0.95 && good <= 0.05, "{bad} {good}");
}
