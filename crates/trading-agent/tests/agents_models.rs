//! The agents with real models behind them: one on this machine under the answer's grammar, one behind an endpoint.
#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

mod common;

use artifacts::rows::{Decision, Event, Opinion, Trace};
use artifacts::{NoProgress, RunOptions, Seed, read_all};
use common::{config, folder, reader, tables};
use providers::testing::tiny_model;
use providers::{CassetteMode, Endpoint, EndpointConfig, LocalModel, Provider};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use trading_agent::agents::ReasonerKind;
use trading_agent::{AgentConfig, Error, Inputs, Services, run_with};

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };

fn local() -> AgentConfig {
    let mut config = config();
    config.agents.reasoner = ReasonerKind::Local;
    (config.agents.context_tokens, config.agents.answer_tokens) = (512, 192);
    (config.agents.characters_per_token, config.agents.debate_rounds) = (2.0, 0);
    config
}

fn run_local(config: &AgentConfig, inputs: &Inputs, model: &Path, tape: Option<(&Path, CassetteMode)>, out: &Path) {
    let mut inputs = inputs.clone();
    inputs.model_files = vec![model.to_owned()];
    let open = || Ok(Box::new(LocalModel::open(model, None, "26 Jul 2024")?) as Box<dyn Provider>);
    let mut services = Services::new(&inputs.model_files, open);
    if let Some((folder, mode)) = tape {
        services = services.taped(folder, mode);
    }
    run_with(config, &inputs, services, out, &OPTIONS).unwrap();
}

#[test]
fn a_tiny_model_answers_in_the_form_of_the_grammar_and_its_run_is_replayed_byte_for_byte() {
    let model = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/model");
    let dir = tempfile::tempdir().unwrap();
    let inputs = folder(&dir.path().join("market"), 4);
    let (tape, out, again) = (dir.path().join("tape"), dir.path().join("out"), dir.path().join("again"));
    run_local(&local(), &inputs, &model, Some((&tape, CassetteMode::Record)), &out);
    run_local(&local(), &inputs, &model, Some((&tape, CassetteMode::Strict)), &again);
    assert_eq!(tables(&out), tables(&again));
    let traces: Vec<Trace> = read_all(&out.join("traces.parquet")).unwrap();
    let calls: Vec<&Trace> =
        traces.iter().filter(|t| t.event == Event::ModelCall && t.prompt_version.contains("-analyst")).collect();
    let read = calls.iter().filter(|t| grounding::Answer::parse(&t.response).is_ok()).count();
    assert!(calls.len() >= 12 && read * 10 >= calls.len() * 9, "{read} of {} answers can be read", calls.len());
    assert!(calls.iter().all(|t| t.provider == "model" && t.prompt_tokens > 50 && t.answer_tokens > 10));
    let decisions: Vec<Decision> = read_all(&out.join("decisions.parquet")).unwrap();
    assert_eq!(decisions.len(), 4);
}

#[test]
fn a_context_without_room_for_one_fact_gives_failures_and_no_position_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("model");
    // It reads bytes: 512 tokens do not hold a prompt.
    tiny_model(&model, 1).unwrap();
    let inputs = folder(&dir.path().join("market"), 3);
    let (tape, out, again) = (dir.path().join("tape"), dir.path().join("out"), dir.path().join("again"));
    run_local(&local(), &inputs, &model, Some((&tape, CassetteMode::Record)), &out);
    run_local(&local(), &inputs, &model, Some((&tape, CassetteMode::Strict)), &again);
    assert_eq!(tables(&out), tables(&again));
    let traces: Vec<Trace> = read_all(&out.join("traces.parquet")).unwrap();
    assert!(traces.iter().any(|t| t.event == Event::Failure && t.agent == "trader"));
    let decisions: Vec<Decision> = read_all(&out.join("decisions.parquet")).unwrap();
    assert!(decisions.iter().all(|d| d.position == 0.0));
}

/// Answers every request, the first with something that is no answer, and keeps the bodies.
fn serve() -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = bodies.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer =
                json!({"score": 0.5, "confidence": 0.8, "claims": [], "rationale": "It may rise."}).to_string();
            let mut seen = seen.lock().unwrap();
            let text = if seen.is_empty() { "I would buy.".to_owned() } else { answer };
            seen.push(serde_json::from_slice(&body).unwrap());
            let reply = json!({
                "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 30},
            });
            let reply = reply.to_string();
            write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{reply}", reply.len())
                .unwrap();
        }
    });
    (url, bodies)
}

#[test]
fn an_endpoint_is_asked_with_the_json_schema_repaired_and_paid() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = folder(&dir.path().join("market"), 3);
    let (url, bodies) = serve();
    let mut config = config();
    config.agents.reasoner = ReasonerKind::Endpoint;
    let price = providers::Prices { prompt_per_million: 1.0, answer_per_million: 10.0 };
    config.agents.prices.insert("big".into(), price);
    let out = dir.path().join("out");
    let open = || Ok(Box::new(reader()) as Box<dyn Provider>);
    let mut services = Services::new(&[], open);
    services.reasoner = Some((
        "big".into(),
        Box::new(move || Ok(Box::new(Endpoint::new(EndpointConfig::new(&url, "big"))?) as Box<dyn Provider>)),
    ));
    let manifest = run_with(&config, &inputs, services, &out, &OPTIONS).unwrap();

    let bodies = bodies.lock().unwrap();
    let schema: Value = serde_json::from_str(grounding::Answer::SCHEMA).unwrap();
    assert!(bodies.iter().all(|b| b["response_format"]["json_schema"]["schema"] == schema));
    let repaired = bodies[1]["messages"][0]["content"].as_str().unwrap();
    assert!(repaired.contains("could not be used: the answer does not begin with {"), "{repaired}");
    let opinions: Vec<Opinion> = read_all(&out.join("opinions.parquet")).unwrap();
    assert!(opinions.iter().all(|o| o.score == 0.5));
    let cost = manifest.facts["model_cost"].as_f64().unwrap();
    assert!((cost - bodies.len() as f64 * (100.0 + 300.0) / 1e6).abs() < 1e-12, "{cost} for {} calls", bodies.len());
    assert!(manifest.facts["estimated"]["money_at_most"].as_f64().unwrap() > cost);
}

#[test]
fn an_endpoint_without_an_address_says_what_to_give() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = folder(&dir.path().join("market"), 3);
    let mut config = config();
    config.agents.reasoner = ReasonerKind::Endpoint;
    let open = || Ok(Box::new(reader()) as Box<dyn Provider>);
    let error = run_with(&config, &inputs, Services::new(&[], open), &dir.path().join("out"), &OPTIONS).unwrap_err();
    assert!(matches!(error, Error::NoReasoner { .. }));
    assert!(error.to_string().contains("--endpoint"), "{error}");
}
