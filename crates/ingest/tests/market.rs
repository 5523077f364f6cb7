//! From small files of prices and news to rows with two times.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{Bar, News, Observation, QualityFinding, Rejected};
use artifacts::{Timeline, Timestamp, read_all};
use common::{options, write};
use ingest::market::{
    AnnotatedSource, Availability, BarSource, MarketConfig, NewsColumns, NewsSource, TimeFormat, run,
};
use std::path::Path;

fn bars(path: &str) -> BarSource {
    BarSource { symbol: Some("X".into()), ..BarSource::new(path, path) }
}

fn news(path: &str) -> NewsSource {
    NewsSource {
        name: path.into(),
        path: path.into(),
        symbol: None,
        columns: NewsColumns::default(),
        time: TimeFormat::default(),
        news_delay_seconds: 60,
    }
}

fn only_bars(bars: Vec<BarSource>, news: Vec<NewsSource>) -> MarketConfig {
    MarketConfig { bars, annotated: Vec::new(), news, ..MarketConfig::default() }
}

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const PRICES: &str = "date,open,high,low,close,volume\n\
    2025-01-01 00:00:00,10,12,9,11,100\n2025-01-01 01:00:00,11,13,10,12,0\n2025-01-01 02:00:00,12,12,11,11.5,\n\
    2025-01-01 04:00:00,11.5,12,11,11.7,7\n";

#[test]
fn a_bar_is_available_when_its_interval_is_over() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("x.csv"), PRICES);
    let out = dir.path().join("out");
    let manifest = run(&only_bars(vec![bars("x.csv")], vec![]), dir.path(), &out, &options(1)).unwrap();
    assert_eq!(manifest.facts["interval_seconds"]["x.csv"], 3600, "one gap does not change the interval");
    let bars: Vec<Bar> = read_all(&out.join("bars.parquet")).unwrap();
    assert_eq!((bars[0].event_at, bars[0].available_at), (t("2025-01-01T00:00:00Z"), t("2025-01-01T01:00:00Z")));
    assert_eq!((bars[1].volume, bars[2].volume), (Some(0.0), None));
    assert!(read_all::<News>(&out.join("news.parquet")).unwrap().is_empty());
}

#[test]
fn unnamed_dates_capital_names_and_symbol_columns_are_understood() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("daily.csv"), ",Open,High,Low,Close,Volume\n2004-08-19,1,2,1,2,5\n2004-08-20,2,2,1,1,5\n");
    write(
        &dir.path().join("many.csv"),
        "symbol,date,close\nB,2024-01-02,5\nB,2024-01-03,6\nA,2024-01-02,1\nA,2024-01-03,2\n",
    );
    let mut many = bars("many.csv");
    many.symbol = None;
    let out = dir.path().join("out");
    run(&only_bars(vec![bars("daily.csv"), many], vec![]), dir.path(), &out, &options(1)).unwrap();
    let bars: Vec<Bar> = read_all(&out.join("bars.parquet")).unwrap();
    let symbols: Vec<&str> = bars.iter().map(|b| b.symbol.as_str()).collect();
    assert_eq!(symbols, ["A", "A", "B", "B", "X", "X"]);
    assert_eq!(bars[5].available_at, t("2004-08-21"));
}

#[test]
fn a_wrong_bar_names_the_file_the_row_and_the_remedy() {
    let head = "date,open,high,low,close\n2025-01-01,1,2,1,1\n";
    let cases = [
        ("2025-01-01,1,2,1,1\n", "there twice", "remove one"),
        ("2024-12-31,1,2,1,1\n", "comes after", "sort the file"),
        ("2025-01-02,1,2,1,NaN\n", "close is NaN", "correct or remove"),
        ("2025-01-02,1,2,1,-4\n", "close is -4", "correct or remove"),
        ("2025-01-02,1,2,1,\n", "close is missing", "correct or remove"),
        ("2025-01-02,1,2,1,one\n", "`one`, not a number", "correct or remove"),
        ("2025-01-02,1,2,1.5,1\n", "leave the range", "correct or remove"),
        ("soon,1,2,1,1\n", "`soon` is not a time", "time.pattern"),
        ("2025-01-02,1,2\n", "wrong-field-count", "correct or remove"),
    ];
    for (row, what, remedy) in cases {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("p.csv"), format!("{head}{row}"));
        let config = only_bars(vec![bars("p.csv")], vec![]);
        let message = run(&config, dir.path(), &dir.path().join("out"), &options(1)).unwrap_err().to_string();
        assert!(message.contains("p.csv: row 1: ") && message.contains(what) && message.contains(remedy), "{message}");
        assert!(!dir.path().join("out/bars.parquet").exists());
    }
}

const GOLD: &str = ",datetime,close,mvrv_btc_momentum,spot_volume_daily_sum,Signal,summary,next_news_prediction,sentiment,index,key_factors,dominant_emotions,dominant_sentiment,intensity,psychology_explanation\r\n\
0,2/24/2025 0:00,100,-0.1,5,1,Gold up,Next up,Greed,60,a,b,PANIC,7,calm\r\n\
1,2/24/2025 0:10,101,-0.2,5,-1,Gold down,Next down,,,,,Panic,7,nervous\r\n\
2,2/24/2025 0:30,102,-0.3,5,1,\"Gold, flat\",Next flat,Fear,40,c,d,FEAR,6,bored\r\n\
3,2/24/2025 0:40,103,-0.4,5,1,End,Last,Fear,41,c,d,FEAR,6,tired\r\n";

#[test]
fn annotated_rows_are_known_no_earlier_than_they_could_be() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("gold/gold.csv"), GOLD);
    let out = dir.path().join("out");
    let manifest = run(&MarketConfig::default(), dir.path(), &out, &options(1)).unwrap();
    assert_eq!(manifest.facts["interval_seconds"]["gold.csv"], 600);
    assert_eq!(manifest.facts["missing_cells"], serde_json::json!({"gold.csv:index": 1, "gold.csv:key_factors": 1}));

    let bars: Vec<Bar> = read_all(&out.join("bars.parquet")).unwrap();
    assert_eq!(bars[0].event_at, t("2025-02-24T05:00:00Z"), "EST");
    let news: Vec<News> = read_all(&out.join("news.parquet")).unwrap();
    let of = |source: &str| news.iter().find(|n| n.source == source).unwrap().available_at;
    assert_eq!(of("gold.csv:summary"), t("2025-02-24T05:10:00Z"));
    assert_eq!(of("gold.csv:next_news_prediction"), t("2025-02-24T05:20:00Z"));
    let observations: Vec<Observation> = read_all(&out.join("observations.parquet")).unwrap();
    let signals: Vec<&Observation> = observations.iter().filter(|o| o.name == "signal").collect();
    assert_eq!(signals[1].event_at, t("2025-02-24T05:10:00Z"));
    assert_eq!(signals[1].available_at, t("2025-02-24T05:40:00Z"), "when the bar after the gap has closed");
    assert_eq!(signals[3].available_at, t("2025-02-24T06:00:00Z"));
    assert_eq!(observations.iter().filter(|o| o.name == "dominant_sentiment=panic").count(), 2);

    // The firewall sees nothing of a row before its interval is over.
    let timeline = Timeline::new(news).unwrap();
    assert!(timeline.as_of(t("2025-02-24T05:09:59Z")).is_empty());
    assert_eq!(timeline.as_of(t("2025-02-24T05:10:00Z")).len(), 3);
}

#[test]
fn two_schemas_of_news_in_one_file_are_read_and_repeated_items_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("x.csv"), PRICES);
    let lines = [
        r#"{"id": 7, "title": "A rises", "description": "A rises", "published_utc": "2024-12-31T08:01:00", "datetime": 1735603260, "related_symbols": ["A"]}"#,
        r#"{"id": 7, "title": "A rises", "description": "A rises", "published_utc": "2024-12-31T08:01:00", "datetime": 1735603260, "related_symbols": ["X"]}"#,
        r#"{"id": 7, "title": "A rises", "description": "", "published_utc": "2024-12-31T08:01:00", "datetime": 1735603260, "related_symbols": ["A"]}"#,
        r#"{"id": "p", "title": "Big data?", "description": "A report &amp; more.", "published_utc": "2024-12-31T10:52:00Z", "tickers": ["X", "B"]}"#,
        r#"{"id": "q", "title": "", "description": null, "published_utc": "2024-12-31T10:52:00Z", "tickers": ["X"]}"#,
        r#"{"id": "r", "title": "No time", "tickers": ["X"]}"#,
        r"{broken",
    ];
    write(&dir.path().join("news.jsonl"), lines.join("\n"));
    let out = dir.path().join("out");
    run(&only_bars(vec![bars("x.csv")], vec![news("news.jsonl")]), dir.path(), &out, &options(1)).unwrap();
    let items: Vec<News> = read_all(&out.join("news.parquet")).unwrap();
    let ids: Vec<&str> = items.iter().map(|n| n.id.as_str()).collect();
    assert_eq!(ids, ["7:A", "p:B", "7:X", "p:X"]);
    assert_eq!(items[0].event_at, t("2024-12-31T00:01:00Z"), "the epoch wins over the shifted text");
    assert_eq!(items[0].available_at, t("2024-12-31T00:02:00Z"));
    assert_eq!((items[0].text.as_str(), items[1].text.as_str()), ("A rises", "Big data? A report & more."));
    let reasons: Vec<String> =
        read_all::<Rejected>(&out.join("rejected.parquet")).unwrap().into_iter().map(|r| r.reason).collect();
    assert_eq!(reasons, ["duplicate-id", "empty-text", "no-time", "invalid-json"]);

    let config =
        MarketConfig { only_symbols_with_bars: true, ..only_bars(vec![bars("x.csv")], vec![news("news.jsonl")]) };
    let manifest = run(&config, dir.path(), &out, &options(1)).unwrap();
    assert_eq!(manifest.rows_rejected["symbol-without-bars"], 2);
}

#[test]
fn a_daily_bar_of_new_york_is_seen_from_its_close_on_and_not_from_midnight() {
    let dir = tempfile::tempdir().unwrap();
    write(
        &dir.path().join("d.csv"),
        "symbol,date,open,high,low,close,volume,vwap\nA,2025-03-06,1,2,1,2,5,1.5\nA,2025-03-07,2,2,1,1,5,1.5\nA,2025-03-10,1,2,1,2,5,1.5\n\
            B,2025-03-10,1,2,1,2,5,1.5\n",
    );
    let leave_out = vec!["B".to_owned()];
    let source = BarSource { symbol: None, availability: Availability::UsSession, leave_out, ..bars("d.csv") };
    let out = dir.path().join("out");
    let manifest = run(&only_bars(vec![source], vec![]), dir.path(), &out, &options(1)).unwrap();
    assert_eq!((manifest.rows_in, manifest.rows_rejected["left-out"]), (4, 1));
    let timeline = Timeline::new(read_all::<Bar>(&out.join("bars.parquet")).unwrap()).unwrap();
    let known = |time: &str| timeline.as_of(t(time)).len();
    // Winter time on Friday, summer time on Monday.
    assert_eq!(
        (known("2025-03-07T00:00:00Z"), known("2025-03-07T20:59:59Z"), known("2025-03-07T21:00:00Z")),
        (1, 1, 2)
    );
    assert_eq!((known("2025-03-10T19:59:59Z"), known("2025-03-10T20:00:00Z")), (2, 3));
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("a daily bar at 16:00 New York"), "the rule is told");
}

const TABLE: &str = "datetime_est,news_batch_summary,news_sentiment,fg_key_factors,next_news_prediction,rsi,fg_label\n\
    2025-02-24 00:00:00,\"Up, they say\",\"['Caution', 'Hope']\",\"['It rises', \"\"It won't last.\"\", nan]\",none,41.5,Fear\n\
    2025-02-24 00:20:00,Down,\"['caution']\",[],none,,FEAR\n";

#[test]
fn a_table_without_prices_gives_news_and_numbers_and_no_bars() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("gold/gold_full_table.csv"), TABLE);
    write(&dir.path().join("x.csv"), PRICES);
    let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let table = AnnotatedSource {
        news: names(&["news_batch_summary", "fg_key_factors"]),
        observations: names(&["rsi"]),
        categories: names(&["news_sentiment", "fg_label"]),
        ..AnnotatedSource::gold_full_table()
    };
    let config = MarketConfig { annotated: vec![table], ..only_bars(vec![bars("x.csv")], vec![]) };
    let out = dir.path().join("out");
    run(&config, dir.path(), &out, &options(1)).unwrap();
    assert_eq!(read_all::<Bar>(&out.join("bars.parquet")).unwrap().len(), 4);
    let news: Vec<News> = read_all(&out.join("news.parquet")).unwrap();
    let texts: Vec<(&str, &str)> =
        news.iter().map(|n| (n.source.split_once(':').unwrap().1, n.text.as_str())).collect();
    let expected = [
        ("fg_key_factors", "It rises. It won't last."),
        ("news_batch_summary", "Up, they say"),
        ("news_batch_summary", "Down"),
    ];
    assert_eq!(texts, expected);
    assert_eq!((news[0].event_at, news[0].available_at), (t("2025-02-24T05:00:00Z"), t("2025-02-24T05:10:00Z")));
    let observed: Vec<Observation> = read_all(&out.join("observations.parquet")).unwrap();
    let names: Vec<&str> = observed.iter().map(|o| o.name.as_str()).collect();
    let first = ["fg_label=fear", "news_sentiment=caution", "news_sentiment=hope", "rsi"];
    assert_eq!(names, [&first[..], &["fg_label=fear", "news_sentiment=caution"]].concat());
    let findings: Vec<QualityFinding> = read_all(&out.join("quality.parquet")).unwrap();
    let mixed: Vec<&str> =
        findings.iter().filter(|f| f.check_name == "mixed-labels").map(|f| f.message.as_str()).collect();
    assert_eq!(mixed.len(), 2, "{mixed:?}");
    let empty: Vec<(&str, u64)> =
        findings.iter().filter(|f| f.check_name == "missing-cells").map(|f| (f.symbol.as_str(), f.rows)).collect();
    assert_eq!(empty, [("fg_key_factors", 1), ("next_news_prediction", 2), ("rsi", 1)]);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("gold/gold.csv"), GOLD);
    for folder in ["a", "b"] {
        run(&MarketConfig::default(), dir.path(), &dir.path().join(folder), &options(1)).unwrap();
    }
    let bytes = |folder: &str, file: &str| std::fs::read(dir.path().join(folder).join(file)).unwrap();
    for file in [
        "bars.parquet",
        "news.parquet",
        "observations.parquet",
        "quality.parquet",
        "rejected.parquet",
        "report.html",
        "manifest.json",
    ] {
        assert_eq!(bytes("a", file), bytes("b", file), "{file}");
    }
}

#[test]
fn missing_columns_and_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("x.csv"), "date,price\n2025-01-01,1\n");
    write(&dir.path().join("empty.csv"), "date,close\n");
    let message =
        |config: MarketConfig| run(&config, dir.path(), &dir.path().join("out"), &options(1)).unwrap_err().to_string();
    assert!(message(only_bars(vec![bars("x.csv")], vec![])).contains("no column `close`; it has date, price"));
    assert!(message(only_bars(vec![bars("empty.csv")], vec![])).contains("empty.csv: it has no rows"));
    assert!(
        message(MarketConfig { annotated: vec![AnnotatedSource::default()], ..only_bars(vec![], vec![]) })
            .contains("gold.csv")
    );
    assert!(message(only_bars(vec![], vec![])).contains("name at least one"));
    let _: &Path = dir.path();
}

#[test]
fn a_threshold_that_finds_nothing_is_refused_before_anything_is_read() {
    type Change = fn(&mut MarketConfig);
    let dir = tempfile::tempdir().unwrap();
    let changes: [(&str, Change); 9] = [
        ("source `x.csv`: setting time.utc_offset_hours is 99; give", |c| c.bars[0].time.utc_offset_hours = 99.0),
        ("time.utc_offset_hours is NaN", |c| c.bars[0].time.utc_offset_hours = f64::NAN),
        ("bar_interval_seconds is -60", |c| c.bars[0].bar_interval_seconds = Some(-60)),
        ("quality.level_window is 0", |c| c.quality.level_window = 0),
        ("quality.flat_bars is", |c| c.quality.flat_bars = usize::MAX),
        ("quality.outlier_z is NaN; give a number above 0", |c| c.quality.outlier_z = f64::NAN),
        ("quality.level_factor is 1; give a number above 1", |c| c.quality.level_factor = 1.0),
        ("quality.shift_share is 1.5; give a number from 0 to 1", |c| c.quality.shift_share = 1.5),
        ("quality.short_share is -1", |c| c.quality.short_share = -1.0),
    ];
    for (words, change) in changes {
        let mut config = only_bars(vec![bars("x.csv")], vec![]);
        change(&mut config);
        let out = dir.path().join("out");
        let message = run(&config, dir.path(), &out, &options(1)).unwrap_err().to_string();
        assert!(message.contains(words) && !out.exists(), "{message}");
    }
}

#[test]
fn an_epoch_beyond_the_year_9999_is_no_time_and_damaged_lines_are_no_columns() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("x.csv"), PRICES);
    let config = only_bars(vec![bars("x.csv")], vec![news("n.jsonl")]);
    let out = dir.path().join("out");
    write(
        &dir.path().join("n.jsonl"),
        "{\"id\":\"far\",\"symbol\":\"X\",\"epoch\":1e300,\"title\":\"a\"}\n\
         {\"id\":\"near\",\"symbol\":\"X\",\"epoch\":1735689600,\"title\":\"b\"}\n",
    );
    run(&config, dir.path(), &out, &options(1)).unwrap();
    let kept: Vec<News> = read_all(&out.join("news.parquet")).unwrap();
    assert_eq!(kept.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(), ["near"]);
    let refused: Vec<Rejected> = read_all(&out.join("rejected.parquet")).unwrap();
    assert_eq!((refused.len(), refused[0].reason.as_str()), (1, "bad-time"));
    write(&dir.path().join("n.jsonl"), "\0\0\0\n[1, 2]\n");
    let message = run(&config, dir.path(), &out, &options(1)).unwrap_err().to_string();
    assert!(message.contains("n.jsonl") && message.contains("no row is a JSON object"), "{message}");
}

#[test]
fn a_name_with_a_line_break_does_not_break_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut source = bars("missing.csv");
    source.name = "x\n2026 INFO all is well\u{1b}[2J".into();
    let message = run(&only_bars(vec![source], vec![]), dir.path(), &dir.path().join("out"), &options(1));
    let message = message.unwrap_err().to_string();
    assert!(message.contains(r"`x\n2026 INFO all is well\u{1b}[2J`"), "{message}");
    assert!(!message.contains(char::is_control), "{message}");
}
