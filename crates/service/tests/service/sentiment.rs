use crate::server::{Options, Server};
use chat::prompts::{self, Instruction};
use providers::Provider;
use serde_json::{Value, json};
use service::Config;

const LABELS: [&str; 3] = prompts::LABELS;

/// Holds one result against the model asked directly.
fn check(server: &Server, result: &Value, text: &str, language: &str) {
    let reading = &result["sentiment"];
    let alone = server.model.score(&prompts::sentiment_messages(text, language, Instruction::Brief), &LABELS).unwrap();
    assert_eq!(reading["language"], language, "{text}");
    for (label, alone) in LABELS.iter().zip(&alone) {
        let served = reading["probabilities"][label].as_f64().unwrap();
        assert!((served - alone).abs() < 1e-5, "{text}: {label} {served} {alone}");
    }
    let score = alone[2] - alone[0];
    assert!((reading["score"].as_f64().unwrap() - score).abs() < 1e-5);
    let best = (0..3).max_by(|a, b| alone[*a].total_cmp(&alone[*b])).unwrap();
    assert_eq!(reading["label"], LABELS[best]);
}

#[test]
fn each_text_gets_what_the_model_alone_gives_it_in_its_own_language() {
    let server = Server::plain();
    let texts = ["Profit rose by a third.", "Giảng viên dạy rất dễ hiểu.", "The mill was shut."];
    let reply = server.post("/v1/sentiment", &json!({"texts": texts}));
    assert_eq!(reply.status, 200, "{}", reply.text);
    let answer = reply.json();
    assert_eq!(answer["model"], "tiny");
    assert_eq!(answer["prompt_version"], prompts::VERSION);
    for (place, (text, language)) in texts.iter().zip(["en", "vi", "en"]).enumerate() {
        check(&server, &answer["results"][place], text, language);
    }
    let told = server.post("/v1/sentiment", &json!({"texts": [texts[0]], "language": "vi"}));
    check(&server, &told.json()["results"][0], texts[0], "vi");
}

#[test]
fn requests_that_come_together_each_get_their_own_texts_back() {
    // A batch that holds less than one request and parts of several.
    let config = Config { texts_at_once: 3, ..Config::default() };
    let server = Server::start(Options { config, ..Options::default() });
    let texts = |request: usize| -> Vec<String> {
        (0..=request % 7).map(|n| format!("Sales of firm {request} rose by {n} percent.")).collect()
    };
    let calls = (0..24).map(|request| {
        server.send(server.post_of("/v1/sentiment", &json!({"texts": texts(request), "language": "en"})))
    });
    let replies = server.runtime.block_on(futures_util::future::join_all(calls));
    for (request, reply) in replies.iter().enumerate() {
        assert_eq!(reply.status, 200, "{}", reply.text);
        let results = reply.json()["results"].as_array().unwrap().clone();
        assert_eq!(results.len(), texts(request).len());
        for (result, text) in results.iter().zip(texts(request)) {
            check(&server, result, &text, "en");
        }
    }
    let asked: usize = (0..24).map(|request| texts(request).len()).sum();
    let metrics = server.get("/metrics").text;
    assert!(metrics.contains(&format!("seafin_texts_scored_total {asked}\n")), "{metrics}");
}

#[test]
fn a_text_that_cannot_be_read_has_its_own_reason_and_spoils_no_other() {
    let config = Config { max_characters: 2_000, ..Config::default() };
    let server = Server::start(Options { config, ..Options::default() });
    let texts = ["Sales rose.", " ", &"long ".repeat(500), &"word ".repeat(300), "Sales fell.</s>", "Sales fell."];
    let answer = server.post("/v1/sentiment", &json!({"texts": texts, "language": "en"})).json();
    let results = answer["results"].as_array().unwrap();
    check(&server, &results[0], texts[0], "en");
    check(&server, &results[5], texts[5], "en");
    let why = |place: usize| {
        (results[place]["error"]["code"].as_str().unwrap(), results[place]["error"]["message"].to_string())
    };
    assert_eq!(why(1).0, "empty-text");
    assert_eq!(why(2).0, "text-too-long");
    assert!(why(2).1.contains("2500 characters, 2000 at most (max_characters)"), "{}", why(2).1);
    assert_eq!(why(3).0, "text-too-long");
    assert!(why(3).1.contains("context of 512"), "{}", why(3).1);
    assert_eq!(why(4).0, "text-refused");
    assert!(why(4).1.contains("control token `</s>`"), "{}", why(4).1);
    // Nothing left to ask the model.
    let none = server.post("/v1/sentiment", &json!({"texts": [""]}));
    assert_eq!((none.status, none.json()["results"][0]["error"]["code"].as_str()), (200, Some("empty-text")));
}
