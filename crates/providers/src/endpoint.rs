use crate::{Completion, Error, Form, Prompt, Provider, Reply, Shape, Usage, Written, protocol};
use chat::Message;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Where an endpoint is and how patiently to ask it.
#[derive(Clone)]
pub struct EndpointConfig {
    /// What comes before `/chat/completions`, such as `http://localhost:8000/v1`.
    pub base_url: String,
    /// The name of the model there.
    pub model: String,
    /// Sent as `Authorization: Bearer …`, and shown nowhere.
    pub api_key: Option<String>,
    /// How long one try may take.
    pub timeout: Duration,
    /// How often to try again after a refusal for load (429), a fault of the server (5xx) or none at all.
    pub retries: u32,
    /// Waited before the second try; doubled for each further one. A server's `Retry-After` comes first.
    pub first_wait: Duration,
    /// Waited at most.
    pub longest_wait: Duration,
}

impl EndpointConfig {
    /// A model at an address, with a minute a try, five more tries, and waits of one to thirty seconds.
    pub fn new(base_url: &str, model: &str) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            model: model.to_owned(),
            api_key: None,
            timeout: Duration::from_mins(1),
            retries: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// A model behind an endpoint that speaks the chat-completions protocol, as most servers of models do.
pub struct Endpoint {
    config: EndpointConfig,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    usage: Mutex<Usage>,
}

/// Why a try failed.
struct Failure {
    status: Option<u16>,
    message: String,
    again: bool,
    retry_after: Option<Duration>,
}

impl Endpoint {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// The system gives no sockets or threads.
    pub fn new(config: EndpointConfig) -> Result<Self, Error> {
        let fail = |message: String| Error::Unreachable { url: config.base_url.clone(), tries: 0, message };
        let client = reqwest::Client::builder().timeout(config.timeout).build().map_err(|e| fail(e.to_string()))?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| fail(e.to_string()))?;
        Ok(Self { config, client, runtime, usage: Mutex::default() })
    }

    /// Sends one call, again where that may help, and gives the answer's bytes with the address asked.
    fn post(&self, path: &str, body: &Value) -> Result<(String, Vec<u8>), Error> {
        let url = format!("{}/{path}", self.config.base_url);
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        let mut wait = self.config.first_wait;
        let mut tries = 0;
        loop {
            tries += 1;
            let failure = match self.runtime.block_on(self.try_once(&url, bytes.clone())) {
                Ok(answer) => return Ok((url, answer)),
                Err(failure) => failure,
            };
            if !failure.again || tries > self.config.retries {
                return Err(match failure.status {
                    Some(status) => Error::Status { url, status, tries, message: failure.message },
                    None => Error::Unreachable { url, tries, message: failure.message },
                });
            }
            let pause = failure.retry_after.unwrap_or(wait).min(self.config.longest_wait);
            tracing::warn!("{url}: {}; next try in {:.1} s", failure.message, pause.as_secs_f64());
            std::thread::sleep(pause);
            wait = (wait * 2).min(self.config.longest_wait);
        }
    }

    async fn try_once(&self, url: &str, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        // Without the address: it may hold a key, and the error around this names it.
        let lost = |e: reqwest::Error| {
            let message = if e.is_timeout() {
                format!("nothing came within {:.1} s", self.config.timeout.as_secs_f64())
            } else {
                e.without_url().to_string()
            };
            Failure { status: None, message, again: true, retry_after: None }
        };
        let mut request = self.client.post(url).header("content-type", "application/json").body(body);
        if let Some(key) = &self.config.api_key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let header = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        let bytes = response.bytes().await.map_err(lost)?.to_vec();
        if status.is_success() {
            return Ok(bytes);
        }
        Err(Failure {
            status: Some(status.as_u16()),
            message: excerpt(&bytes),
            again: status.as_u16() == 429 || status.is_server_error(),
            retry_after: header.map(Duration::from_secs),
        })
    }

    /// Adds up what a call took: what the server says, or an estimate where it says nothing.
    fn count(&self, told: Option<Usage>, body: &Value, answer: &str) -> Usage {
        let usage = told
            .unwrap_or_else(|| Usage { prompt_tokens: estimate(&body.to_string()), answer_tokens: estimate(answer) });
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) += usage;
        usage
    }
}

/// Tokens of a text nobody counted: three characters each, fewer than most tokenizers need for each.
pub(crate) fn estimate(text: &str) -> u64 {
    text.chars().count().div_ceil(3) as u64
}

/// What a server says about its refusal, short enough for one line.
fn excerpt(bytes: &[u8]) -> String {
    let told = serde_json::from_slice::<Value>(bytes).ok();
    let message = told.as_ref().and_then(|v| v.get("error")).and_then(|e| e.get("message").unwrap_or(e).as_str());
    let text = message.map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), str::to_owned);
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

impl Provider for Endpoint {
    fn name(&self) -> &str {
        &self.config.model
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Chat(messages), options, &Shape::default())?.reply)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Raw(prefix), options, &Shape::default())?.reply)
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        if answers.is_empty() {
            return Err(Error::NoAnswers);
        }
        let (path, body) = protocol::score_call(&self.config.model, messages);
        let (url, bytes) = self.post(path, &body)?;
        let scores = protocol::read_scores(&url, &bytes, answers)?;
        let (scores, usage) = scores.ok_or_else(|| Error::CannotScore { provider: self.name().to_owned() })?;
        self.count(usage, &body, " ");
        Ok(scores)
    }

    /// A list of choices is asked for in words and the answer checked; a JSON schema goes to the server as `response_format`
    /// (whoever asks still has to read the answer: not every server keeps to it); grammars are for models on this machine.
    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
        if shape.greedy_after.is_some() || matches!(shape.form, Some(Form::Regex(_) | Form::Lark(_))) {
            return Err(Error::CannotShape { provider: self.name().to_owned(), shape: format!("{shape:?}") });
        }
        let (path, body) = protocol::write_call(&self.config.model, prompt, options, shape);
        let (url, bytes) = self.post(path, &body)?;
        let (mut reply, usage) = protocol::read_reply(&url, &bytes)?;
        let usage = self.count(usage, &body, &reply.text);
        if let Some(Form::Choice(answers)) = &shape.form {
            let said = reply.text.trim().trim_end_matches('.').to_lowercase();
            let chosen = answers.iter().find(|a| a.to_lowercase() == said);
            reply.text = chosen.cloned().ok_or_else(|| Error::BadResponse {
                url,
                message: format!("{:?} is none of {}", excerpt(reply.text.as_bytes()), answers.join(", ")),
            })?;
        }
        Ok(Written { reply, canonical: true, usage })
    }

    fn usage(&self) -> Usage {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
