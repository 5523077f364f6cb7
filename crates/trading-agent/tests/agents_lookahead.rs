//! The look-ahead proof for the team of agents: cutting off the future, or poisoning it, changes nothing that was written before:
//! no decision, no prompt, no answer, no tool's result, no fact, no memory, no cost.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::Timestamp;
use artifacts::rows::{Bar, Event, News, Observation};
use common::{config, config_with_memory, decide, market, rows};
use proptest::prelude::*;
use trading_agent::AgentConfig;
use trading_agent::agents::{Coordination, StepRows};

/// Every row written up to `t`, as text: equal to the last character or not equal.
fn written(steps: &[StepRows], t: Timestamp) -> Vec<String> {
    let known = |s: &&StepRows| s.decision.as_ref().unwrap().decided_at <= t;
    steps.iter().filter(known).map(|s| serde_json::to_string(s).unwrap()).collect()
}

/// The run on everything, on what was known at the close of bar `cut`, and with nonsense in place of all that came later.
fn three(config: &AgentConfig, bars: usize, cut: usize, shift: f64) -> [Vec<String>; 3] {
    let (b, n, o) = rows(bars);
    let n: Vec<News> = n
        .into_iter()
        .map(|n| News {
            event_at: n.event_at.plus_seconds((shift * 600.0) as i64),
            available_at: n.available_at.plus_seconds((shift * 900.0) as i64),
            ..n
        })
        .collect();
    let t = b[cut].available_at;
    let known = |at: Timestamp| at <= t;
    let whole = decide(config, &market(b.clone(), n.clone(), o.clone()));
    let truncated = decide(
        config,
        &market(
            b.iter().filter(|b| known(b.available_at)).cloned().collect(),
            n.iter().filter(|n| known(n.available_at)).cloned().collect(),
            o.iter().filter(|o| known(o.available_at)).cloned().collect(),
        ),
    );
    let poisoned = decide(
        config,
        &market(
            b.iter().map(|b| if known(b.available_at) { b.clone() } else { Bar { close: 1e6, ..b.clone() } }).collect(),
            n.iter()
                .map(|n| {
                    if known(n.available_at) {
                        n.clone()
                    } else {
                        News { text: "Report 0: profit rose poison".into(), ..n.clone() }
                    }
                })
                .collect(),
            o.iter()
                .map(|o| if known(o.available_at) { o.clone() } else { Observation { value: -1e9, ..o.clone() } })
                .collect(),
        ),
    );
    let end = Timestamp::from_seconds(i64::MAX / 2_000_000);
    assert_ne!(
        written(&poisoned, end)[cut + 1..],
        written(&whole, end)[cut + 1..],
        "the poison would have worked, had it been seen"
    );
    [written(&whole, t), written(&truncated, t), written(&poisoned, t)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_future_changes_no_row_of_a_pipeline_with_memory_retrieval_filter_and_calibration(cut in 1..22_usize, shift in 0.0..1.0_f64) {
        let [whole, truncated, poisoned] = three(&config_with_memory(), 26, cut, shift);
        prop_assert_eq!(whole.len(), cut + 1);
        prop_assert_eq!(&whole, &truncated);
        prop_assert_eq!(&whole, &poisoned);
    }

    #[test]
    fn the_future_changes_no_row_under_a_supervisor(cut in 1..22_usize, shift in 0.0..1.0_f64) {
        let mut config = config_with_memory();
        config.agents.coordination = Coordination::Supervisor;
        let [whole, truncated, poisoned] = three(&config, 26, cut, shift);
        prop_assert_eq!(&whole, &truncated);
        prop_assert_eq!(&whole, &poisoned);
    }
}

#[test]
fn every_fact_was_known_and_every_citation_leads_to_one() {
    let (b, n, o) = rows(30);
    let mut seen = std::collections::BTreeSet::new();
    for step in decide(&config_with_memory(), &market(b, n, o)) {
        let decision = step.decision.unwrap();
        for fact in &step.facts {
            assert!(fact.available_at <= decision.decided_at, "{fact:?}");
            assert!(seen.insert(fact.id.clone()), "{} is there twice", fact.id);
        }
        for id in decision.fact_ids.iter().chain(step.traces.iter().flat_map(|t| &t.fact_ids)) {
            assert!(seen.contains(id), "{id} leads nowhere");
        }
        for trace in step.traces.iter().filter(|t| t.event == Event::ModelCall && t.agent != "sentiment-analyst") {
            // Each line with a number is a fact of this run.
            for line in trace.request.lines().filter(|line| line.starts_with("[F")) {
                let text = line.split_once("] ").unwrap().1;
                assert!(step.facts.iter().any(|f| text.ends_with(&f.text)), "{line}");
            }
        }
    }
}

#[test]
fn the_news_of_a_bar_still_open_is_not_read() {
    let (b, mut n, o) = rows(6);
    n.truncate(0);
    n.push(common::news(1, 4 * common::STEP + 30, 0, "Report 1: profit rose"));
    let steps = decide(&config(), &market(b, n, o));
    let with: Vec<bool> = steps.iter().map(|s| s.decision.as_ref().unwrap().sentiment.is_some()).collect();
    assert_eq!(with, [false, false, false, false, true, true]);
}
