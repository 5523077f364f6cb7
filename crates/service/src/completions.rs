use crate::engine::{Job, Piece};
use crate::error::{ErrorBody, Refused};
use crate::protocol::{Answer, Choice, Delivery, Logs, Request, Usage, reason};
use crate::routes::{State, read};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use utoipa::ToSchema;

type Pieces = UnboundedReceiver<Result<Piece, Refused>>;

/// The assistant's next message.
///
/// Fields of the protocol that would change the answer and are not done here (`n`, tools, penalties) are refused, never ignored.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "model", request_body = Request, security(("key" = [])), responses(
    (status = 200, description = "With `stream`: server-sent events, each a `chat.completion.chunk`, then `[DONE]`.",
        content((Answer = "application/json"), (String = "text/event-stream"))),
    (status = 400, description = "The body does not fit.", body = ErrorBody),
    (status = 401, description = "The key is missing or wrong.", body = ErrorBody),
    (status = 404, description = "Another model is served.", body = ErrorBody),
    (status = 413, description = "More than a limit allows.", body = ErrorBody),
    (status = 415, description = "Not application/json.", body = ErrorBody),
    (status = 503, description = "Too many requests are in hand.", body = ErrorBody),
    (status = 504, description = "Not answered in time.", body = ErrorBody),
))]
pub(crate) async fn completions(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let request: Request = read(&headers, body, &state.config)?;
    let (sender, mut pieces) = unbounded_channel();
    let (order, delivery) = request.order(&state.name, &state.config, state.seed, sender)?;
    state.engine.send(Job::Write(Box::new(order)))?;
    if delivery.stream {
        // A refusal of the model still has its own status: the head goes out with the first piece.
        let first = state.patiently(next(&mut pieces)).await??;
        return Ok(Sse::new(events(state, first, pieces, delivery)).keep_alive(KeepAlive::default()).into_response());
    }
    let (text, tokens, end) = state.patiently(whole(&mut pieces)).await??;
    let choices = vec![Choice::new(text, tokens, end)];
    let (id, created) = (state.id("chatcmpl"), state.now());
    let model = state.name.clone();
    Ok(Json(Answer { id, object: "chat.completion", created, model, choices, usage: Usage::from(end) }).into_response())
}

async fn next(pieces: &mut Pieces) -> Result<Piece, Refused> {
    pieces.recv().await.unwrap_or_else(|| Err(Refused::ended()))
}

type Whole = (String, Vec<Vec<(String, f64)>>, crate::engine::End);

async fn whole(pieces: &mut Pieces) -> Result<Whole, Refused> {
    let (mut text, mut tokens) = (String::new(), Vec::new());
    loop {
        let piece = next(pieces).await?;
        text.push_str(&piece.text);
        tokens.extend(piece.tokens);
        if let Some(end) = piece.end {
            return Ok((text, tokens, end));
        }
    }
}

/// What is left of a stream.
enum Rest {
    Piece(Result<Piece, Refused>),
    Waiting,
    Over,
}

/// The events of one answer: who speaks, each piece, how it ended, perhaps what it took, and `[DONE]`.
fn events(
    state: Arc<State>,
    first: Piece,
    pieces: Pieces,
    delivery: Delivery,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let (id, created) = (state.id("chatcmpl"), state.now());
    let model = state.name.clone();
    let chunk = move |choices: Value, usage: Value| {
        let head = json!({"id": id, "object": "chat.completion.chunk", "created": created, "model": model});
        let mut chunk = head;
        chunk["choices"] = choices;
        if delivery.usage {
            chunk["usage"] = usage;
        }
        Event::default().data(chunk.to_string())
    };
    let delta = |delta: Value, logs: Option<Logs>, reason: Option<&str>| {
        let mut choice = json!({"index": 0, "delta": delta, "finish_reason": reason});
        if let Some(logs) = logs {
            choice["logprobs"] = json!(logs);
        }
        json!([choice])
    };
    let speaker = chunk(delta(json!({"role": "assistant", "content": ""}), None, None), Value::Null);
    let later = stream::unfold((state, pieces, Rest::Piece(Ok(first))), move |(state, mut pieces, rest)| {
        let chunk = chunk.clone();
        async move {
            let piece = match rest {
                Rest::Over => return None,
                Rest::Piece(piece) => piece,
                Rest::Waiting => state.patiently(next(&mut pieces)).await.unwrap_or_else(Err),
            };
            let mut events = Vec::new();
            let mut rest = Rest::Waiting;
            match piece {
                Ok(Piece { text, tokens, end }) => {
                    if !text.is_empty() || !tokens.is_empty() {
                        events.push(chunk(delta(json!({"content": text}), Logs::of(tokens), None), Value::Null));
                    }
                    if let Some(end) = end {
                        events.push(chunk(delta(json!({}), None, Some(reason(end))), Value::Null));
                        if delivery.usage {
                            events.push(chunk(json!([]), json!(Usage::from(end))));
                        }
                        rest = Rest::Over;
                    }
                }
                Err(refused) => {
                    events.push(Event::default().data(json!(refused.body()).to_string()));
                    rest = Rest::Over;
                }
            }
            if matches!(rest, Rest::Over) {
                events.push(Event::default().data("[DONE]"));
            }
            Some((events, (state, pieces, rest)))
        }
    });
    stream::once(async { vec![speaker] }).chain(later).flat_map(stream::iter).map(Ok)
}

/// The one model that is served.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Models {
    object: &'static str,
    data: Vec<Model>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Model {
    /// What requests may name.
    id: String,
    object: &'static str,
    /// When the service was started.
    created: u64,
    owned_by: &'static str,
}

/// Which model is served.
#[utoipa::path(get, path = "/v1/models", tag = "model", security(("key" = [])), responses(
    (status = 200, body = Models),
    (status = 401, description = "The key is missing or wrong.", body = ErrorBody),
))]
pub(crate) async fn models(Shared(state): Shared<Arc<State>>) -> Json<Models> {
    let model = Model { id: state.name.clone(), object: "model", created: state.started, owned_by: "seafin" };
    Json(Models { object: "list", data: vec![model] })
}
