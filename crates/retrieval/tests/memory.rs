//! Long-term memory: what is kept, what is forgotten, what is recalled.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use common::{at, case};
use proptest::prelude::*;
use retrieval::{Case, HashedEmbedder, Library, Memory, RetrievalConfig};
use std::sync::Arc;

fn memory(capacity: usize, config: &RetrievalConfig) -> Memory {
    Memory::new(capacity, Arc::new(HashedEmbedder::new(64)), config).unwrap()
}

fn texts() -> impl Strategy<Value = Vec<(i64, String)>> {
    let word = proptest::sample::select(vec!["rates", "rise", "bank", "hacked", "profit", "quiet"]);
    let text = proptest::collection::vec(word, 1..6).prop_map(|w| w.join(" "));
    proptest::collection::vec((0i64..30, text), 1..30)
}

proptest! {
    /// What is forgotten leaves no trace: a memory that has forgotten is the library of what it still holds.
    #[test]
    fn a_memory_recalls_what_a_library_of_its_cases_finds(rows in texts(), capacity in 1usize..12, half_life in 1.0f64..60.0) {
        let config = RetrievalConfig { half_life_seconds: Some(half_life), ..RetrievalConfig::default() };
        let mut memory = memory(capacity, &config);
        for (i, (t, text)) in rows.iter().enumerate() {
            memory.remember(case(&format!("m{i:02}"), *t, text)).unwrap();
        }
        prop_assert_eq!(memory.len(), rows.len().min(capacity));
        let library = Library::new(memory.cases(), Arc::new(HashedEmbedder::new(64)), &config).unwrap();
        let recalled = memory.recall("bank hacked rates", at(40), 5).unwrap();
        let found = library.similar_as_of("bank hacked rates", at(40), 5).unwrap();
        prop_assert_eq!(recalled.len(), found.len());
        for (a, b) in recalled.iter().zip(&found) {
            prop_assert_eq!(&a.case.id, &b.case.id);
            prop_assert!((a.score - b.score).abs() < 1e-15 && (a.lexical - b.lexical).abs() < 1e-12);
        }
    }

    #[test]
    fn a_restored_memory_is_the_same(rows in texts(), capacity in 1usize..12) {
        let config = RetrievalConfig::default();
        let mut first = memory(capacity, &config);
        for (i, (t, text)) in rows.iter().enumerate() {
            first.remember(case(&format!("m{i:02}"), *t, text)).unwrap();
        }
        let mut second = Memory::restore(first.cases(), capacity, Arc::new(HashedEmbedder::new(64)), &config).unwrap();
        for memory in [&mut first, &mut second] {
            memory.remember(case("new", 30, "bank rates")).unwrap();
        }
        prop_assert_eq!(first.cases(), second.cases());
        prop_assert_eq!(first.recall("bank", at(40), 4).unwrap(), second.recall("bank", at(40), 4).unwrap());
    }
}

#[test]
fn the_case_that_became_known_first_is_forgotten_first() {
    let mut memory = memory(2, &RetrievalConfig::default());
    assert_eq!(memory.remember(case("late", 5, "rates")).unwrap(), None);
    assert_eq!(memory.remember(case("early", 1, "rates")).unwrap(), None);
    assert_eq!(memory.remember(case("latest", 9, "rates")).unwrap().as_deref(), Some("early"));
    assert_eq!(memory.remember(case("too early", 2, "rates")).unwrap().as_deref(), Some("too early"));
    assert_eq!(memory.cases().iter().map(|c| c.id.clone()).collect::<Vec<_>>(), ["late", "latest"]);
}

#[test]
fn of_two_equal_cases_the_fresher_is_recalled_first() {
    let config = RetrievalConfig { half_life_seconds: Some(10.0), ..RetrievalConfig::default() };
    let mut memory = memory(9, &config);
    memory.remember(case("a", 0, "bank hacked")).unwrap();
    memory.remember(case("b", 20, "bank hacked")).unwrap();
    let found = memory.recall("bank hacked", at(20), 2).unwrap();
    assert_eq!(found.iter().map(|f| f.case.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    // Two half-lives lie between them; rank 1 against rank 2 is worth 61/62 the other way.
    let ratio = found[0].score / found[1].score;
    assert!((ratio - 4.0 * 61.0 / 62.0).abs() < 1e-9, "{ratio}");
}

#[test]
fn a_memory_cannot_be_asked_about_a_past_it_has_left() {
    let mut memory = memory(9, &RetrievalConfig::default());
    memory.remember(case("a", 10, "bank")).unwrap();
    let message = memory.recall("bank", at(9), 1).unwrap_err().to_string();
    assert!(message.contains("00:00:09Z") && message.contains("00:00:10Z"), "{message}");
    assert_eq!(memory.recall("bank", at(10), 1).unwrap().len(), 1);
}

#[test]
fn an_outcome_learned_later_is_shown_from_then_on() {
    let mut memory = memory(9, &RetrievalConfig::default());
    memory.remember(case("a", 10, "bank")).unwrap();
    memory.learn("a", -0.2, at(20)).unwrap();
    let outcome = |t: i64| memory.recall("bank", at(t), 1).unwrap()[0].outcome;
    assert_eq!([outcome(19), outcome(20)], [None, Some(-0.2)]);
    assert!(memory.learn("b", 0.0, at(20)).unwrap_err().to_string().contains("`b`"));
    assert!(memory.learn("a", f64::INFINITY, at(20)).is_err() && memory.learn("a", 0.1, at(9)).is_err());
    assert!(memory.remember(Case { ..case("a", 11, "bank") }).unwrap_err().to_string().contains("twice"));
}
