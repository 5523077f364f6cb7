use crate::{Completion, Error, Form, Prompt, Provider, Reply, Sampling, Shape, Usage, Written};
use artifacts::rows::Recorded;
use chat::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
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
    unsaved: AtomicU64,
    replayed: AtomicU64,
    usage: Mutex<Usage>,
    journal: Option<Journal>,
}

/// New calls, one a line, beside the cassette until it is saved. There is no file before the first of them.
struct Journal {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl Journal {
    /// The calls that a killed run has left. A last line that the kill has torn is dropped.
    fn open(path: PathBuf) -> Result<(Self, Vec<Recorded>), Error> {
        let mut calls = Vec::new();
        if path.is_file() {
            let io = |action, source| artifacts::Error::Io { path: path.clone(), action, source };
            let text = std::fs::read(&path).map_err(|e| io("read", e))?;
            let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
            let mut whole = 0;
            for line in lines {
                let Ok(call) = serde_json::from_slice::<Recorded>(line) else { break };
                whole += line.len() as u64;
                calls.push(call);
            }
            let file = OpenOptions::new().write(true).open(&path).map_err(|e| io("open", e))?;
            file.set_len(whole).map_err(|e| io("cut", e))?;
        }
        Ok((Self { path, file: Mutex::default() }, calls))
    }

    fn append(&self, call: &Recorded) -> Result<(), Error> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut file, call)
            .map_err(|source| artifacts::Error::Io { path: self.path.clone(), action: "write", source }.into())
    }

    fn write(&self, file: &mut Option<File>, call: &Recorded) -> std::io::Result<()> {
        let mut open = if let Some(open) = file.take() {
            open
        } else {
            if let Some(folder) = self.path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            OpenOptions::new().create(true).append(true).open(&self.path)?
        };
        let mut line = serde_json::to_vec(call)?;
        line.push(b'\n');
        open.write_all(&line)?;
        *file = Some(open);
        Ok(())
    }
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
            unsaved: AtomicU64::new(0),
            replayed: AtomicU64::new(0),
            usage: Mutex::default(),
            journal: None,
        })
    }

    /// Also keeps each new call in a file beside the cassette as soon as it is answered, and takes up what such a file holds: a
    /// killed run asks nothing twice. [`Cassette::save`] removes the file.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn journaled(mut self) -> Result<Self, Error> {
        if self.mode != CassetteMode::Strict {
            let mut path = self.path.clone().into_os_string();
            path.push(".journal");
            let (journal, calls) = Journal::open(path.into())?;
            self.unsaved.store(calls.len() as u64, Ordering::Relaxed);
            self.lock().extend(calls.into_iter().map(|call| (call.request.clone(), call)));
            self.journal = Some(journal);
        }
        Ok(self)
    }

    /// Writes all calls to the file, old and new, in order of their hash. Returns how many there are.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> Result<u64, Error> {
        let calls: Vec<Recorded> = self.lock().values().cloned().collect();
        let count = artifacts::write_all(&self.path, &calls)?;
        if let Some(journal) = &self.journal {
            *journal.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
            std::fs::remove_file(&journal.path).ok();
        }
        self.unsaved.store(0, Ordering::Relaxed);
        Ok(count)
    }

    /// Calls that went to the provider behind.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Calls that [`Cassette::save`] would add to the file: those asked since, and those that a killed run has left.
    pub fn unsaved(&self) -> u64 {
        self.unsaved.load(Ordering::Relaxed)
    }

    /// Calls answered from the cassette.
    pub fn replayed(&self) -> u64 {
        self.replayed.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Recorded>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of a call: from the cassette, or from `ask`; an error where the text could not be put to the model.
    fn answer(
        &self,
        call: &Value,
        ask: impl FnOnce(&dyn Provider) -> Result<Recorded, Error>,
    ) -> Result<Recorded, Error> {
        let record = self.record(call, ask)?;
        match refused(&record) {
            Some(error) => Err(error),
            None => Ok(record),
        }
    }

    fn record(
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
        // That a text cannot be put to the model is an answer, and a replay must give it too.
        let answer = ask(inner).or_else(|error| refusal(&error).ok_or(error))?;
        let record = Recorded { request: request.clone(), call, ..answer };
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.unsaved.fetch_add(1, Ordering::Relaxed);
        if let Some(journal) = &self.journal {
            journal.append(&record)?;
        }
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

/// The record of a refusal, for errors that depend on nothing but the call.
fn refusal(error: &Error) -> Option<Recorded> {
    let told = match error {
        Error::PromptTooLong { prompt, answer, context } => json!({"too_long": [prompt, answer, context]}),
        Error::Refused(refusal) => json!({"refused": refusal.to_string()}),
        _ => return None,
    };
    Some(Recorded { finished: false, scores: Some(told.to_string()), ..blank() })
}

/// The error that a record stands for, if it is one of a refusal: an object where scores are a list.
fn refused(record: &Recorded) -> Option<Error> {
    let told = record.scores.as_deref().filter(|told| told.starts_with('{'))?;
    let told: Value = serde_json::from_str(told).ok()?;
    if let Some(message) = told.get("refused").and_then(Value::as_str) {
        return Some(Error::RefusedOnRecord { message: message.to_owned() });
    }
    let length = |place: usize| told.get("too_long")?.get(place)?.as_u64().map(|n| n as usize);
    Some(Error::PromptTooLong { prompt: length(0)?, answer: length(1)?, context: length(2)? })
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
        Some(Form::JsonSchema(schema)) => json!({"json_schema": schema}),
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
