use crate::{Completion, Error, Form, Prompt, Provider, Reply, Sampling, Shape, Usage, Written};
use artifacts::rows::Recorded;
use chat::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a [`Cassette`] does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CassetteMode {
    /// Always asks, and keeps the answer in place of an older one.
    Record,
    /// Answers from the cassette; asks, and keeps the answer, where the call is not on it.
    Replay,
    /// Answers from the cassette only. A call that is not on it is an error, and nobody is ever asked.
    Strict,
}

/// Keeps every call to another provider with its answer, in Parquet: a run is repeated from it byte for byte, offline and
/// for nothing. Calls are told apart by everything that an answer may depend on: who is asked, the prompt, the options with
/// their seed, the shape.
pub struct Cassette {
    path: PathBuf,
    name: String,
    mode: CassetteMode,
    inner: Option<Box<dyn Provider>>,
    calls: Mutex<BTreeMap<String, Recorded>>,
    asked: AtomicU64,
    replayed: AtomicU64,
    usage: Mutex<Usage>,
}

impl Cassette {
    /// Loads the calls of `path`, where there is such a file. `name` is whom the calls are to, the same when recording and
    /// when replaying; `inner` is asked, and may be none for [`CassetteMode::Strict`].
    ///
    /// # Errors
    /// The file is damaged or no cassette.
    pub fn open(path: &Path, name: &str, mode: CassetteMode, inner: Option<Box<dyn Provider>>) -> Result<Self, Error> {
        let mut calls = BTreeMap::new();
        if path.is_file() {
            for call in artifacts::read_all::<Recorded>(path)? {
                calls.insert(call.request.clone(), call);
            }
        }
        Ok(Self {
            path: path.to_owned(),
            name: name.to_owned(),
            mode,
            inner,
            calls: Mutex::new(calls),
            asked: AtomicU64::new(0),
            replayed: AtomicU64::new(0),
            usage: Mutex::default(),
        })
    }

    /// Writes all calls to the file, old and new, in order of their hash. Returns how many there are.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> Result<u64, Error> {
        let calls: Vec<Recorded> = self.lock().values().cloned().collect();
        Ok(artifacts::write_all(&self.path, &calls)?)
    }

    /// Calls that went to the provider behind.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Calls answered from the cassette.
    pub fn replayed(&self) -> u64 {
        self.replayed.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Recorded>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of a call: from the cassette, or from `ask`.
    fn answer(
        &self,
        call: &Value,
        ask: impl FnOnce(&dyn Provider) -> Result<Recorded, Error>,
    ) -> Result<Recorded, Error> {
        let call = call.to_string();
        let request = blake3::hash(call.as_bytes()).to_hex().to_string();
        if self.mode != CassetteMode::Record
            && let Some(found) = self.lock().get(&request)
        {
            self.replayed.fetch_add(1, Ordering::Relaxed);
            return Ok(found.clone());
        }
        let inner = self.inner.as_deref().filter(|_| self.mode != CassetteMode::Strict);
        let Some(inner) = inner else {
            let call = call.chars().take(160).collect();
            return Err(Error::NotOnCassette { path: self.path.clone(), call });
        };
        let record = Recorded { request: request.clone(), call, ..ask(inner)? };
        self.asked.fetch_add(1, Ordering::Relaxed);
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) +=
            Usage { prompt_tokens: record.prompt_tokens, answer_tokens: record.answer_tokens };
        self.lock().insert(request, record.clone());
        Ok(record)
    }

    fn scores(
        &self,
        call: &Value,
        ask: impl FnOnce(&dyn Provider) -> Result<Vec<f64>, Error>,
    ) -> Result<Vec<f64>, Error> {
        let record = self.answer(call, |inner| {
            let scores = serde_json::to_string(&ask(inner)?).unwrap_or_default();
            Ok(Recorded { scores: Some(scores), ..blank() })
        })?;
        let bad = |message: String| Error::BadResponse { url: self.path.display().to_string(), message };
        let scores = record.scores.ok_or_else(|| bad("the call on record did not score answers".into()))?;
        serde_json::from_str(&scores).map_err(|e| bad(e.to_string()))
    }
}

fn blank() -> Recorded {
    Recorded {
        request: String::new(),
        call: String::new(),
        text: None,
        finished: true,
        canonical: true,
        scores: None,
        prompt_tokens: 0,
        answer_tokens: 0,
    }
}

fn messages_json(messages: &[Message]) -> Value {
    messages.iter().map(|m| json!([m.role, m.content])).collect()
}

fn options_json(options: &Completion, shape: &Shape) -> Value {
    let sampling = match options.sampling {
        Sampling::Greedy => json!("greedy"),
        Sampling::Sample { temperature, top_k, top_p, seed } => {
            json!({"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed})
        }
    };
    let form = match &shape.form {
        None => Value::Null,
        Some(Form::Choice(answers)) => json!({"choice": answers}),
        Some(Form::Regex(pattern)) => json!({"regex": pattern}),
        Some(Form::Lark(grammar)) => json!({"lark": grammar}),
    };
    json!({
        "max_tokens": options.max_tokens, "sampling": sampling, "stop_at_line_break": options.stop_at_line_break,
        "form": form, "min_p": shape.min_p, "greedy_after": shape.greedy_after,
        "one_sentence": shape.one_sentence,
    })
}

impl Provider for Cassette {
    fn name(&self) -> &str {
        &self.name
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Chat(messages), options, &Shape::default())?.reply)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Raw(prefix), options, &Shape::default())?.reply)
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        let call = json!({"to": self.name, "score": messages_json(messages), "answers": answers});
        self.scores(&call, |inner| inner.score(messages, answers))
    }

    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
        let asked = match prompt {
            Prompt::Chat(messages) => json!({"chat": messages_json(messages)}),
            Prompt::Raw(prefix) => json!({"raw": prefix}),
        };
        let call = json!({"to": self.name, "write": asked, "options": options_json(options, shape)});
        let record = self.answer(&call, |inner| {
            let written = inner.write(prompt, options, shape)?;
            Ok(Recorded {
                text: Some(written.reply.text),
                finished: written.reply.finished,
                canonical: written.canonical,
                prompt_tokens: written.usage.prompt_tokens,
                answer_tokens: written.usage.answer_tokens,
                ..blank()
            })
        })?;
        let text = record.text.unwrap_or_default();
        let usage = Usage { prompt_tokens: record.prompt_tokens, answer_tokens: record.answer_tokens };
        Ok(Written { reply: Reply { text, finished: record.finished }, canonical: record.canonical, usage })
    }

    fn score_text(&self, prefix: &str, continuations: &[&str]) -> Result<Vec<f64>, Error> {
        let call = json!({"to": self.name, "score_text": prefix, "continuations": continuations});
        self.scores(&call, |inner| inner.score_text(prefix, continuations))
    }

    /// Only of calls that went to the provider behind: replaying costs nothing.
    fn usage(&self) -> Usage {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
