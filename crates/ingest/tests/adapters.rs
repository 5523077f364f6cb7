//! Exchanges and feeds behind a server that fails in every way that servers do.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{Bar, News, Rejected};
use artifacts::{Timestamp, read_all};
use common::{options, write};
use ingest::market::exchange::{Patience, RestSource, Shape};
use ingest::market::{BadBars, BarSource, FeedSource, MarketConfig, run};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Gives its answers in order, one a connection, and keeps the requests with the time they came at.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<(String, Instant)>>>,
}

impl Server {
    fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                seen.lock().unwrap().push((line, Instant::now()));
                if answer == "silence" {
                    std::thread::spawn(move || {
                        std::thread::sleep(Duration::from_secs(3));
                        drop(stream);
                    });
                } else {
                    stream.write_all(answer.as_bytes()).ok();
                }
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }
}

const DATE: &str = "Date: Mon, 01 Jan 2024 10:00:00 GMT\r\n";

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn ok(body: &str) -> String {
    answer("200 OK", DATE, body)
}

const START: i64 = 1_704_067_200; // 2024-01-01T00:00:00Z

fn binance(hours: impl Iterator<Item = i64>) -> String {
    let row = |h: i64| {
        format!(
            r#"[{},"10.5","12","9","{}","7.5",{},"1",3,"1","1","0"]"#,
            (START + h * 3600) * 1000,
            10 + h % 2,
            (START + h * 3600 + 3600) * 1000 - 1
        )
    };
    format!("[{}]", hours.map(row).collect::<Vec<_>>().join(","))
}

fn coinbase(hours: std::ops::Range<i64>) -> String {
    let row = |h: i64| format!("[{},9,12,10.5,{},7.5]", START + h * 3600, 10 + h % 2);
    format!("[{}]", hours.rev().map(row).collect::<Vec<_>>().join(","))
}

fn rest(server: &Server, shape: Shape, hours: i64) -> RestSource {
    RestSource {
        name: "ex".into(),
        url: server.url("/klines"),
        shape,
        symbol: "BTC".into(),
        remote_symbol: Some("BTCUSDT".into()),
        interval_seconds: 3600,
        start: Timestamp::from_seconds(START),
        end: Timestamp::from_seconds(START + hours * 3600),
        patience: Patience { timeout_seconds: 1.5, retries: 4, first_wait_seconds: 0.001, longest_wait_seconds: 5.0 },
    }
}

fn only_rest(source: RestSource) -> MarketConfig {
    MarketConfig { annotated: Vec::new(), rest: vec![source], ..MarketConfig::default() }
}

fn hours(out: &Path) -> Vec<i64> {
    let bars: Vec<Bar> = read_all(&out.join("bars.parquet")).unwrap();
    assert!(bars.iter().all(|b| b.available_at == b.event_at.plus_seconds(3600)));
    bars.iter().map(|b| (b.event_at.micros() / 1_000_000 - START) / 3600).collect()
}

#[test]
fn klines_are_fetched_page_by_page_without_the_unfinished_one_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    // The exchange has a gap at hours 4 and 5 and gives fewer rows than asked for; at 10:00 the candle of 10:00 is not over.
    let second = binance([3, 6, 7, 8, 9, 10].into_iter());
    let server = Server::start(vec![ok(&binance(0..3)), ok(&second), ok("[]")]);
    let config = only_rest(rest(&server, Shape::Binance, 12));
    run(&config, dir.path(), &dir.path().join("out"), &options(1)).unwrap();
    assert_eq!(hours(&dir.path().join("out")), [0, 1, 2, 3, 6, 7, 8, 9]);
    let requests = server.requests();
    assert!(
        requests[0].contains("symbol=BTCUSDT&interval=1h&startTime=1704067200000&endTime=1704110399999&limit=1000")
    );
    assert!(requests[1].contains("startTime=1704078000000"), "{requests:?}");

    // Nobody answers any more: the kept rows are the source.
    let again = run(&config, dir.path(), &dir.path().join("out"), &options(1)).unwrap();
    assert_eq!(again.facts["bars"], 8);
    std::fs::remove_file(dir.path().join("out/manifest.json")).unwrap();
    run(&config, dir.path(), &dir.path().join("out"), &options(1)).unwrap();
    assert_eq!(hours(&dir.path().join("out")).len(), 8);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn candles_newest_first_come_in_order_in_windows_of_three_hundred() {
    let dir = tempfile::tempdir().unwrap();
    let late = DATE.replace("01 Jan", "31 Jan");
    let page = |range| answer("200 OK", &late, &coinbase(range));
    let server = Server::start(vec![page(0..300), page(300..400)]);
    let source = RestSource { url: server.url("/products/BTC-USD/candles"), ..rest(&server, Shape::Coinbase, 400) };
    run(&only_rest(source), dir.path(), &dir.path().join("out"), &options(1)).unwrap();
    assert_eq!(hours(&dir.path().join("out")), (0..400).collect::<Vec<_>>());
    let bars: Vec<Bar> = read_all(&dir.path().join("out/bars.parquet")).unwrap();
    assert_eq!((bars[1].open, bars[1].high, bars[1].low, bars[1].close), (Some(10.5), Some(12.0), Some(9.0), 11.0));
    assert!(server.requests()[0].contains("granularity=3600&start=2024-01-01T00:00:00Z&end=2024-01-13T11:00:00Z"));
}

#[test]
fn a_refusal_for_load_is_waited_out_as_long_as_the_server_says() {
    let dir = tempfile::tempdir().unwrap();
    let busy = answer("429 Too Many Requests", "Retry-After: 1\r\n", r#"{"code":-1003,"msg":"Too many requests"}"#);
    let server = Server::start(vec![busy, ok(&binance(0..9))]);
    run(&only_rest(rest(&server, Shape::Binance, 9)), dir.path(), &dir.path().join("out"), &options(1)).unwrap();
    let times: Vec<Instant> = server.requests.lock().unwrap().iter().map(|(_, at)| *at).collect();
    assert!(times[1] - times[0] >= Duration::from_secs(1), "{:?}", times[1] - times[0]);
}

#[test]
fn faults_of_a_server_are_outlasted() {
    let dir = tempfile::tempdir().unwrap();
    let whole = ok(&binance(0..9));
    let faults = vec![
        answer("503 Service Unavailable", "", "busy"),
        // A gateway that calls its error page a success.
        answer("200 OK", DATE, "<!DOCTYPE html><html><title>Bad Gateway</title></html>"),
        // Half an answer, then the connection ends.
        whole[..whole.len() - 40].to_owned(),
        "silence".to_owned(),
        whole.clone(),
    ];
    let server = Server::start(faults);
    run(&only_rest(rest(&server, Shape::Binance, 9)), dir.path(), &dir.path().join("out"), &options(1)).unwrap();
    assert_eq!((hours(&dir.path().join("out")).len(), server.requests().len()), (9, 5));
}

#[test]
fn what_does_not_pass_is_an_error_that_names_the_address_the_status_and_the_reason() {
    let cases = [
        (
            vec![answer("400 Bad Request", "", r#"{"code":-1121,"msg":"Invalid symbol."}"#)],
            "answered 400 after 1 tries: {\"code\":-1121,\"msg\":\"Invalid symbol.\"}",
        ),
        (vec![answer("404 Not Found", "", "<html><title>Not here</title></html>")], "an HTML page `not here`"),
        (vec![ok("[[1704067200000,\"1\",\"2\",\"3\",\"4\",\"5\",0]]")], "leave the range"),
        (vec![ok("[]")], "no candle of BTCUSDT"),
        (vec![ok("{\"msg\":\"x\"}"); 5], "not a list of candles"),
        (vec![ok("[[1704067200000,\"one\"]]"); 5], "candle 0: open is \"one\", not a number"),
        (vec!["silence".to_owned(); 2], "nothing came within 1.5 s"),
    ];
    for (answers, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        let silent = answers.first().is_some_and(|a| a == "silence");
        let server = Server::start(answers);
        let mut source = RestSource { url: server.url("/klines?key=secret"), ..rest(&server, Shape::Binance, 9) };
        if silent {
            source.patience.retries = 1;
        }
        let message =
            run(&only_rest(source), dir.path(), &dir.path().join("out"), &options(1)).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains("/klines:") && !message.contains("secret"), "{message}");
        assert!(!dir.path().join("out/cache").join("ex.parquet").exists());
    }
}

const RSS: &str = r#"<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>News</title>
<item><guid isPermaLink="false">g1</guid><title>Bitcoin rises</title><description>&lt;p&gt;The &lt;b&gt;coin&lt;/b&gt; gained 5 &amp;amp; more.&lt;/p&gt;</description><pubDate>Mon, 01 Jan 2024 08:00:00 +0100</pubDate></item>
<item><guid>g2</guid><title>Ether and bitcoin fall</title><description>Both.</description><pubDate>Mon, 01 Jan 2024 09:00:00 GMT</pubDate></item>
<item><guid>g1</guid><title>Bitcoin rises</title><description>again</description><pubDate>Mon, 01 Jan 2024 08:00:00 +0100</pubDate></item>
<item><guid>g3</guid><title>Bitcoins are no keyword</title><pubDate>Mon, 01 Jan 2024 09:00:00 GMT</pubDate></item>
<item><guid>g4</guid><title>Bitcoin without a date</title></item>
<item><guid>g5</guid><title></title><description>&lt;img src="x"&gt;</description><pubDate>Mon, 01 Jan 2024 09:00:00 GMT</pubDate></item>
</channel></rss>"#;

const ATOM: &str = r#"<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><id>f</id><updated>2024-01-02T00:00:00Z</updated>
<entry><id>a1</id><title>Rates stay</title><published>2024-01-01T10:00:00Z</published><updated>2024-01-01T12:30:00Z</updated>
<content type="html">&lt;p&gt;Rates stay&lt;/p&gt;&lt;script&gt;track()&lt;/script&gt; where they are.</content></entry></feed>"#;

fn feed(path: &str) -> FeedSource {
    FeedSource {
        name: "wire".into(),
        path: path.into(),
        symbol: Some("X".into()),
        keywords: std::collections::BTreeMap::new(),
        news_delay_seconds: 30,
        patience: Patience { retries: 2, first_wait_seconds: 0.001, ..Patience::default() },
    }
}

fn with_feed(dir: &Path, feed: FeedSource) -> MarketConfig {
    write(&dir.join("x.csv"), "date,close\n2024-01-01 00:00,1\n2024-01-01 01:00,2\n");
    let bars = vec![BarSource { symbol: Some("X".into()), ..BarSource::new("x", "x.csv") }];
    MarketConfig { annotated: Vec::new(), bars, feeds: vec![feed], ..MarketConfig::default() }
}

#[test]
fn a_feed_becomes_news_by_keyword_without_its_html() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("rss.xml"), RSS);
    let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let keywords = [("BTC", words(&["bitcoin", "btc"])), ("ETH", words(&["ether"]))];
    let keywords = keywords.into_iter().map(|(s, w)| (s.to_owned(), w)).collect();
    let source = FeedSource { symbol: None, keywords, ..feed("rss.xml") };
    let out = dir.path().join("out");
    run(&with_feed(dir.path(), source), dir.path(), &out, &options(1)).unwrap();
    let news: Vec<News> = read_all(&out.join("news.parquet")).unwrap();
    let ids: Vec<&str> = news.iter().map(|n| n.id.as_str()).collect();
    assert_eq!(ids, ["g1:BTC", "g2:BTC", "g2:ETH"]);
    assert_eq!(news[0].text, "Bitcoin rises. The coin gained 5 & more.");
    assert_eq!(news[0].event_at.to_string(), "2024-01-01T07:00:00Z");
    assert_eq!(news[0].available_at.to_string(), "2024-01-01T07:00:30Z");
    let rejected: Vec<Rejected> = read_all(&out.join("rejected.parquet")).unwrap();
    let reasons: Vec<(u64, &str)> = rejected.iter().map(|r| (r.row, r.reason.as_str())).collect();
    assert_eq!(reasons, [(2, "duplicate-id"), (3, "no-symbol"), (4, "no-time"), (5, "empty-text")]);
}

#[test]
fn an_updated_item_is_available_only_after_its_update() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(vec![answer("502 Bad Gateway", "", "<html><title>x</title>"), ok(ATOM)]);
    let config = with_feed(dir.path(), feed(&server.url("/feed.atom?token=t")));
    let out = dir.path().join("out");
    run(&config, dir.path(), &out, &options(1)).unwrap();
    let news: Vec<News> = read_all(&out.join("news.parquet")).unwrap();
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].text, "Rates stay. Rates stay where they are.");
    assert_eq!(news[0].event_at.to_string(), "2024-01-01T10:00:00Z");
    assert_eq!(news[0].available_at.to_string(), "2024-01-01T12:30:30Z");
    // Kept: the same again without the server.
    let before = std::fs::read(out.join("news.parquet")).unwrap();
    std::fs::remove_file(out.join("manifest.json")).unwrap();
    run(&config, dir.path(), &out, &options(1)).unwrap();
    assert_eq!(std::fs::read(out.join("news.parquet")).unwrap(), before);
}

#[test]
fn a_file_that_is_no_feed_is_named_with_what_to_give() {
    let dir = tempfile::tempdir().unwrap();
    for content in ["{}", "<html><body>404</body></html>", "<rss><channel><item>"] {
        write(&dir.path().join("f.xml"), content);
        let config = with_feed(dir.path(), feed("f.xml"));
        let message = run(&config, dir.path(), &dir.path().join("out"), &options(1)).unwrap_err().to_string();
        assert!(message.contains("f.xml"), "{content}: {message}");
    }
    let config = with_feed(dir.path(), feed("missing.xml"));
    let message = run(&config, dir.path(), &dir.path().join("out"), &options(1)).unwrap_err().to_string();
    assert!(message.contains("missing.xml: no such file"), "{message}");
}

#[test]
fn bad_bars_are_refused_with_a_finding_where_the_settings_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "date,open,high,low,close\n2025-01-01 00:00,1,2,1,1\n2025-01-01 00:00,1,2,1,1\n2025-01-01 01:00,1,2,1.5,1\n\
        2025-01-01 02:00,1,2,1,one\n2025-01-01 03:00,1,2,1,2\n2025-01-01 01:30,1,2,1,2\nsoon,1,2,1,2\n2025-01-01 04:00,1,2,1,2\n";
    write(&dir.path().join("x.csv"), rows);
    let mut bars = BarSource { symbol: Some("X".into()), ..BarSource::new("x", "x.csv") };
    bars.bar_interval_seconds = Some(3600);
    bars.taken_at = Some("2025-01-01T04:30:00Z".parse().unwrap());
    let config =
        MarketConfig { annotated: Vec::new(), bars: vec![bars], bad_bars: BadBars::Refuse, ..MarketConfig::default() };
    let out = dir.path().join("out");
    let manifest = run(&config, dir.path(), &out, &options(1)).unwrap();
    assert_eq!(read_all::<Bar>(&out.join("bars.parquet")).unwrap().len(), 2);
    assert_eq!((manifest.rows_in, manifest.rows_kept), (8, 2));
    let findings: Vec<artifacts::rows::QualityFinding> = read_all(&out.join("quality.parquet")).unwrap();
    let checks: Vec<(&str, u64)> = findings.iter().map(|f| (f.check_name.as_str(), f.rows)).collect();
    assert_eq!(
        checks,
        [
            ("bad-price", 2),
            ("duplicate", 1),
            ("gap", 2),
            ("out-of-order", 1),
            ("unfinished-last", 1),
            ("unreadable", 1)
        ]
    );
    assert!(findings[1].message.contains("row 1:") && findings[1].message.contains("also in row 0"));
}
