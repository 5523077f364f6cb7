use crate::server::{Options, Server};
use artifacts::rows::Decision;
use artifacts::{Timestamp, write_all};
use std::path::Path;

fn decision(symbol: &str, hour: i64) -> Decision {
    let at = |hours: i64| Timestamp::from_seconds(1_740_000_000 + hours * 3_600);
    Decision {
        symbol: symbol.into(),
        bar_at: at(hour),
        decided_at: at(hour + 1),
        position: hour as f64 / 10.0,
        sentiment: Some(0.25),
        technical: None,
        news_ids: vec![format!("n{hour}")],
        confidence: Some(0.5),
        fact_ids: vec![],
        rationale: format!("hour {hour}"),
    }
}

fn written(folder: &Path, hours: std::ops::Range<i64>) -> std::path::PathBuf {
    let file = folder.join("decisions.parquet");
    let rows: Vec<Decision> =
        ["AAA", "BBB"].iter().flat_map(|symbol| hours.clone().map(|hour| decision(symbol, hour))).collect();
    write_all(&file, &rows).unwrap();
    file
}

fn hours(server: &Server, query: &str) -> Vec<String> {
    let reply = server.get(&format!("/v1/decisions{query}"));
    assert_eq!(reply.status, 200, "{}", reply.text);
    let answer = reply.json();
    let tell =
        |d: &serde_json::Value| format!("{}@{}", d["symbol"].as_str().unwrap(), d["rationale"].as_str().unwrap());
    answer["decisions"].as_array().unwrap().iter().map(tell).collect()
}

#[test]
fn only_what_was_decided_by_the_moment_is_told_the_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = Some(written(folder.path(), 0..5));
    let server = Server::start(Options { decisions, ..Options::default() });
    assert_eq!(hours(&server, "?symbol=AAA&limit=2"), ["AAA@hour 4", "AAA@hour 3"]);
    // Hour 2 was decided an hour after its bar began: at 1740000000 + 3 h, and not a microsecond before.
    let moment = Timestamp::from_seconds(1_740_000_000 + 3 * 3_600);
    let just_before = Timestamp::from_micros(moment.micros() - 1);
    assert_eq!(hours(&server, &format!("?as_of={moment}&limit=1&symbol=BBB")), ["BBB@hour 2"]);
    assert_eq!(hours(&server, &format!("?as_of={just_before}&limit=1&symbol=BBB")), ["BBB@hour 1"]);
    assert_eq!(hours(&server, "?as_of=2020-01-01"), [""; 0]);
    let all = server.get("/v1/decisions?limit=1").json();
    assert_eq!((all["known"].as_u64(), all["decisions"][0]["position"].as_f64()), (Some(10), Some(0.4)));
    assert_eq!(all["decisions"][0]["bar_at"], "2025-02-20T01:20:00Z");
    assert!(all["decisions"][0]["technical"].is_null());
}

#[test]
fn a_new_run_is_seen_and_a_broken_file_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), 0..2);
    let server = Server::start(Options { decisions: Some(file.clone()), ..Options::default() });
    assert_eq!(hours(&server, "?symbol=AAA&limit=1"), ["AAA@hour 1"]);
    written(folder.path(), 0..9);
    assert_eq!(hours(&server, "?symbol=AAA&limit=1"), ["AAA@hour 8"]);
    std::fs::write(&file, "not Parquet").unwrap();
    let (status, code, message) = server.get("/v1/decisions").refusal();
    assert_eq!((status, code.as_str()), (503, "no-decisions"));
    assert!(!message.contains(folder.path().to_str().unwrap()), "a path of the machine is told: {message}");
    std::fs::remove_file(&file).unwrap();
    assert!(server.get("/v1/decisions").refusal().2.contains("run the trading agent first"));
    written(folder.path(), 0..1);
    assert_eq!(hours(&server, "?limit=1"), ["BBB@hour 0"]);
}

#[test]
fn parameters_that_make_no_sense_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = Some(written(folder.path(), 0..2));
    let server = Server::start(Options { decisions, ..Options::default() });
    for (query, told) in [
        ("?as_of=yesterday", "yesterday"),
        ("?limit=0", "limit is 0"),
        ("?limit=100000", "from 1 to 1000"),
        ("?until=2025", "until"),
    ] {
        let (status, code, message) = server.get(&format!("/v1/decisions{query}")).refusal();
        assert_eq!((status, code.as_str()), (400, "bad-parameter"), "{query}");
        assert!(message.contains(told), "{query}: {message}");
    }
    assert_eq!(Server::plain().get("/v1/decisions").refusal().0, 404);
}
