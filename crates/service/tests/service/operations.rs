use crate::server::{Options, Server};
use futures_util::StreamExt;
use serde_json::json;
use service::Config;

#[test]
fn without_the_key_nothing_below_v1_is_answered() {
    let server = Server::start(Options { api_key: Some("sesame".into()), ..Options::default() });
    let body = json!({"texts": ["Sales rose."]});
    let sent = |key: &str| {
        let request = server.post_of("/v1/sentiment", &body).header("authorization", key);
        server.runtime.block_on(server.send(request))
    };
    for wrong in ["", "sesame", "Bearer", "Bearer sesam", "Bearer sesames", "Basic sesame"] {
        let reply = sent(wrong);
        assert_eq!(reply.refusal().0, 401, "{wrong:?}");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
    }
    for path in ["/v1/models", "/v1/decisions"] {
        assert_eq!(server.get(path).status, 401);
    }
    assert_eq!(sent("Bearer sesame").status, 200);
    for open in ["/health", "/metrics", "/openapi.json", "/"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }
}

#[test]
fn what_exceeds_a_limit_is_refused_with_the_limits_name() {
    let config = Config { max_texts: 2, max_body_bytes: 500, ..Config::default() };
    let server = Server::start(Options { config, ..Options::default() });
    let post = |body: &serde_json::Value| server.post("/v1/sentiment", body).refusal();
    let (status, _, message) = post(&json!({"texts": ["a", "b", "c"]}));
    assert_eq!((status, message.as_str()), (413, "3 texts, 2 at most (max_texts)"));
    let (status, _, message) = post(&json!({"texts": ["a".repeat(600)]}));
    assert!(status == 413 && message.contains("max_body_bytes"), "{status} {message}");
    assert_eq!(post(&json!({"texts": []})).1, "no-texts");
    assert_eq!(post(&json!({"texts": ["a"], "langauge": "en"})).1, "bad-body");
    assert_eq!(post(&json!({"texts": ["a"], "language": "fr"})).1, "bad-body");
    assert_eq!(post(&json!(["a"])).1, "bad-body");
    let plain = server.client.post(format!("{}/v1/sentiment", server.address)).body("{}");
    assert_eq!(server.runtime.block_on(server.send(plain)).refusal().0, 415);
    assert_eq!(server.get("/v1/sentiment").refusal().0, 405);
    assert_eq!(server.get("/nowhere").refusal().0, 404);
}

#[test]
fn senseless_settings_do_not_start() {
    for config in [
        Config { max_requests: 0, ..Config::default() },
        Config { writers: 0, ..Config::default() },
        Config { timeout_seconds: f64::NAN, ..Config::default() },
    ] {
        assert!(config.check().is_err(), "{config:?}");
    }
}

/// A long answer, streamed: its head is there, the rest is being written.
async fn long_answer(server: &Server) -> reqwest::Response {
    // A byte-level model that may not end: the schema wants a string that it never closes by itself in time.
    let body = json!({"messages": [{"role": "user", "content": "Go on."}], "max_tokens": 400, "temperature": 1.0,
        "stream": true, "response_format": {"type": "json_schema", "json_schema": {"schema":
            {"type": "string", "minLength": 350}}}});
    let response = server.post_of("/v1/chat/completions", &body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

#[test]
fn a_request_too_many_is_told_to_come_again_and_who_goes_away_makes_room() {
    let config = Config { max_requests: 1, ..Config::default() };
    let server = Server::start(Options { config, ..Options::default() });
    server.runtime.block_on(async {
        let writing = long_answer(&server).await;
        let busy = server.send(server.post_of("/v1/sentiment", &json!({"texts": ["Sales rose."]}))).await;
        assert_eq!(busy.refusal().1, "busy");
        assert_eq!((busy.status, busy.headers["retry-after"].to_str().unwrap()), (503, "1"));
        drop(writing);
    });
    server.quiet();
    assert_eq!(server.post("/v1/sentiment", &json!({"texts": ["Sales rose."]})).status, 200);
}

#[test]
fn texts_are_read_while_a_long_answer_is_written() {
    let server = Server::plain();
    server.runtime.block_on(async {
        let writing = long_answer(&server).await;
        let read = server.send(server.post_of("/v1/sentiment", &json!({"texts": ["Sales rose."]}))).await;
        assert_eq!(read.status, 200);
        let health = server.send(server.client.get(format!("{}/health", server.address))).await;
        assert_eq!(health.json()["in_hand"], 1, "the long answer ended before the text was read");
        drop(writing);
    });
}

#[test]
fn who_is_asked_to_stop_finishes_what_was_begun_and_takes_nothing_new() {
    let mut server = Server::plain();
    let (address, client) = (server.address.clone(), server.client.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let writing = runtime.block_on(long_answer(&server));
    server.tell_to_stop();
    let text = runtime.block_on(async {
        let mut pieces = writing.bytes_stream();
        let mut whole = Vec::new();
        while let Some(piece) = pieces.next().await {
            whole.extend(piece.unwrap());
        }
        String::from_utf8(whole).unwrap()
    });
    assert!(text.trim_end().ends_with("data: [DONE]"), "{text}");
    server.ended().unwrap();
    assert!(runtime.block_on(client.get(format!("{address}/health")).send()).is_err());
}

#[test]
fn what_takes_too_long_is_given_up_with_a_status() {
    let config = Config { timeout_seconds: 0.001, ..Config::default() };
    let server = Server::start(Options { config, ..Options::default() });
    // Far more than a millisecond's work.
    let texts: Vec<String> = (0..256).map(|n| format!("{n} {}", "sales rose ".repeat(30))).collect();
    let (status, code, message) = server.post("/v1/sentiment", &json!({"texts": texts})).refusal();
    assert_eq!((status, code.as_str()), (504, "timeout"));
    assert!(message.contains("timeout_seconds"), "{message}");
    // Nobody waits for it any more, so its texts are not read to the end.
    server.quiet();
    assert!(!server.get("/metrics").text.contains("seafin_texts_scored_total 256"));
}

#[test]
fn the_description_names_every_call_with_its_refusals() {
    let server = Server::plain();
    let described = server.get("/openapi.json").json();
    let paths: Vec<&str> = described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(paths, ["/health", "/metrics", "/v1/chat/completions", "/v1/decisions", "/v1/models", "/v1/sentiment"]);
    for parameter in described["paths"]["/v1/decisions"]["get"]["parameters"].as_array().unwrap() {
        assert_eq!(parameter["in"], "query");
    }
    // What comes back is of a described type.
    for (path, kind) in [("/health", "application/json"), ("/metrics", "application/openmetrics-text")] {
        let sent = server.get(path).headers["content-type"].to_str().unwrap().to_owned();
        assert!(sent.starts_with(kind), "{sent}");
        assert!(described["paths"][path]["get"]["responses"]["200"]["content"][kind].is_object(), "{path}");
    }
    // Every reference leads somewhere.
    let text = described.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(described["components"]["schemas"][name].is_object(), "{name}");
    }
    // What comes back has the fields that the call's own type must have.
    let sentiment = server.post("/v1/sentiment", &json!({"texts": ["Sales rose."]}));
    let refused = server.post("/v1/sentiment", &json!({"texts": []}));
    let messages = json!([{"role": "user", "content": "Where next?"}]);
    let completion = server.post("/v1/chat/completions", &json!({"messages": messages, "max_tokens": 2}));
    for (method, path, reply) in [
        ("post", "/v1/sentiment", sentiment),
        ("post", "/v1/sentiment", refused),
        ("post", "/v1/chat/completions", completion),
        ("get", "/v1/models", server.get("/v1/models")),
        ("get", "/health", server.get("/health")),
    ] {
        let content = &described["paths"][path][method]["responses"][reply.status.to_string()]["content"];
        let name = content["application/json"]["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        for field in described["components"]["schemas"][name]["required"].as_array().unwrap() {
            assert!(!reply.json()[field.as_str().unwrap()].is_null(), "{path}: {name} has no {field}");
        }
    }
}

#[test]
fn paths_that_nobody_serves_share_one_name_in_the_metrics() {
    let server = Server::plain();
    for n in 0..5 {
        server.get(&format!("/made-up-{n}"));
    }
    let metrics = server.get("/metrics").text;
    assert!(metrics.contains("seafin_http_requests_total{path=\"none\",status=\"404\"} 5"), "{metrics}");
    assert!(!metrics.contains("made-up") && metrics.trim_end().ends_with("# EOF"));
}
