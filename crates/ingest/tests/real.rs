//! On the real data, where they are.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::read_all;
use artifacts::rows::{Bar, Example, Language, News, QualityFinding, Sentiment};
use common::{config, options, shared, source};
use ingest::market::{AnnotatedSource, Availability, BarSource, MarketConfig, NewsColumns, NewsSource, TimeFormat};
use ingest::sentiment::{SentimentConfig, SourceKind};
use ingest::{market, sentiment};
use std::collections::BTreeSet;

#[test]
fn fingpt_and_vsfc_give_exactly_3000_and_250_rows_of_each_language_without_overlap() {
    let Some(data) = shared().map(|s| s.join("data")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let manifest = sentiment::run(&SentimentConfig::default(), &data, dir.path(), &options(42)).unwrap();
    let read = |file: &str| read_all::<Example>(&dir.path().join(file)).unwrap();
    let (train, eval) = (read("train.parquet"), read("eval.parquet"));
    for language in Language::ALL {
        assert_eq!(train.iter().filter(|e| e.language == *language).count(), 3000);
        assert_eq!(eval.iter().filter(|e| e.language == *language).count(), 250);
    }
    let ids: BTreeSet<_> = train.iter().map(|e| &e.id).collect();
    assert!(eval.iter().all(|e| !ids.contains(&e.id)));
    assert_eq!(manifest.facts["overlap_train_eval"], 0);
    assert_eq!(manifest.facts["near_duplicate_clusters_train_eval"], 0);
    assert_eq!(manifest.rows_in, 59_937 + 11_426 + 1_583 + 3_166);
    assert_eq!(manifest.rows_in, manifest.rows_kept + manifest.rows_rejected.values().sum::<u64>());
    // The official test part: every row, in its order, and nothing that trains resembles one.
    let test = read("test.parquet");
    assert_eq!(test.iter().map(|e| e.source_row).collect::<Vec<_>>(), (0..3_166).collect::<Vec<_>>());
    let balanced = read("eval_balanced.parquet");
    for (language, each) in [(Language::English, 83), (Language::Vietnamese, 60)] {
        let of = |label| balanced.iter().filter(|e| (e.language, e.label) == (language, label)).count();
        let counts = [Sentiment::Negative, Sentiment::Neutral, Sentiment::Positive].map(of);
        assert!(counts[0] >= each && counts.iter().all(|n| *n == counts[0]), "{language}: {counts:?}");
    }
    // By comparing all pairs of the assessment's rows, without the index that the stage uses.
    let sets = |rows: &[Example]| -> Vec<Vec<u64>> {
        rows.iter().map(|e| text::ngram_hashes(&text::comparison_key(&e.text), 5)).collect()
    };
    let trained = sets(&train);
    for held in sets(&[eval, balanced].concat()) {
        let highest = trained.iter().map(|t| text::jaccard(&held, t)).fold(0.0, f64::max);
        assert!(highest < 0.7, "{highest}");
    }
}

#[test]
fn the_text_files_of_vsfc_and_its_parquet_give_the_same_rows() {
    let Some(data) = shared().map(|s| s.join("data")) else { return };
    let dir = tempfile::tempdir().unwrap();
    for (form, path) in [("text", "uit_vsfc"), ("parquet", "uit_vsfc/default")] {
        let sources = vec![source("uit-vsfc", Language::Vietnamese, SourceKind::Vsfc, path)];
        sentiment::run(&config(3000, 250, sources), &data, &dir.path().join(form), &options(42)).unwrap();
    }
    for file in ["train.parquet", "eval.parquet", "test.parquet", "pool.parquet", "rejected.parquet"] {
        let bytes = |form: &str| std::fs::read(dir.path().join(form).join(file)).unwrap();
        if file == "rejected.parquet" {
            continue; // its details name the files read
        }
        assert_eq!(bytes("text"), bytes("parquet"), "{file}");
    }
}

#[test]
fn the_editions_of_the_phrasebank_are_subsets_of_each_other_after_repair() {
    let Some(data) = shared().map(|s| s.join("data")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let texts = |file: &str| -> BTreeSet<String> {
        let out = dir.path().join(file);
        let sources =
            vec![source("bank", Language::English, SourceKind::Phrasebank, &format!("phrasebank/{file}.txt"))];
        sentiment::run(&config(1000, 100, sources), &data, &out, &options(42)).unwrap();
        let files = ["train", "eval", "pool"].map(|f| read_all::<Example>(&out.join(format!("{f}.parquet"))).unwrap());
        let all: BTreeSet<String> = files.iter().flatten().map(|e| e.text.clone()).collect();
        assert!(!all.iter().any(|t| t.contains('\u{fffd}') || t.contains("+ñ")));
        all
    };
    let (fifty, all_agree) = (texts("Sentences_50Agree"), texts("Sentences_AllAgree"));
    assert!(fifty.len() > 4000, "{}", fifty.len());
    assert!(fifty.iter().any(|t| t.starts_with("Clothing retail chain Seppälä's sales increased by 8%")));
    // Rows can be missing on either side only as near duplicates of evaluation rows.
    let foreign = all_agree.difference(&fifty).count();
    assert!(foreign < 60, "{foreign} of {} Latin-1 rows are not in the UTF-8 edition", all_agree.len());
}

fn bars(name: &str, symbol: Option<&str>) -> BarSource {
    BarSource { symbol: symbol.map(str::to_owned), ..BarSource::new(name, &format!("market/{name}.csv")) }
}

#[test]
fn every_real_price_series_and_the_news_come_in() {
    let Some(data) = shared().map(|s| s.join("data")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let news = NewsSource {
        name: "stockbench".into(),
        path: "news/stockbench_news.jsonl".into(),
        symbol: None,
        columns: NewsColumns::default(),
        time: TimeFormat::default(),
        news_delay_seconds: 60,
    };
    let config = MarketConfig {
        bars: vec![
            bars("btc_hourly", Some("BTCUSDT")),
            bars("eth_hourly", Some("ETHUSDT")),
            bars("sol_hourly", Some("SOLUSDT")),
            BarSource { availability: Availability::UsSession, ..bars("goog_daily", Some("GOOG")) },
            BarSource { availability: Availability::UsSession, ..bars("dj30_daily", None) },
            bars("btc_1m", Some("XBTUSD")),
        ],
        annotated: vec![AnnotatedSource::default(), AnnotatedSource::gold_full_table()],
        news: vec![news],
        ..MarketConfig::default()
    };
    let manifest = market::run(&config, &data, dir.path(), &options(42)).unwrap();
    let rows: Vec<Bar> = read_all(&dir.path().join("bars.parquet")).unwrap();
    assert_eq!(rows.len(), 3 * 26_279 + 2_148 + 2_998 + 45_031 + 276);
    let intervals = &manifest.facts["interval_seconds"];
    for (file, seconds) in [("btc_hourly.csv", 3600), ("goog_daily.csv", 86_400), ("btc_1m.csv", 60), ("gold.csv", 600)]
    {
        assert_eq!(intervals[file], seconds, "{file}");
    }
    let news: Vec<News> = read_all(&dir.path().join("news.parquet")).unwrap();
    let ids: BTreeSet<&str> =
        news.iter().filter(|n| n.source == "stockbench").filter_map(|n| n.id.split(':').next()).collect();
    assert_eq!(ids.len(), 4820);
    assert_eq!(news.iter().filter(|n| n.source == "gold.csv:summary").count(), 276);
    assert_eq!(news.iter().filter(|n| n.source == "gold_full_table.csv:news_batch_summary").count(), 1634);
    assert_eq!(manifest.facts["missing_cells"]["gold.csv:key_factors"], 1);
    assert_eq!(manifest.facts["missing_cells"]["gold_full_table.csv:next_news_prediction"], 1634, "`none` is nothing");

    // What a person found in these files by hand, the checks find.
    let findings: Vec<QualityFinding> = read_all(&dir.path().join("quality.parquet")).unwrap();
    let of = |check: &str, source: &str| {
        let found = findings.iter().filter(|f| f.check_name == check && f.source == source);
        found.collect::<Vec<_>>()
    };
    let shift = of("time-shift", "stockbench");
    assert_eq!((shift.len(), shift[0].value, shift[0].rows), (1, Some(8.0), 5256), "{shift:?}");
    assert_eq!(shift[0].level, artifacts::rows::AlertLevel::Warning, "it is repaired");
    for file in ["btc_hourly", "eth_hourly", "sol_hourly"] {
        let gap = of("gap", file);
        assert_eq!((gap.len(), gap[0].value), (1, Some(7200.0)), "{file}");
        assert_eq!(of("zero-volume", file).iter().map(|f| f.rows).sum::<u64>(), 1, "{file}");
    }
    let mut gaps: Vec<u64> = of("gap", "gold.csv").iter().map(|f| f.rows).collect();
    gaps.sort_unstable();
    assert_eq!(gaps, [&[1; 10][..], &[2]].concat());
    assert!(of("mixed-labels", "gold.csv")[0].message.contains("`PANIC` 157 times, `Panic` 1 times"));
    assert_eq!(of("short-series", "dj30_daily")[0].symbol, "SPY");
    for file in ["btc_1m", "btc_hourly", "goog_daily", "dj30_daily", "gold.csv"] {
        assert!(of("level-shift", file).is_empty() && of("unfinished-last", file).is_empty(), "{file}");
    }
}
