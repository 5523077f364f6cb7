//! A stream followed through every fault gives the bars of the file that it replays.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use artifacts::rows::{Bar, Rejected};
use artifacts::{Seed, Timestamp, read_all};
use common::{options, shared};
use ingest::market::exchange::{Patience, Shape};
use ingest::market::stream::{
    EventLog, Faults, FollowConfig, Followed, ReplayConfig, ReplayServer, Speaks, follow, read_log, segments, serve,
};
use ingest::market::{self, BarSource, MarketConfig};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A walk of `n` minutes; prices with cents, volumes with many digits.
fn walk(n: i64) -> Vec<Bar> {
    let (mut state, mut price) = (7_u64, 10_000_i64);
    let mut draw = move |n: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % n.cast_unsigned()).cast_signed()
    };
    let start: Timestamp = "2024-03-01T00:00:00Z".parse().unwrap();
    (0..n)
        .map(|i| {
            let open = price;
            price += draw(41) - 20;
            let (high, low) = (open.max(price) + draw(5), open.min(price) - draw(5));
            let event_at = start.plus_seconds(60 * i);
            Bar {
                symbol: "X".into(),
                event_at,
                available_at: event_at.plus_seconds(60),
                open: Some(open as f64 / 100.0),
                high: Some(high as f64 / 100.0),
                low: Some(low as f64 / 100.0),
                close: price as f64 / 100.0,
                volume: Some(draw(1_000_000) as f64 / 7.0),
            }
        })
        .collect()
}

fn replay(bars: &[Bar], speaks: Speaks, faults: Faults, seed: u64) -> ReplayServer {
    let config = ReplayConfig {
        bars: bars.to_vec(),
        symbol: "XUSDT".into(),
        interval_seconds: 60,
        speaks,
        faults,
        seed: Seed(seed),
        delay: Duration::ZERO,
    };
    serve(config, 0).unwrap()
}

fn settings(server: &ReplayServer, bars: &[Bar]) -> FollowConfig {
    FollowConfig {
        url: server.url(),
        rest: Some(server.rest_url()),
        symbol: bars[0].symbol.clone(),
        remote_symbol: Some("XUSDT".into()),
        start: Some(bars[0].event_at),
        patience: Patience { first_wait_seconds: 0.001, ..Patience::default() },
        ..FollowConfig::default()
    }
}

fn ended(followed: Followed) -> ingest::market::stream::End {
    match followed {
        Followed::Ended(end) => end,
        Followed::AlreadyComplete(_) => panic!("it was complete before"),
    }
}

#[test]
fn whatever_breaks_the_log_holds_every_bar_once_and_unchanged() {
    let bars = walk(4000);
    for (speaks, shape) in [
        (Speaks::Klines, Shape::Binance),
        (Speaks::Trades, Shape::Binance),
        (Speaks::Matches, Shape::Coinbase),
        (Speaks::Candles, Shape::Coinbase),
    ] {
        for (faults, seed) in [(Faults::default(), 1), (Faults::ALL, 2), (Faults::ALL, 3)] {
            let dir = tempfile::tempdir().unwrap();
            let server = replay(&bars, speaks, faults, seed);
            let config = FollowConfig { rest_shape: shape, ..settings(&server, &bars) };
            let end = ended(follow(&config, dir.path()).unwrap());
            let what = format!("{speaks:?} {faults:?} {:?}", end.counts);
            assert!(read_log(dir.path()).unwrap() == bars, "{what}");
            assert_eq!((end.bars, end.segments), (4000, 8), "{what}");
            assert_eq!((end.counts.written, end.counts.holes), (4000, 0), "{what}");
            if faults == Faults::ALL {
                let c = end.counts;
                assert!(c.reconnects > 0 && c.refused > 0 && c.backfilled > 0, "{what}");
                // A state of a candle that comes twice says nothing new, and trades are put in order before they are bars.
                assert!(speaks == Speaks::Candles || c.duplicates > 0, "{what}");
                assert!(speaks != Speaks::Klines || c.reordered > 0, "{what}");
            }
            assert!(matches!(follow(&config, dir.path()), Ok(Followed::AlreadyComplete(e)) if e == end));
        }
    }
}

#[test]
fn without_rest_what_is_lost_is_a_hole_and_what_is_too_late_is_kept_as_rejected() {
    let bars = walk(4000);
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults { late: true, gaps: true, duplicates: true, ..Faults::default() };
    let server = replay(&bars, Speaks::Klines, faults, 5);
    let config = FollowConfig { rest: None, lateness_seconds: Some(180), ..settings(&server, &bars) };
    let end = ended(follow(&config, dir.path()).unwrap());
    let written = read_log(dir.path()).unwrap();
    let rejected: Vec<Rejected> = read_all(&dir.path().join("rejected-000001.parquet")).unwrap();
    let late = rejected.iter().filter(|r| r.reason == "late").count() as u64;
    assert!(late > 10 && end.counts.reordered > 10 && end.counts.duplicates > 10, "{:?}", end.counts);
    assert_eq!(written.len() as u64 + end.counts.holes, 4000);
    let distinct: std::collections::BTreeSet<&str> = rejected.iter().map(|r| r.raw_label.as_str()).collect();
    for bar in bars.iter().filter(|b| distinct.contains(b.event_at.to_string().as_str())) {
        assert!(!written.iter().any(|w| w.event_at == bar.event_at), "{} is both written and rejected", bar.event_at);
    }
    assert!(written.iter().all(|w| bars.contains(w)), "no bar is altered");
}

#[test]
fn a_log_belongs_to_one_symbol_and_a_missing_segment_is_named() {
    let bars = walk(1200);
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = EventLog::open(dir.path(), "X", 60, 500).unwrap();
    log.append(bars.clone()).unwrap();
    log.flush().unwrap();
    assert_eq!(segments(dir.path()).unwrap().len(), 3);
    let message = EventLog::open(dir.path(), "Y", 60, 500).unwrap_err().to_string();
    assert!(message.contains("the log of X every 60 s, not of Y"), "{message}");
    std::fs::remove_file(dir.path().join("bars-000002.parquet")).unwrap();
    let message = EventLog::open(dir.path(), "X", 60, 500).unwrap_err().to_string();
    assert!(message.contains("bars-000002.parquet is missing"), "{message}");
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_asked_for() {
    type Change = fn(&mut FollowConfig);
    let dir = tempfile::tempdir().unwrap();
    let changes: [(&str, Change); 9] = [
        ("600 seconds is no interval of this exchange", |c| c.interval_seconds = 600),
        ("patience.timeout_seconds is NaN", |c| c.patience.timeout_seconds = f64::NAN),
        ("patience.first_wait_seconds is -1", |c| c.patience.first_wait_seconds = -1.0),
        ("idle_seconds is NaN", |c| c.idle_seconds = f64::NAN),
        ("segment_bars is 0", |c| c.segment_bars = 0),
        ("connects is 4294967295", |c| c.connects = u32::MAX),
        ("lateness_seconds is -1", |c| c.lateness_seconds = Some(-1)),
        ("patience.retries is 4294967295", |c| c.patience.retries = u32::MAX),
        ("flush_seconds is 0", |c| c.flush_seconds = 0.0),
    ];
    for (words, change) in changes {
        let (url, rest) = ("ws://127.0.0.1:9/".to_owned(), Some("http://127.0.0.1:9/".to_owned()));
        let mut config = FollowConfig { url, rest, symbol: "X".into(), ..FollowConfig::default() };
        change(&mut config);
        let log = dir.path().join("log");
        let message = follow(&config, &log).unwrap_err().to_string();
        assert!(message.contains(words) && message.contains("; give"), "{message}");
        assert!(!log.exists(), "{message}");
    }
}

#[test]
fn a_complete_log_that_lost_a_segment_is_not_called_complete() {
    let bars = walk(1200);
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = EventLog::open(dir.path(), "X", 60, 500).unwrap();
    log.append(bars).unwrap();
    log.end(ingest::market::stream::Counts::default()).unwrap();
    let config = FollowConfig { url: "ws://127.0.0.1:9/".into(), symbol: "X".into(), ..FollowConfig::default() };
    assert!(matches!(follow(&config, dir.path()).unwrap(), Followed::AlreadyComplete(end) if end.segments == 3));
    let segment = dir.path().join("bars-000002.parquet");
    let whole = std::fs::read(&segment).unwrap();
    for torn in [&whole[..whole.len() / 2], &[], b"PAR1 is what it begins with"] {
        std::fs::write(&segment, torn).unwrap();
        let message = follow(&config, dir.path()).unwrap_err().to_string();
        assert!(message.contains("bars-000002.parquet: this segment of a log that ended is damaged"), "{message}");
        assert!(message.contains("remove this one to begin anew"), "{message}");
    }
    std::fs::copy(dir.path().join("bars-000003.parquet"), &segment).unwrap();
    let message = follow(&config, dir.path()).unwrap_err().to_string();
    assert!(message.contains("ended with 1200 bars, there are 900"), "{message}");
    std::fs::write(&segment, whole).unwrap();
    assert!(matches!(follow(&config, dir.path()).unwrap(), Followed::AlreadyComplete(end) if end.segments == 3));
    std::fs::remove_file(dir.path().join("bars-000003.parquet")).unwrap();
    let message = follow(&config, dir.path()).unwrap_err().to_string();
    assert!(message.contains("end.json") && message.contains("3 segments, there are 2"), "{message}");
}

/// A stream that says these messages and ends.
fn saying(messages: Vec<String>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let Ok(mut socket) = tungstenite::accept(listener.accept().unwrap().0) else { return };
        for message in messages {
            socket.send(tungstenite::Message::text(message)).unwrap();
        }
        let code = tungstenite::protocol::frame::coding::CloseCode::Normal;
        let frame = tungstenite::protocol::CloseFrame { code, reason: "end of stream".into() };
        socket.close(Some(frame)).unwrap();
        while socket.read().is_ok() {}
    });
    url
}

fn kline(symbol: &str, minute: i64, seconds: i64, close: f64) -> String {
    let start = minute * 60_000;
    format!(
        r#"{{"e":"kline","E":{},"s":"{symbol}","k":{{"t":{start},"T":{},"o":"{close}","c":"{close}","h":"{close}","l":"{close}","v":"1","x":true}}}}"#,
        start + 60_000,
        start + seconds * 1000 - 1
    )
}

#[test]
fn a_time_far_ahead_is_believed_only_when_others_agree() {
    let minutes = |list: &[i64]| {
        let dir = tempfile::tempdir().unwrap();
        let messages = list.iter().map(|m| kline("X", *m, 60, 5.0)).collect();
        let config = FollowConfig { url: saying(messages), symbol: "X".into(), ..FollowConfig::default() };
        let end = ended(follow(&config, dir.path()).unwrap());
        let bars: Vec<i64> = read_log(dir.path()).unwrap().iter().map(|b| b.event_at.micros() / 60_000_000).collect();
        (bars, end.counts.rejected)
    };
    assert_eq!(minutes(&[100, 101, 9_000_000, 102, 103]), (vec![100, 101, 102, 103], 1));
    assert_eq!(minutes(&[100, 101, 50_000, 50_001, 50_002, 50_003]), (vec![100, 101, 50_002, 50_003], 2));
}

#[test]
fn another_symbol_another_interval_and_noise_are_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let messages = vec![
        r#"{"result":null,"id":1}"#.to_owned(),
        kline("X", 10, 60, 5.0),
        kline("Y", 11, 60, 6.0),
        kline("X", 10, 300, 7.0),
        "{\"e\":\"kline\",".to_owned(),
        kline("X", 11, 60, f64::NAN),
        kline("X", 11, 60, -3.0),
        kline("X", 11, 60, 8.0),
    ];
    let config = FollowConfig { url: saying(messages), symbol: "BTC".into(), ..FollowConfig::default() };
    let end = ended(follow(&config, dir.path()).unwrap());
    let closes: Vec<f64> = read_log(dir.path()).unwrap().iter().map(|b| b.close).collect();
    assert_eq!((closes, end.counts.control, end.counts.refused, end.counts.rejected), (vec![5.0, 8.0], 1, 4, 1));
    let rejected: Vec<Rejected> = read_all(&dir.path().join("rejected-000001.parquet")).unwrap();
    assert_eq!((rejected[0].reason.as_str(), rejected[0].row), ("bad-bar", 7));
}

#[test]
fn a_log_is_a_source_of_market_data_like_a_file() {
    let bars = walk(1000);
    let dir = tempfile::tempdir().unwrap();
    let server = replay(&bars, Speaks::Klines, Faults { gaps: true, ..Faults::default() }, 4);
    follow(&FollowConfig { rest: None, ..settings(&server, &bars) }, &dir.path().join("log")).unwrap();
    let log = ingest::market::LogSource { name: "live".into(), path: "log".into() };
    let config = MarketConfig { annotated: Vec::new(), logs: vec![log], ..MarketConfig::default() };
    let manifest = market::run(&config, dir.path(), &dir.path().join("out"), &options(1)).unwrap();
    let rows: Vec<Bar> = read_all(&dir.path().join("out/bars.parquet")).unwrap();
    assert!(rows == read_log(&dir.path().join("log")).unwrap());
    assert_eq!(manifest.facts["interval_seconds"]["live"], 60);
    let findings: Vec<artifacts::rows::QualityFinding> = read_all(&dir.path().join("out/quality.parquet")).unwrap();
    let missing: u64 = findings.iter().filter(|f| f.check_name == "gap").map(|f| f.rows).sum();
    assert_eq!(missing, 1000 - rows.len() as u64, "what the stream lost is a finding");
}

#[test]
fn a_stream_that_cannot_be_reached_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/ws?key=secret", listener.local_addr().unwrap());
    // Encryption towards a server that has none fails as well, and does not panic.
    let plain = saying(Vec::new());
    let secure =
        FollowConfig { url: plain.replace("ws:", "wss:"), symbol: "X".into(), connects: 0, ..FollowConfig::default() };
    assert!(follow(&secure, &dir.path().join("tls")).unwrap_err().to_string().contains("broke 1 times"));
    drop(listener);
    let config = FollowConfig { url, symbol: "X".into(), connects: 2, ..FollowConfig::default() };
    let message = follow(&config, dir.path()).unwrap_err().to_string();
    assert!(message.contains("broke 3 times in a row") && !message.contains("secret"), "{message}");
}

#[test]
fn killed_at_any_moment_it_goes_on_without_loss_or_repetition() {
    let bars = walk(3000);
    let dir = tempfile::tempdir().unwrap();
    let config = ReplayConfig {
        bars: bars.clone(),
        symbol: "XUSDT".into(),
        interval_seconds: 60,
        speaks: Speaks::Klines,
        faults: Faults::ALL,
        seed: Seed(9),
        delay: Duration::from_micros(300),
    };
    let server = serve(config, 0).unwrap();
    let start = |quiet: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seafin-ingest"));
        command
            .args(["follow", "--url", &server.url(), "--rest", &server.rest_url(), "--symbol", "X"])
            .args(["--remote-symbol", "XUSDT", "--interval", "60", "--start", "2024-03-01T00:00:00Z"])
            .args(["--set", "segment_bars=50", "--set", "patience.first_wait_seconds=0.001", "--log"])
            .arg(dir.path().join("log"))
            .arg("-q");
        if quiet {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        command.spawn().unwrap()
    };
    let log = dir.path().join("log");
    let count = || segments(&log).map_or(0, |s| s.len());
    let mut kills = 0;
    for target in [4, 15, 30] {
        let mut child = start(true);
        while count() < target && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        // SIGKILL: nothing is flushed, nothing cleaned up.
        child.kill().unwrap();
        child.wait().unwrap();
        kills += u32::from(!log.join("end.json").exists());
    }
    assert_eq!(kills, 3, "the stream ended before it could be killed");
    assert!(start(false).wait().unwrap().success());
    assert!(log.join("end.json").exists());
    assert!(read_log(&log).unwrap() == bars);
}

#[test]
fn the_real_minute_bars_come_through_every_fault_as_ingest_reads_them_from_the_file() {
    let Some(data) = shared().map(|s| s.join("data")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let batch = batch_of(&data, dir.path());
    assert_eq!(batch.len(), 45_031);
    let server = replay(&batch, Speaks::Klines, Faults::ALL, 42);
    let clock = artifacts::runtime::Stopwatch::start();
    let end = ended(follow(&settings(&server, &batch), &dir.path().join("log")).unwrap());
    let seconds = clock.seconds();
    let stream = read_log(&dir.path().join("log")).unwrap();
    let stamps: std::collections::BTreeSet<_> = stream.iter().map(|b| b.event_at).collect();
    let lost = batch.iter().filter(|b| !stamps.contains(&b.event_at)).count();
    let repeated = stream.len() - stamps.len();
    let differing = batch.iter().zip(&stream).filter(|(a, b)| a != b).count();
    println!("{seconds:.1} s; {lost} lost, {repeated} twice, {differing} differ; {:?}", end.counts);
    assert_eq!((lost, repeated, differing, stream.len()), (0, 0, 0, 45_031));
}

fn batch_of(data: &Path, out: &Path) -> Vec<Bar> {
    let source = BarSource { symbol: Some("XBTUSD".into()), ..BarSource::new("btc_1m", "market/btc_1m.csv") };
    let config = MarketConfig { annotated: Vec::new(), bars: vec![source], ..MarketConfig::default() };
    let out = out.join("batch");
    market::run(&config, data, &out, &options(42)).unwrap();
    read_all(&out.join("bars.parquet")).unwrap()
}
