use crate::Error;
use artifacts::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// No answer that this crate asks for is larger.
const MAX_BYTES: usize = 64 << 20;

/// How patiently a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patience {
    /// How long one try may take, in seconds.
    pub timeout_seconds: f64,
    /// How often to try again after a refusal for load (418, 429), a fault of the server (5xx), a broken answer or none at all.
    pub retries: u32,
    /// Waited before the second try; doubled for each further one. A server's `Retry-After` comes first.
    pub first_wait_seconds: f64,
    /// Waited at most.
    pub longest_wait_seconds: f64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { timeout_seconds: 20.0, retries: 6, first_wait_seconds: 0.25, longest_wait_seconds: 60.0 }
    }
}

impl Patience {
    /// Whether its times are times: a NaN is none.
    pub(crate) fn check(&self) -> Result<(), Error> {
        Ok(artifacts::settings::within(&[
            ("patience.timeout_seconds", self.timeout_seconds, 0.0..=3600.0),
            ("patience.retries", f64::from(self.retries), 0.0..=1000.0),
            ("patience.first_wait_seconds", self.first_wait_seconds, 0.0..=3600.0),
            ("patience.longest_wait_seconds", self.longest_wait_seconds, 0.0..=86_400.0),
        ])?)
    }
}

/// Asks servers for small documents.
pub(crate) struct Http {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    patience: Patience,
}

/// What a server answered.
pub(crate) struct Fetched {
    pub(crate) bytes: Vec<u8>,
    /// The server's own clock, from its `Date` header.
    pub(crate) date: Option<Timestamp>,
}

struct Failure {
    status: Option<u16>,
    message: String,
    again: bool,
    retry_after: Option<Duration>,
}

impl Http {
    pub(crate) fn new(patience: Patience) -> Result<Self, Error> {
        patience.check()?;
        let fail =
            |e: &dyn std::fmt::Display| Error::Unreachable { url: String::new(), tries: 0, message: e.to_string() };
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs_f64(patience.timeout_seconds.clamp(0.001, 86_400.0)))
            .user_agent("seafin")
            .build()
            .map_err(|e| fail(&e))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| fail(&e))?;
        Ok(Self { client, runtime, patience })
    }

    /// Gets a document, again where that may help. `read` says whether the answer is what it should be; what it refuses is
    /// asked for again, because a server behind a broken gateway answers 200 with half a document or a page in HTML.
    pub(crate) fn get<T>(
        &self,
        url: &str,
        read: &dyn Fn(&Fetched) -> Result<T, String>,
    ) -> Result<(T, Option<Timestamp>), Error> {
        let seconds = |s: f64| Duration::from_secs_f64(s.clamp(0.0, 86_400.0));
        let longest = seconds(self.patience.longest_wait_seconds);
        let mut wait = seconds(self.patience.first_wait_seconds);
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.runtime.block_on(self.try_once(url)).and_then(|fetched| {
                let read = read(&fetched).map_err(|message| Failure {
                    status: Some(200),
                    message: format!("{message}{}", page_title(&fetched.bytes)),
                    again: true,
                    retry_after: None,
                })?;
                Ok((read, fetched.date))
            });
            let failure = match answer {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let shown = without_query(url);
            if !failure.again || tries > self.patience.retries {
                return Err(match failure.status {
                    Some(status) => Error::BadAnswer { url: shown, status, tries, message: failure.message },
                    None => Error::Unreachable { url: shown, tries, message: failure.message },
                });
            }
            let pause = failure.retry_after.unwrap_or(wait).min(longest);
            tracing::info!("{shown}: {}; next try in {:.2} s", failure.message, pause.as_secs_f64());
            std::thread::sleep(pause);
            wait = (wait * 2).min(longest);
        }
    }

    async fn try_once(&self, url: &str) -> Result<Fetched, Failure> {
        // Without the address: it may hold a key, and the error around this names it.
        let lost = |e: reqwest::Error| {
            let message = if e.is_timeout() {
                format!("nothing came within {} s", self.patience.timeout_seconds)
            } else {
                chain(&e.without_url())
            };
            Failure { status: None, message, again: true, retry_after: None }
        };
        let mut response = self.client.get(url).send().await.map_err(lost)?;
        let status = response.status();
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let date = header("date").and_then(|d| Timestamp::parse_with(&d, "%a, %d %b %Y %H:%M:%S GMT").ok());
        let retry_after = header("retry-after").and_then(|v| v.trim().parse().ok()).map(Duration::from_secs);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if bytes.len() + chunk.len() > MAX_BYTES {
                let message = format!("more than {} MiB", MAX_BYTES >> 20);
                return Err(Failure { status: Some(status.as_u16()), message, again: false, retry_after: None });
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(Fetched { bytes, date });
        }
        let code = status.as_u16();
        Err(Failure {
            status: Some(code),
            message: excerpt(&bytes),
            again: code == 418 || code == 429 || status.is_server_error(),
            retry_after,
        })
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(c) = cause {
        text = format!("{text}: {c}");
        cause = c.source();
    }
    text
}

/// The address without what may be a key.
pub(crate) fn without_query(url: &str) -> String {
    url.split('?').next().unwrap_or(url).to_owned()
}

/// What a server says about its refusal, short enough for one line.
fn excerpt(bytes: &[u8]) -> String {
    let title = page_title(bytes);
    if !title.is_empty() {
        return title.trim_start_matches("; ").to_owned();
    }
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(2000)).unwrap_or(bytes)).into_owned();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// The title of a page, where HTML came instead of data.
fn page_title(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(4000)).unwrap_or(bytes)).into_owned();
    let lower = text.trim_start().to_ascii_lowercase();
    if !lower.starts_with("<!doctype html") && !lower.starts_with("<html") {
        return String::new();
    }
    let title = lower.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map_or("", |(t, _)| t);
    format!("; an HTML page `{}` came instead of data", title.trim())
}
