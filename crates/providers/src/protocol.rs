//! The chat-completions protocol: what is sent, and what of the answer is read.

use crate::{Completion, Error, Form, Prompt, Reply, Sampling, Shape, Usage};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Alternatives asked for at the first token of a scored answer: as many as the protocol allows.
const ALTERNATIVES: u32 = 20;

/// Path and body of a call that writes.
pub(crate) fn write_call(
    model: &str,
    prompt: Prompt<'_>,
    options: &Completion,
    shape: &Shape,
) -> (&'static str, Value) {
    let mut body = Map::new();
    body.insert("model".into(), json!(model));
    let path = match prompt {
        Prompt::Chat(messages) => {
            body.insert("messages".into(), messages_json(messages));
            "chat/completions"
        }
        Prompt::Raw(prefix) => {
            body.insert("prompt".into(), json!(prefix));
            "completions"
        }
    };
    body.insert("max_tokens".into(), json!(options.max_tokens));
    match options.sampling {
        Sampling::Greedy => {
            body.insert("temperature".into(), json!(0.0));
        }
        Sampling::Sample { temperature, top_k, top_p, seed } => {
            body.insert("temperature".into(), json!(temperature));
            // Servers read the seed as a signed number.
            body.insert("seed".into(), json!(seed >> 1));
            if let Some(top_p) = top_p {
                body.insert("top_p".into(), json!(top_p));
            }
            if let Some(top_k) = top_k {
                body.insert("top_k".into(), json!(top_k));
            }
        }
    }
    if let Some(min_p) = shape.min_p {
        body.insert("min_p".into(), json!(min_p));
    }
    if let Some(Form::JsonSchema(schema)) = &shape.form {
        // A schema that is no JSON is the caller's mistake; the server says so.
        let schema: Value = serde_json::from_str(schema).unwrap_or(Value::Null);
        let named = json!({"name": "answer", "strict": true, "schema": schema});
        body.insert("response_format".into(), json!({"type": "json_schema", "json_schema": named}));
    }
    if options.stop_at_line_break {
        body.insert("stop".into(), json!(["\n"]));
    }
    (path, Value::Object(body))
}

/// Path and body of a call for the probabilities of an answer's first token.
pub(crate) fn score_call(model: &str, messages: &[chat::Message]) -> (&'static str, Value) {
    let body = json!({
        "model": model, "messages": messages_json(messages), "max_tokens": 1, "temperature": 0.0, "logprobs": true,
        "top_logprobs": ALTERNATIVES,
    });
    ("chat/completions", body)
}

fn messages_json(messages: &[chat::Message]) -> Value {
    messages.iter().map(|m| json!({"role": m.role, "content": m.content})).collect()
}

#[derive(Deserialize)]
struct Body {
    choices: Vec<Choice>,
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Choice {
    message: Option<Content>,
    text: Option<String>,
    finish_reason: Option<String>,
    logprobs: Option<LogProbs>,
}

#[derive(Deserialize)]
struct Content {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Counted {
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

#[derive(Deserialize)]
struct LogProbs {
    content: Option<Vec<Position>>,
}

#[derive(Deserialize)]
struct Position {
    top_logprobs: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    token: String,
    logprob: f64,
}

fn parse(url: &str, bytes: &[u8]) -> Result<(Choice, Option<Usage>), Error> {
    let bad = |message: String| Error::BadResponse { url: url.to_owned(), message };
    let body: Body = serde_json::from_slice(bytes).map_err(|e| bad(e.to_string()))?;
    let usage = body.usage.map(|u| Usage { prompt_tokens: u.prompt_tokens, answer_tokens: u.completion_tokens });
    let choice = body.choices.into_iter().next().ok_or_else(|| bad("it has no choices".into()))?;
    Ok((choice, usage))
}

/// The text of an answer, and what it took where the server says so.
pub(crate) fn read_reply(url: &str, bytes: &[u8]) -> Result<(Reply, Option<Usage>), Error> {
    let (choice, usage) = parse(url, bytes)?;
    let text = choice.message.and_then(|m| m.content).or(choice.text).unwrap_or_default();
    Ok((Reply { text, finished: choice.finish_reason.as_deref() != Some("length") }, usage))
}

/// Probabilities of answers, and what they took where the server says so.
pub(crate) type Scored = (Vec<f64>, Option<Usage>);

/// The probability of each answer, from the alternatives to the first token: those that begin exactly one of the answers
/// share its probability, and what begins none does not count.
pub(crate) fn read_scores(url: &str, bytes: &[u8], answers: &[&str]) -> Result<Option<Scored>, Error> {
    let (choice, usage) = parse(url, bytes)?;
    let Some(position) = choice.logprobs.and_then(|l| l.content).and_then(|c| c.into_iter().next()) else {
        return Ok(None);
    };
    let mut scores = vec![0.0; answers.len()];
    for alternative in position.top_logprobs {
        let token = alternative.token.trim().to_lowercase();
        let begins = |answer: &&str| !token.is_empty() && answer.to_lowercase().starts_with(&token);
        let mut of: Vec<usize> = answers.iter().enumerate().filter(|(_, a)| begins(a)).map(|(i, _)| i).collect();
        if let (Some(only), true) = (of.pop(), of.is_empty())
            && let Some(score) = scores.get_mut(only)
        {
            *score += alternative.logprob.exp();
        }
    }
    let sum: f64 = scores.iter().sum();
    Ok((sum > 0.0).then(|| (scores.iter().map(|s| s / sum).collect(), usage)))
}
