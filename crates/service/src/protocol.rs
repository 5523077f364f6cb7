//! The chat-completions protocol as a server sees it (OpenAI's API reference, "Create chat completion"): what of it is
//! understood, and what is refused because it would change the answer and is not done here.

use crate::Config;
use crate::engine::{End, Order, Piece};
use crate::error::Refused;
use chat::Message;
use providers::{Completion, Form, Sampling, Shape};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use utoipa::ToSchema;

/// A conversation to go on with.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChatCompletionRequest)]
pub(crate) struct Request {
    /// The served model's name, as `/v1/models` tells it; without it, whichever is served.
    model: Option<String>,
    /// From the first turn to the last.
    #[schema(min_items = 1)]
    messages: Vec<Turn>,
    /// Most tokens to write.
    #[schema(minimum = 1)]
    max_tokens: Option<usize>,
    /// The same under its newer name.
    #[schema(minimum = 1)]
    max_completion_tokens: Option<usize>,
    /// 0: the likeliest token each time. 1 without it.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Draw only among the fewest tokens whose probabilities reach this.
    #[schema(exclusive_minimum = 0, maximum = 1)]
    top_p: Option<f64>,
    /// Draw only among so many likeliest tokens.
    #[schema(minimum = 1)]
    top_k: Option<usize>,
    /// Draw only among tokens at least this many times as likely as the likeliest.
    #[schema(minimum = 0, maximum = 1)]
    min_p: Option<f64>,
    /// Equal requests with equal seeds give equal answers; without it the service's own seed.
    seed: Option<i64>,
    /// Texts that end the answer; not part of it.
    stop: Option<Stop>,
    /// What the whole answer must look like.
    response_format: Option<Format>,
    /// Whether log-probabilities are told, before any constraint of form.
    logprobs: Option<bool>,
    /// Alternatives to each token.
    #[schema(maximum = 20)]
    top_logprobs: Option<usize>,
    /// Whether the answer comes piece by piece, as server-sent events.
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    #[schema(ignore)]
    other: Map<String, Value>,
}

/// One turn.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Turn {
    /// `system`, `user` or `assistant`; a model's template may know more.
    role: String,
    content: Content,
    #[serde(flatten)]
    #[schema(ignore)]
    other: Map<String, Value>,
}

/// What is said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part of what is said; only texts are read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Part {
    Text { text: String },
}

/// One text or several.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Stop {
    One(String),
    Several(Vec<String>),
}

/// What the whole answer must look like.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Format {
    /// Anything.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema { json_schema: Named },
}

/// A schema with a name.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Named {
    #[schema(value_type = Object)]
    schema: Value,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct StreamOptions {
    /// Whether a last event tells the tokens used.
    include_usage: Option<bool>,
}

/// Fields that change nothing here, whatever they say.
const HARMLESS: [&str; 6] = ["user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"];
/// Fields that are not done here, with the value that asks for nothing.
const NEUTRAL: [(&str, f64); 3] = [("n", 1.0), ("presence_penalty", 0.0), ("frequency_penalty", 0.0)];

fn known(field: &str, value: &Value) -> bool {
    let nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let neutral = NEUTRAL.iter().any(|(name, neutral)| *name == field && value.as_f64() == Some(*neutral));
    nothing || neutral || HARMLESS.contains(&field)
}

/// How an answer goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) stream: bool,
    pub(crate) usage: bool,
}

impl Request {
    /// What the model's thread is to do, and how the answer goes back.
    pub(crate) fn order(
        self,
        served: &str,
        config: &Config,
        seed: u64,
        pieces: mpsc::UnboundedSender<Result<Piece, Refused>>,
    ) -> Result<(Order, Delivery), Refused> {
        if let Some(model) = self.model.as_ref().filter(|model| *model != served) {
            let message = format!("no model {model:?} here; {served:?} is served");
            return Err(Refused::new(axum::http::StatusCode::NOT_FOUND, "model-not-found", message));
        }
        if let Some((field, value)) = self.other.iter().find(|(field, value)| !known(field, value)) {
            let message = format!("{field} = {value} is not understood here and would change the answer; leave it out");
            return Err(Refused::bad("unsupported", message));
        }
        let stream = self.stream.unwrap_or(false);
        let usage = self.stream_options.as_ref().and_then(|o| o.include_usage).unwrap_or(false);
        let order = Order {
            options: Completion {
                max_tokens: self.max_tokens(config)?,
                sampling: self.sampling(seed)?,
                stop_at_line_break: false,
            },
            shape: self.shape(),
            alternatives: self.alternatives()?,
            stop: match self.stop {
                None => Vec::new(),
                Some(Stop::One(text)) => vec![text],
                Some(Stop::Several(texts)) => texts,
            },
            messages: messages(self.messages, config)?,
            pieces,
        };
        Ok((order, Delivery { stream, usage }))
    }

    fn max_tokens(&self, config: &Config) -> Result<usize, Refused> {
        let limit = config.max_answer_tokens;
        match self.max_completion_tokens.or(self.max_tokens) {
            None => Ok(limit),
            Some(0) => Err(Refused::bad("bad-parameter", "max_tokens is 0; ask for at least one")),
            Some(wanted) if wanted > limit => {
                let message = format!("max_tokens is {wanted}; {limit} at most (max_answer_tokens)");
                Err(Refused::bad("bad-parameter", message))
            }
            Some(wanted) => Ok(wanted),
        }
    }

    fn sampling(&self, seed: u64) -> Result<Sampling, Refused> {
        let wrong = |name: &str, found: f64, expected: &str| {
            Err(Refused::bad("bad-parameter", format!("{name} is {found}; it must be {expected}")))
        };
        let temperature = self.temperature.unwrap_or(1.0);
        if !(0.0..=2.0).contains(&temperature) {
            return wrong("temperature", temperature, "from 0 to 2");
        }
        if let Some(p) = self.top_p.filter(|p| !(*p > 0.0 && *p <= 1.0)) {
            return wrong("top_p", p, "above 0 and at most 1");
        }
        if let Some(p) = self.min_p.filter(|p| !(0.0..=1.0).contains(p)) {
            return wrong("min_p", p, "from 0 to 1");
        }
        if self.top_k == Some(0) {
            return wrong("top_k", 0.0, "at least 1");
        }
        if temperature == 0.0 {
            return Ok(Sampling::Greedy);
        }
        let seed = self.seed.map_or(seed, i64::cast_unsigned);
        Ok(Sampling::Sample { temperature, top_k: self.top_k, top_p: self.top_p, seed })
    }

    fn shape(&self) -> Shape {
        let form = match &self.response_format {
            None | Some(Format::Text) => None,
            Some(Format::JsonObject) => Some(Form::JsonSchema(json!({"type": "object"}).to_string())),
            Some(Format::JsonSchema { json_schema: Named { schema } }) => Some(Form::JsonSchema(schema.to_string())),
        };
        Shape { form, min_p: self.min_p.filter(|p| *p > 0.0), ..Shape::default() }
    }

    fn alternatives(&self) -> Result<Option<usize>, Refused> {
        let count = self.top_logprobs.unwrap_or(0);
        if count > 20 {
            return Err(Refused::bad("bad-parameter", format!("top_logprobs is {count}; it must be at most 20")));
        }
        if count > 0 && self.logprobs != Some(true) {
            return Err(Refused::bad("bad-parameter", "top_logprobs needs logprobs = true"));
        }
        Ok((self.logprobs == Some(true)).then_some(count))
    }
}

fn messages(turns: Vec<Turn>, config: &Config) -> Result<Vec<Message>, Refused> {
    if turns.is_empty() {
        return Err(Refused::bad("no-messages", "`messages` is empty; give at least one"));
    }
    let message = |turn: Turn| {
        if let Some((field, value)) = turn.other.iter().find(|(field, v)| !v.is_null() && *field != "name") {
            let message = format!("{field} = {value} in a message is not understood here; leave it out");
            return Err(Refused::bad("unsupported", message));
        }
        let content = match turn.content {
            Content::Text(text) => text,
            Content::Parts(parts) => parts.into_iter().map(|Part::Text { text }| text).collect(),
        };
        let characters = content.chars().count();
        if characters > config.max_characters {
            return Err(Refused::too_many(
                "characters in a message",
                characters,
                config.max_characters,
                "max_characters",
            ));
        }
        Ok(Message::new(&turn.role, &content))
    };
    turns.into_iter().map(message).collect()
}

/// A whole answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatCompletion)]
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) created: u64,
    pub(crate) model: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) usage: Usage,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Choice {
    index: u32,
    message: Said,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Logs>,
    /// `stop`, or `length` where the limit of tokens cut it.
    finish_reason: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Said {
    role: &'static str,
    content: String,
}

/// Tokens that a request took.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the protocol's names")]
pub(crate) struct Usage {
    prompt_tokens: usize,
    completion_tokens: usize,
    total_tokens: usize,
}

impl From<End> for Usage {
    fn from(End { prompt_tokens, answer_tokens, .. }: End) -> Self {
        Self { prompt_tokens, completion_tokens: answer_tokens, total_tokens: prompt_tokens + answer_tokens }
    }
}

/// Log-probabilities of each token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Logs {
    content: Vec<TokenLog>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenLog {
    token: String,
    /// In nats.
    logprob: f64,
    bytes: Vec<u8>,
    top_logprobs: Vec<Alternative>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alternative {
    token: String,
    logprob: f64,
    bytes: Vec<u8>,
}

impl Logs {
    /// Nothing where none were asked for.
    pub(crate) fn of(tokens: Vec<Vec<(String, f64)>>) -> Option<Self> {
        // JSON has no infinity, and the protocol says -9999 for "next to never".
        let finite = |log: f64| log.max(-9999.0);
        let content: Vec<TokenLog> = tokens
            .into_iter()
            .filter_map(|told| {
                let mut told = told.into_iter();
                let (token, log) = told.next()?;
                let top_logprobs = told
                    .map(|(token, log)| Alternative { bytes: token.clone().into_bytes(), token, logprob: finite(log) })
                    .collect();
                Some(TokenLog { bytes: token.clone().into_bytes(), token, logprob: finite(log), top_logprobs })
            })
            .collect();
        (!content.is_empty()).then_some(Self { content })
    }
}

impl Choice {
    pub(crate) fn new(content: String, tokens: Vec<Vec<(String, f64)>>, end: End) -> Self {
        let message = Said { role: "assistant", content };
        Self { index: 0, message, logprobs: Logs::of(tokens), finish_reason: reason(end) }
    }
}

pub(crate) fn reason(end: End) -> &'static str {
    if end.finished { "stop" } else { "length" }
}
