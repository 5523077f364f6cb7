//! The endpoint against a server on loopback that answers by script.
#![allow(clippy::unwrap_used, reason = "tests")]

use chat::Message;
use providers::{
    Budget, Budgeted, Completion, Endpoint, EndpointConfig, Error, Form, Prices, Prompt, Provider, Sampling, Shape,
    Usage,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Status, further header lines and body of one answer; none: read the request and stay silent.
type Answer = Option<(u16, &'static str, String)>;

struct Server {
    url: String,
    requests: Arc<Mutex<Vec<(String, String, Value)>>>,
}

/// Gives these answers, one a connection, and keeps path, authorization and body of each request.
fn serve(answers: Vec<Answer>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let path = line.split(' ').nth(1).unwrap().to_owned();
            let (mut length, mut key) = (0, String::new());
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                let Some((name, value)) = header.trim().split_once(": ") else { break };
                match name.to_lowercase().as_str() {
                    "content-length" => length = value.parse().unwrap(),
                    "authorization" => value.clone_into(&mut key),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            seen.lock().unwrap().push((path, key, serde_json::from_slice(&body).unwrap()));
            let Some((status, headers, body)) = answer else {
                silent.push(stream);
                continue;
            };
            write!(
                stream,
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
                body.len()
            )
            .unwrap();
        }
        if !silent.is_empty() {
            std::thread::sleep(Duration::from_secs(20)); // the connections stay open
        }
    });
    Server { url, requests }
}

#[expect(clippy::unnecessary_wraps, reason = "an answer by script may be none")]
fn says(text: &str, read: u64, written: u64) -> Answer {
    let body = json!({
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": read, "completion_tokens": written},
    });
    Some((200, "", body.to_string()))
}

#[expect(clippy::unnecessary_wraps, reason = "an answer by script may be none")]
fn refuses(status: u16, headers: &'static str) -> Answer {
    Some((status, headers, json!({"error": {"message": "no room"}}).to_string()))
}

fn config(server: &Server) -> EndpointConfig {
    EndpointConfig {
        api_key: Some("key-1".into()),
        timeout: Duration::from_millis(400),
        retries: 3,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(40),
        ..EndpointConfig::new(&server.url, "small")
    }
}

fn ask(endpoint: &Endpoint) -> Result<String, Error> {
    endpoint.complete(&[Message::user("Up?")], &Completion::default()).map(|reply| reply.text)
}

#[test]
fn the_request_carries_what_was_asked_and_the_reply_what_was_said() {
    let server = serve(vec![says("Up.", 7, 2)]);
    let endpoint = Endpoint::new(config(&server)).unwrap();
    let sampling = Sampling::Sample { temperature: 0.5, top_k: None, top_p: Some(0.9), seed: 10 };
    let options = Completion { max_tokens: 9, sampling, stop_at_line_break: true };
    let shape = Shape { min_p: Some(0.1), ..Shape::default() };
    let written = endpoint.write(Prompt::Chat(&[Message::user("Up?")]), &options, &shape).unwrap();
    assert_eq!((written.reply.text.as_str(), written.reply.finished), ("Up.", true));
    assert_eq!(endpoint.usage(), Usage { prompt_tokens: 7, answer_tokens: 2 });
    let (path, key, body) = server.requests.lock().unwrap().remove(0);
    assert_eq!((path.as_str(), key.as_str()), ("/v1/chat/completions", "Bearer key-1"));
    assert_eq!(
        body,
        json!({"model": "small", "messages": [{"role": "user", "content": "Up?"}], "max_tokens": 9, "temperature": 0.5,
            "seed": 5, "top_p": 0.9, "min_p": 0.1, "stop": ["\n"]})
    );
}

#[test]
fn load_and_faults_are_tried_again_and_retry_after_is_heeded() {
    let server = serve(vec![refuses(429, "retry-after: 0\r\n"), refuses(503, ""), None, says("Up.", 1, 1)]);
    let endpoint = Endpoint::new(config(&server)).unwrap();
    assert_eq!(ask(&endpoint).unwrap(), "Up.");
    assert_eq!(server.requests.lock().unwrap().len(), 4);
}

#[test]
fn after_the_last_try_the_error_tells_status_tries_and_what_the_server_said() {
    let server = serve((0..4).map(|_| refuses(500, "")).collect());
    let error = ask(&Endpoint::new(config(&server)).unwrap()).unwrap_err();
    assert!(matches!(&error, Error::Status { status: 500, tries: 4, message, .. } if message == "no room"), "{error}");
}

#[test]
fn a_wrong_key_is_not_tried_again_and_never_shown() {
    let server = serve(vec![refuses(401, "")]);
    let error = ask(&Endpoint::new(config(&server)).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Status { status: 401, tries: 1, .. }), "{error}");
    assert!(!error.to_string().contains("key-1"));
}

#[test]
fn silence_ends_by_the_time_limit_and_a_closed_port_by_the_tries() {
    let server = serve(vec![None]);
    let patient = EndpointConfig { retries: 0, timeout: Duration::from_millis(80), ..config(&server) };
    let error = ask(&Endpoint::new(patient).unwrap()).unwrap_err().to_string();
    assert!(error.contains("nothing came within 0.1 s"), "{error}");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = EndpointConfig { base_url: format!("http://{port}/v1"), ..config(&server) };
    let error = ask(&Endpoint::new(nobody).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Unreachable { tries: 4, .. }), "{error}");
}

#[test]
fn answers_are_scored_from_the_alternatives_to_the_first_token() {
    let top = json!([
        {"token": "pos", "logprob": 0.4_f64.ln()}, {"token": " Positive", "logprob": 0.2_f64.ln()},
        {"token": "neutral", "logprob": 0.2_f64.ln()}, {"token": "ne", "logprob": 0.1_f64.ln()},
        {"token": "Hm", "logprob": 0.1_f64.ln()},
    ]);
    let body = json!({"choices": [{"message": {"content": "pos"}, "logprobs": {"content": [{"top_logprobs": top}]}}]});
    let plain = says("positive", 1, 1);
    let server = serve(vec![Some((200, "", body.to_string())), plain]);
    let endpoint = Endpoint::new(config(&server)).unwrap();
    let labels = ["negative", "neutral", "positive"];
    let p = endpoint.score(&[Message::user("Up?")], &labels).unwrap();
    assert!(p.iter().zip([0.0, 0.25, 0.75]).all(|(a, b)| (a - b).abs() < 1e-12), "{p:?}");
    assert_eq!(server.requests.lock().unwrap()[0].2["top_logprobs"], 20);
    assert!(matches!(endpoint.score(&[Message::user("Up?")], &labels), Err(Error::CannotScore { .. })));
}

#[test]
fn a_choice_is_checked_and_anything_else_is_an_error() {
    let server = serve(vec![says(" Positive.\n", 1, 1), says("Well, positive", 1, 1)]);
    let endpoint = Endpoint::new(config(&server)).unwrap();
    let choose = || {
        let shape = Shape::choice(["negative", "positive"]);
        endpoint.write(Prompt::Chat(&[Message::user("Up?")]), &Completion::default(), &shape)
    };
    assert_eq!(choose().unwrap().reply.text, "positive");
    assert!(choose().unwrap_err().to_string().contains("none of negative, positive"));
}

#[test]
fn a_budget_stops_before_the_call_that_it_does_not_cover() {
    let server = serve(vec![says("Up.", 20, 10), says("Up.", 20, 10)]);
    let prices = Prices { prompt_per_million: 1e6, answer_per_million: 2e6 };
    // A call is estimated at 5 + 16 tokens and 37 of money, and takes 30 tokens and 40 of money.
    let budget = Budget { tokens: None, money: Some(80.0), prices };
    let provider = Budgeted::new(Endpoint::new(config(&server)).unwrap(), budget);
    let call = || provider.complete(&[Message::user("Up?")], &Completion::default());
    call().unwrap();
    call().unwrap();
    let error = call().unwrap_err();
    assert!(matches!(error, Error::BudgetSpent { .. }), "{error}");
    assert!(error.to_string().contains("0.0000 are left"), "{error}");
    assert_eq!(server.requests.lock().unwrap().len(), 2, "the third was never sent");
    assert!((provider.spent() - 80.0).abs() < 1e-9);
}

#[test]
fn a_json_schema_goes_out_as_the_response_format() {
    let server = serve(vec![says(r#"{"n": 3}"#, 9, 5)]);
    let endpoint = Endpoint::new(EndpointConfig::new(&server.url, "m")).unwrap();
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let shape = Shape { form: Some(Form::JsonSchema(schema.to_string())), ..Shape::default() };
    let question = [Message::user("How many?")];
    let written = endpoint.write(Prompt::Chat(&question), &Completion::default(), &shape).unwrap();
    assert_eq!(written.reply.text, r#"{"n": 3}"#);
    let requests = server.requests.lock().unwrap();
    let format = &requests[0].2["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!((&format["json_schema"]["schema"], &format["json_schema"]["strict"]), (&schema, &json!(true)));
}
