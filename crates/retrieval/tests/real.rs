//! On the real news, where they are.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::Timestamp;
use common::at;
use retrieval::{Case, HashedEmbedder, Library, RetrievalConfig};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

#[expect(clippy::print_stdout, reason = "says why a test is skipped")]
fn news() -> Option<Vec<Case>> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|a| a.join("shared"));
    let Some(text) =
        folders.map(|s| s.join("data/news/stockbench_news.jsonl")).find_map(|p| std::fs::read_to_string(p).ok())
    else {
        println!("skipped: no shared folder");
        return None;
    };
    let case = |(line, row): (usize, &str)| {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let text = format!("{}. {}", row["title"].as_str().unwrap_or(""), row["description"].as_str().unwrap_or(""));
        // The published stamps are eight hours late; the epoch field is right. Rows of the other source have none.
        let t = match row["datetime"].as_i64() {
            Some(seconds) => at(seconds),
            None => row["published_utc"].as_str()?.parse::<Timestamp>().ok()?,
        };
        let id = format!("n{line:05}");
        Some(Case { id, event_at: t, available_at: t, text, outcome: None, outcome_known_at: None })
    };
    Some(text.lines().enumerate().filter_map(case).collect())
}

#[test]
fn five_thousand_news_are_searched_in_milliseconds_and_later_ones_change_nothing() {
    let Some(cases) = news() else { return };
    assert!(cases.len() > 5_000, "{}", cases.len());
    let library = |cases: Vec<Case>| {
        Library::new(cases, Arc::new(HashedEmbedder::default()), &RetrievalConfig::default()).unwrap()
    };
    let start = Instant::now();
    let whole = library(cases.clone());
    println!("{} cases indexed in {:.2} s", cases.len(), start.elapsed().as_secs_f64());
    let mut times: Vec<Timestamp> = cases.iter().map(|c| c.available_at).collect();
    times.sort_unstable();
    let mut milliseconds = 0.0;
    for part in 1..=4 {
        let t = times[times.len() * part / 5];
        let before = library(cases.iter().filter(|c| c.available_at <= t).cloned().collect());
        for query in cases.iter().filter(|c| c.available_at > t).take(25) {
            let start = Instant::now();
            let found = whole.similar_as_of(&query.text, t, 5).unwrap();
            milliseconds += start.elapsed().as_secs_f64() * 1e3;
            assert!(found.len() == 5 && found.iter().all(|f| f.case.available_at <= t));
            assert_eq!(found, before.similar_as_of(&query.text, t, 5).unwrap());
        }
    }
    println!("{:.2} ms a search", milliseconds / 100.0);
}

#[test]
fn a_repeated_story_is_found_by_its_own_words() {
    let Some(cases) = news() else { return };
    let library =
        Library::new(cases.clone(), Arc::new(HashedEmbedder::default()), &RetrievalConfig::default()).unwrap();
    let (mut first, mut asked) = (0, 0);
    for case in cases.iter().filter(|c| c.text.len() > 60).step_by(40) {
        let found = library.similar_as_of(&case.text, case.available_at, 3).unwrap();
        first += usize::from(found.first().is_some_and(|f| f.case.text == case.text));
        asked += 1;
    }
    assert!(asked > 100 && first == asked, "{first} of {asked}");
}
