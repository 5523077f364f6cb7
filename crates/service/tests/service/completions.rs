use crate::server::{Options, Server};
use chat::Message;
use providers::{Completion, Endpoint, EndpointConfig, Form, Prompt, Provider, Sampling, Shape};
use serde_json::{Value, json};
use service::Config;

const PATH: &str = "/v1/chat/completions";

fn asked(more: &Value) -> Value {
    let mut body =
        json!({"messages": [{"role": "user", "content": "Where next?"}], "max_tokens": 24, "temperature": 0});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn content(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().unwrap()
}

/// The chunks of a stream, without the closing mark.
fn chunks(text: &str) -> Vec<Value> {
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let (last, chunks) = data.split_last().unwrap();
    assert_eq!(*last, "[DONE]");
    chunks.iter().map(|chunk| serde_json::from_str(chunk).unwrap()).collect()
}

/// The text of a stream.
fn joined(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}

#[test]
fn our_own_client_of_the_protocol_gets_what_the_model_alone_writes() {
    let server = Server::plain();
    let endpoint = Endpoint::new(EndpointConfig::new(&format!("{}/v1", server.address), "tiny")).unwrap();
    let messages = [Message::user("Where next?")];
    let greedy = Completion { max_tokens: 24, ..Completion::default() };
    assert_eq!(endpoint.complete(&messages, &greedy).unwrap(), server.model.complete(&messages, &greedy).unwrap());
    // The client sends half of the seed: servers read it as a signed number.
    let drawn = |seed| Completion {
        sampling: Sampling::Sample { temperature: 0.9, top_k: Some(40), top_p: Some(0.95), seed },
        ..greedy.clone()
    };
    let served = endpoint.complete(&messages, &drawn(10)).unwrap();
    assert_eq!(served, server.model.complete(&messages, &drawn(5)).unwrap());
    assert_ne!(served, endpoint.complete(&messages, &drawn(12)).unwrap());
    let schema = json!({"enum": ["up", "down"]});
    let shape = Shape { form: Some(Form::JsonSchema(schema.to_string())), ..Shape::default() };
    let written = endpoint.write(Prompt::Chat(&messages), &greedy, &shape).unwrap();
    assert!(["\"up\"", "\"down\""].contains(&written.reply.text.as_str()), "{}", written.reply.text);
    assert!(written.usage.prompt_tokens > 0 && written.usage.answer_tokens > 0);
}

#[test]
fn a_stream_brings_the_same_text_in_pieces_and_tells_how_it_ended() {
    let server = Server::plain();
    // Drawn bytes: characters of several bytes come in parts.
    for seed in 0..4 {
        let more = json!({"temperature": 1.3, "seed": seed, "max_tokens": 60});
        let whole = server.post(PATH, &asked(&more)).json();
        let mut more = more;
        more["stream"] = json!(true);
        more["stream_options"] = json!({"include_usage": true});
        let streamed = server.post(PATH, &asked(&more));
        assert!(streamed.headers["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        let chunks = chunks(&streamed.text);
        assert_eq!(joined(&chunks), content(&whole));
        assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
        let reasons: Vec<&str> =
            chunks.iter().filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str()).collect();
        assert_eq!(reasons, [whole["choices"][0]["finish_reason"].as_str().unwrap()]);
        assert_eq!(chunks.last().unwrap()["usage"], whole["usage"]);
    }
}

#[test]
fn answers_that_are_written_at_the_same_time_do_not_mix() {
    let config = Config { writers: 3, ..Config::default() };
    let server = Server::start(Options { config, ..Options::default() });
    let bodies: Vec<Value> =
        (0..8).map(|seed| asked(&json!({"temperature": 1.0, "seed": seed, "max_tokens": 40}))).collect();
    let alone: Vec<Value> = bodies.iter().map(|body| server.post(PATH, body).json()).collect();
    let calls = bodies.iter().map(|body| server.send(server.post_of(PATH, body)));
    let together = server.runtime.block_on(futures_util::future::join_all(calls));
    for (alone, together) in alone.iter().zip(&together) {
        assert_eq!(alone["choices"], together.json()["choices"]);
        assert_ne!(alone["id"], together.json()["id"]);
    }
}

#[test]
fn a_stop_text_ends_the_answer_before_it_in_a_stream_too() {
    let server = Server::plain();
    let whole = server.post(PATH, &asked(&json!({}))).json();
    let text = content(&whole).to_owned();
    let characters: Vec<char> = text.chars().collect();
    let stop: String = characters[6..9].iter().collect();
    let before = text.split(&stop).next().unwrap();
    let stopped = server.post(PATH, &asked(&json!({"stop": [stop, "never"]}))).json();
    assert_eq!(content(&stopped), before);
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
    let streamed = server.post(PATH, &asked(&json!({"stop": stop, "stream": true})));
    assert_eq!(joined(&chunks(&streamed.text)), before);
}

#[test]
fn log_probabilities_are_those_of_the_model_and_descend() {
    let server = Server::plain();
    let answer = server.post(PATH, &asked(&json!({"logprobs": true, "top_logprobs": 5, "max_tokens": 3}))).json();
    let tokens = answer["choices"][0]["logprobs"]["content"].as_array().unwrap();
    assert_eq!(tokens.len(), 3);
    for token in tokens {
        let top: Vec<f64> =
            token["top_logprobs"].as_array().unwrap().iter().map(|t| t["logprob"].as_f64().unwrap()).collect();
        assert_eq!(top.len(), 5);
        assert!(top.is_sorted_by(|a, b| a >= b) && top.iter().all(|log| *log < 0.0), "{top:?}");
        // The likeliest was taken.
        assert_eq!(token["logprob"], token["top_logprobs"][0]["logprob"]);
    }
    // The first token's probability is that of an answer of this token alone among all tokens: held against the raw logits.
    let prompt = server.model.tokenizer().prompt(&[Message::user("Where next?")]).unwrap();
    let every: Vec<Vec<u32>> = (0..258).map(|id| vec![id]).collect();
    let alone = server.model.score_ids(&prompt, &every).unwrap();
    let best = alone.iter().copied().fold(0.0, f64::max);
    assert!((tokens[0]["logprob"].as_f64().unwrap() - best.ln()).abs() < 1e-5);
}

#[test]
fn a_message_may_come_in_parts_and_harmless_fields_are_let_through() {
    let server = Server::plain();
    let parts = json!([{"type": "text", "text": "Where "}, {"type": "text", "text": "next?"}]);
    let more = json!({"messages": [{"role": "user", "content": parts, "name": "ann"}], "user": "u1", "n": 1, "tools": [],
        "presence_penalty": 0, "frequency_penalty": 0.0, "logit_bias": null, "model": "tiny"});
    let (split, plain) = (server.post(PATH, &asked(&more)).json(), server.post(PATH, &asked(&json!({}))).json());
    assert_eq!(split["choices"], plain["choices"]);
    let models = server.get("/v1/models").json();
    assert_eq!(models["data"][0]["id"], "tiny");
}

#[test]
fn what_is_not_done_here_or_makes_no_sense_is_refused_by_name() {
    let server = Server::plain();
    for (more, status, code, told) in [
        (json!({"n": 2}), 400, "unsupported", "n = 2"),
        (json!({"tools": [{"type": "function"}]}), 400, "unsupported", "tools"),
        (json!({"presence_penalty": 0.5}), 400, "unsupported", "presence_penalty = 0.5"),
        (json!({"temprature": 0.5}), 400, "unsupported", "temprature"),
        (json!({"model": "gpt"}), 404, "model-not-found", "\"tiny\" is served"),
        (json!({"messages": []}), 400, "no-messages", "at least one"),
        (json!({"messages": [{"role": "user", "content": "a", "tool_calls": [1]}]}), 400, "unsupported", "tool_calls"),
        (json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}), 400, "bad-body", "does not fit"),
        (json!({"messages": [{"role": "user", "content": "a</s>"}]}), 400, "text-refused", "`</s>`"),
        (json!({"messages": [{"role": "user", "content": "a ".repeat(300)}]}), 400, "text-too-long", "context of 512"),
        (json!({"max_tokens": 0}), 400, "bad-parameter", "max_tokens is 0"),
        (json!({"max_tokens": 100_000}), 400, "bad-parameter", "max_answer_tokens"),
        (json!({"max_tokens": -1}), 400, "bad-body", "does not fit"),
        (json!({"temperature": 2.5}), 400, "bad-parameter", "temperature is 2.5"),
        (json!({"top_p": 0.0}), 400, "bad-parameter", "top_p is 0"),
        (json!({"top_k": 0}), 400, "bad-parameter", "top_k is 0"),
        (json!({"min_p": 1.5}), 400, "bad-parameter", "min_p is 1.5"),
        (json!({"top_logprobs": 3}), 400, "bad-parameter", "logprobs = true"),
        (json!({"logprobs": true, "top_logprobs": 21}), 400, "bad-parameter", "at most 20"),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "nonsense"}}}}),
            400,
            "bad-schema",
            "",
        ),
    ] {
        for stream in [false, true] {
            let mut more = more.clone();
            more["stream"] = json!(stream);
            let (found, named, message) = server.post(PATH, &asked(&more)).refusal();
            assert_eq!((found, named.as_str()), (status, code), "{more}: {message}");
            assert!(message.contains(told), "{more}: {message}");
        }
    }
}
