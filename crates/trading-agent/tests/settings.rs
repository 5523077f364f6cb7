//! Every number in the settings has a range, and what is outside is refused by name before any work.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use providers::Prices;
use serde_json::{Value, json};
use trading_agent::{AgentConfig, Gauge};

/// All settings, each optional one given.
fn full() -> AgentConfig {
    let mut config = AgentConfig::default();
    config.observations.insert("fear".into(), Gauge { center: 50.0, scale: 50.0, weight: 1.0 });
    let agents = &mut config.agents;
    (agents.budget_tokens, agents.budget_money, agents.checkpoint_decisions) = (Some(1000), Some(1.0), Some(10));
    (agents.risk.target_volatility_bps, agents.risk.max_drawdown) = (Some(10.0), Some(0.2));
    agents.retrieval.ranking.half_life_seconds = Some(3600.0);
    agents.retrieval.ranking.max_age_seconds = Some(3600.0);
    agents.prices.insert("model".into(), Prices { prompt_per_million: 1.0, answer_per_million: 1.0 });
    config
}

fn numbers(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at.to_owned()),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| numbers(&format!("{at}/{name}"), value, found)),
        Value::Null => panic!("{at} is not given: give it in `full`, so that it is tried"),
        _ => {}
    }
}

#[test]
fn every_number_that_no_one_can_mean_is_refused_by_name() {
    let whole = serde_json::to_value(full()).unwrap();
    full().check().unwrap();
    let mut paths = Vec::new();
    numbers("", &whole, &mut paths);
    assert!(paths.len() > 45, "{paths:?}");
    for path in paths {
        let with = |value: &Value| {
            let mut settings = whole.clone();
            *settings.pointer_mut(&path).unwrap() = value.clone();
            serde_json::from_value::<AgentConfig>(settings).ok()
        };
        let whole_number = whole.pointer(&path).unwrap().is_u64();
        let large = [json!(1e300), json!(u64::MAX), json!(i64::MAX), json!(u32::MAX)];
        // the largest that its type holds, and for a fraction the smallest
        let mut tried = vec![large.iter().find_map(with).unwrap()];
        if !whole_number {
            tried.push(with(&json!(-1e300)).unwrap());
        }
        for config in tried {
            let error = config.check().expect_err(&path).to_string();
            let name = path.rsplit('/').next().unwrap();
            assert!(error.contains(name) && (error.contains("from") || error.contains("above")), "{path}: {error}");
        }
    }
}

#[test]
fn what_is_not_a_number_is_refused() {
    for nan in [f64::NAN, f64::INFINITY] {
        let refused = |change: fn(&mut AgentConfig, f64)| {
            let mut config = full();
            change(&mut config, nan);
            config.check().unwrap_err().to_string()
        };
        assert!(refused(|c, v| c.gain = v).starts_with("setting gain is "));
        assert!(refused(|c, v| c.agents.risk.max_drawdown = Some(v)).contains("agents.risk.max_drawdown"));
        let center = refused(|c, v| c.observations.get_mut("fear").unwrap().center = v);
        assert!(center.contains("observations.*.center") && center.contains("for fear"), "{center}");
    }
}

#[test]
fn a_million_rounds_of_debate_and_windows_of_nothing_are_refused() {
    let refused = |change: fn(&mut AgentConfig)| {
        let mut config = AgentConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert_eq!(
        refused(|c| c.agents.debate_rounds = 1_000_000),
        "setting agents.debate_rounds is 1000000; give a number from 0 to 20"
    );
    assert!(refused(|c| c.volatility_bars = usize::MAX).contains("from 2 to 100000"));
    assert!(refused(|c| c.momentum_bars = 0).contains("from 1"));
    assert!(refused(|c| c.news_window_seconds = 0).contains("from 1"));
    assert!(refused(|c| c.agents.calibration.window = 0).contains("agents.calibration.window"));
}
