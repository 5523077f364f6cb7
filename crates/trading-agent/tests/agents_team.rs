//! Roles, debate, critic, filter, repair, budget: how a decision comes about.
#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

mod common;

use artifacts::rows::{Event, Trace};
use common::{config, config_with_memory, decide, decide_with, market, rows};
use providers::testing::Scripted;
use providers::{Provider, Reply};
use trading_agent::agents::{Chooser, Coordination, Sources, StepRows};
use trading_agent::tools::{Tool, WebPage, WebSearch, WebSearchArguments, WebTool};
use trading_agent::{AgentConfig, Market};

fn small() -> Market {
    let (b, n, o) = rows(14);
    market(b, n, o)
}

fn traces(steps: &[StepRows], event: Event) -> Vec<&Trace> {
    steps.iter().flat_map(|s| &s.traces).filter(|t| t.event == event).collect()
}

fn quiet(mut config: AgentConfig) -> AgentConfig {
    config.agents.simulation.error_rate = 0.0;
    config.agents.simulation.malformed_rate = 0.0;
    config
}

#[test]
fn a_pipeline_asks_everyone_in_order_and_the_debate_has_its_rounds() {
    let mut config = quiet(config());
    config.agents.debate_rounds = 2;
    let steps = decide(&config, &small());
    let agents: Vec<&str> = steps.last().unwrap().opinions.iter().map(|o| o.agent.as_str()).collect();
    let all = [
        "news-analyst",
        "technical-analyst",
        "market-analyst",
        "sentiment-analyst",
        "bull",
        "bear",
        "bull-2",
        "bear-2",
        "trader",
    ];
    assert_eq!(agents, all);
    let steps_in_order: Vec<u64> = steps.iter().flat_map(|s| &s.traces).map(|t| t.step).collect();
    assert_eq!(steps_in_order, (0..steps_in_order.len() as u64).collect::<Vec<_>>());
    let bull = |agent: &str| steps.last().unwrap().opinions.iter().find(|o| o.agent == agent).unwrap().score;
    assert!(bull("bull") > bull("bear"));
}

#[test]
fn text_only_shows_no_number_and_features_only_no_text() {
    for (sources, agents) in [
        (Sources::TextOnly, ["news-analyst", "sentiment-analyst"]),
        (Sources::FeaturesOnly, ["technical-analyst", "market-analyst"]),
    ] {
        let mut config = quiet(config());
        (config.agents.sources, config.agents.debate_rounds) = (sources, 0);
        let steps = decide(&config, &small());
        let last = steps.last().unwrap();
        let said: Vec<&str> = last.opinions.iter().map(|o| o.agent.as_str()).collect();
        assert_eq!(said, [agents[0], agents[1], "trader"]);
        let kinds: Vec<&str> = last.facts.iter().map(|f| f.kind.as_str()).collect();
        let forbidden = if sources == Sources::TextOnly { "price" } else { "news" };
        assert!(!kinds.contains(&forbidden), "{kinds:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_asked_for_again_and_then_counts_nothing() {
    // Never JSON: every question fails after one repair.
    let steps = decide_with(&config(), &small(), Some(Box::new(Scripted::saying("Buy, I would say."))));
    let last = steps.last().unwrap();
    let calls = last.traces.iter().filter(|t| t.event == Event::ModelCall && t.provider == "reasoner").count();
    let repairs = last.traces.iter().filter(|t| t.event == Event::Repair).count();
    assert_eq!((calls, repairs), (14, 14), "seven questions, each put twice");
    assert_eq!(traces(&steps, Event::Failure).iter().filter(|t| t.agent == "trader").count(), steps.len());
    assert!(last.opinions.iter().all(|o| o.score == 0.0 && o.confidence == 0.0));
    assert_eq!(last.decision.as_ref().unwrap().position, 0.0, "no confidence, no position");
    let repaired = last.traces.iter().find(|t| t.event == Event::ModelCall && t.attempt == 2).unwrap();
    assert!(repaired.request.contains("could not be used: the answer does not begin with {"), "{}", repaired.request);
}

#[test]
fn a_repaired_answer_counts_as_any_other() {
    let answer = r#"{"score": 0.8, "confidence": 0.9, "claims": [], "rationale": "It rises."}"#;
    let model = Scripted::new(move |prompt, _| Reply {
        text: if prompt.contains("could not be used") { answer.to_owned() } else { "{".to_owned() },
        finished: true,
    });
    let steps = decide_with(&config(), &small(), Some(Box::new(model)));
    assert!(steps.last().unwrap().opinions.iter().all(|o| o.score == 0.8));
    assert!(traces(&steps, Event::Failure).is_empty());
}

#[test]
fn the_critic_asks_once_for_a_revision_where_score_and_rationale_differ() {
    let model = Scripted::new(|prompt, _| {
        let revised = prompt.contains("The critic objects");
        let score = if prompt.contains("You are the trader") && !revised { -0.7 } else { 0.7 };
        let text =
            format!(r#"{{"score": {score}, "confidence": 0.9, "claims": [], "rationale": "The price will rise."}}"#);
        Reply { text, finished: true }
    });
    let steps = decide_with(&config(), &small(), Some(Box::new(model)));
    let last = steps.last().unwrap();
    let objections: Vec<_> = last.traces.iter().filter(|t| t.agent == "critic").collect();
    assert_eq!(objections.len(), 1);
    assert!(
        objections[0].response.contains("the rationale points up but the score is -0.70"),
        "{}",
        objections[0].response
    );
    assert_eq!(last.opinions.iter().find(|o| o.agent == "trader").unwrap().score, 0.7);
}

#[test]
fn the_filter_drops_claims_that_their_facts_do_not_support_and_the_opinion_loses_weight() {
    let model = || -> Option<Box<dyn Provider>> {
        let claim = r#"{"text": "The close is 123456.78 USD", "fact": "F1"}"#;
        let answer = format!(r#"{{"score": 1.0, "confidence": 0.9, "claims": [{claim}], "rationale": "It rises."}}"#);
        Some(Box::new(Scripted::saying(&answer)))
    };
    let mut config = config();
    (config.agents.critic, config.agents.risk.max_change, config.agents.hybrid_weight) = (false, 2.0, 0.0);
    config.agents.sources = Sources::FeaturesOnly;
    let unfiltered = decide_with(&config, &small(), model());
    config.agents.grounding_filter.on = true;
    let filtered = decide_with(&config, &small(), model());
    let trader = |steps: &[StepRows]| {
        let last = steps.last().unwrap();
        (
            last.opinions.iter().find(|o| o.agent == "trader").unwrap().claims.len(),
            last.decision.as_ref().unwrap().position,
        )
    };
    assert_eq!(trader(&unfiltered).0, 1);
    assert!(trader(&unfiltered).1 > 0.9);
    assert_eq!(trader(&filtered), (0, 0.0));
    let verdicts = filtered.iter().flat_map(|s| &s.checked);
    assert!(
        verdicts.filter(|c| c.verdict != "supported").count() >= filtered.len(),
        "what was dropped stays on record"
    );
}

#[test]
fn the_errors_that_the_simulation_puts_in_are_on_record_and_mostly_found() {
    let (b, n, o) = rows(60);
    let steps = decide(&config(), &market(b, n, o));
    let injected: Vec<_> = steps.iter().flat_map(|s| &s.injected).collect();
    let key = |c: &artifacts::rows::CheckedClaim| (c.bar_at, c.agent.clone(), c.claim);
    let wrong: std::collections::BTreeSet<_> =
        steps.iter().flat_map(|s| &s.checked).filter(|c| c.verdict != "supported").map(key).collect();
    let claims = steps.iter().map(|s| s.checked.len()).sum::<usize>();
    let found = injected.iter().filter(|c| wrong.contains(&key(c))).count();
    assert!(injected.len() * 10 > claims, "{} of {claims}", injected.len());
    assert!(found * 10 >= injected.len() * 9, "{found} of {}", injected.len());
}

#[test]
fn a_supervisor_asks_fewer_and_keeps_to_its_step_limit() {
    let config = quiet(config());
    let calls =
        |steps: &[StepRows]| traces(steps, Event::ModelCall).iter().filter(|t| t.provider == "reasoner").count();
    let pipeline = calls(&decide(&config, &small()));
    let mut supervised = config.clone();
    supervised.agents.coordination = Coordination::Supervisor;
    let steps = decide(&supervised, &small());
    assert!(calls(&steps) < pipeline, "{} < {pipeline}", calls(&steps));
    assert!(traces(&steps, Event::Memory).iter().any(|t| t.response.starts_with("nothing new since")));

    for limit in [1, 2, 4] {
        supervised.agents.step_limit = limit;
        for step in decide(&supervised, &small()) {
            let turns = step.traces.iter().filter(|t| t.agent == "coordinator" && t.event == Event::Message).count();
            assert!(turns <= limit as usize, "{turns} of {limit}");
            assert!(step.opinions.iter().any(|o| o.agent == "trader"), "the last step is the trader's");
        }
    }
}

#[test]
fn a_model_may_choose_the_next_role_among_those_that_the_rules_allow() {
    let mut config = quiet(config());
    (config.agents.coordination, config.agents.chooser) = (Coordination::Supervisor, Chooser::Model);
    let steps = decide(&config, &small());
    let chosen = traces(&steps, Event::ModelCall).iter().filter(|t| t.agent == "coordinator").count();
    assert!(chosen > 0);
    assert!(steps.iter().all(|s| s.opinions.iter().any(|o| o.agent == "trader")));
}

#[test]
fn facts_without_room_are_left_out_and_the_trace_says_which() {
    let steps = decide(&quiet(config()), &small());
    let said = traces(&steps, Event::Memory);
    let left = said.iter().find(|t| t.response.contains("left out:")).unwrap();
    assert!(left.request.starts_with("room for ") && left.response.contains("X@"), "{left:?}");
    let longest =
        traces(&steps, Event::ModelCall).iter().filter(|t| t.provider == "reasoner").map(|t| t.request.len()).max();
    assert!(longest.unwrap() <= (512 - 192) * 3, "{longest:?}");
}

#[test]
fn past_decisions_come_back_once_their_outcome_is_known() {
    let (b, n, o) = rows(20);
    let steps = decide(&quiet(config_with_memory()), &market(b, n, o));
    let recalled = |s: &StepRows| s.facts.iter().filter(|f| f.name == "past_decision").count();
    assert_eq!(steps[..2].iter().map(recalled).sum::<usize>(), 0, "no outcome is known yet");
    assert!(recalled(&steps[10]) == 2);
    let fact = steps[10].facts.iter().find(|f| f.name == "past_decision").unwrap();
    let at = steps.iter().position(|s| s.decision.as_ref().unwrap().bar_at == fact.event_at).unwrap();
    let real = (common::close(at + 2) / common::close(at) - 1.0) * 100.0;
    assert!((fact.value.unwrap() - real).abs() < 1e-9, "{fact:?} {real}");
}

#[test]
fn past_decisions_stand_in_the_traders_prompts_and_weigh_there() {
    let (b, n, o) = rows(40);
    let market = market(b, n, o);
    let mut config = quiet(config());
    config.agents.context_tokens = 1024;
    let without = decide(&config, &market);
    (config.agents.memory.on, config.agents.memory.horizon_bars) = (true, 2);
    let with = decide(&config, &market);
    let prompt = |steps: &StepRows| {
        let mut calls = steps.traces.iter().filter(|t| t.agent == "trader" && t.event == Event::ModelCall);
        calls.next().unwrap().request.clone()
    };
    let mut shown = 0;
    for step in &with {
        let decided_at = step.decision.as_ref().unwrap().decided_at;
        for fact in step.facts.iter().filter(|f| f.name == "past_decision") {
            assert!(fact.available_at <= decided_at && fact.event_at < fact.bar_at, "{fact:?}");
            assert!(prompt(step).contains(&fact.text), "{} is not in\n{}", fact.text, prompt(step));
            shown += 1;
        }
    }
    assert!(shown > 50, "{shown}");
    let positions =
        |steps: &[StepRows]| -> Vec<f64> { steps.iter().map(|s| s.decision.as_ref().unwrap().position).collect() };
    assert_eq!(positions(&without[..2]), positions(&with[..2]), "no outcome is known yet");
    assert_ne!(positions(&without), positions(&with));
}

#[test]
fn a_position_moves_no_further_than_its_limits_allow() {
    let mut config = quiet(config());
    (config.agents.risk.max_change, config.agents.risk.max_position) = (0.1, 0.25);
    let mut before = 0.0;
    for step in decide(&config, &small()) {
        let position = step.decision.unwrap().position;
        assert!(position.abs() <= 0.25 + 1e-12 && (position - before).abs() <= 0.1 + 1e-12, "{before} {position}");
        before = position;
    }
}

struct Engine;

impl WebSearch for Engine {
    fn search(
        &self,
        query: &str,
        before: artifacts::Timestamp,
        _limit: usize,
    ) -> Result<Vec<WebPage>, trading_agent::Error> {
        let page = |published_at| WebPage { source: "site".into(), text: query.to_owned(), published_at };
        Ok(vec![
            page(None),
            page(Some(before.plus_seconds(1))),
            page(Some(before)),
            page(Some(before.plus_seconds(-60))),
        ])
    }
}

#[test]
fn a_web_page_without_a_date_or_of_tomorrow_is_refused() {
    let market = small();
    let known = market.as_of(artifacts::Timestamp::from_seconds(3_000));
    let tool = WebTool::new(&Engine, 80);
    let found = tool.call(&WebSearchArguments { query: "Acme".into(), limit: 10 }, &known).unwrap();
    assert_eq!((found.len(), tool.refused()), (2, 2));
    assert!(found.iter().all(|f| f.available_at <= known.t()));
}
