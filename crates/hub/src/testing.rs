//! A Hub on loopback for tests: listing, download (plain, and by redirect as for large files), tokens, creation of
//! repositories and commits, as far as hf-hub 1.0 asks for them.

use crate::RepoKind;
use crate::pieces::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Files = BTreeMap<String, Vec<u8>>;

#[derive(Default)]
struct State {
    /// `models/ORG/NAME` or `datasets/ORG/NAME`, then revision.
    repos: BTreeMap<String, BTreeMap<String, Files>>,
    token: Option<String>,
    gated: Vec<String>,
    requests: Vec<String>,
    /// The `Range` of each request for content.
    ranges: Vec<String>,
    /// How many more requests for content are answered.
    answers: Option<usize>,
}

/// A running server; it ends when dropped.
pub struct TestHub {
    endpoint: String,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

struct Request {
    method: String,
    path: String,
    authorization: Option<String>,
    range: Option<String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl TestHub {
    /// Starts a server. With a `token`, every request must bear it.
    ///
    /// # Errors
    /// No loopback port is free.
    pub fn start(token: Option<&str>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State { token: token.map(str::to_owned), ..State::default() }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped, own) = (Arc::clone(&state), Arc::clone(&stop), endpoint.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (shared, own) = (Arc::clone(&shared), own.clone());
                // A client that goes away is its own business.
                std::thread::spawn(move || serve(&stream, &shared, &own).ok());
            }
        });
        Ok(Self { endpoint, state, stop })
    }

    /// The address to use as `HF_ENDPOINT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Puts a file into a repository, making it where needed.
    pub fn add_file(&self, kind: RepoKind, repo: &str, revision: &str, path: &str, bytes: &[u8]) {
        let mut state = lock(&self.state);
        let files = state.repos.entry(full_name(kind, repo)).or_default().entry(revision.to_owned()).or_default();
        files.insert(path.to_owned(), bytes.to_owned());
    }

    /// Answers 403 for a repository from now on.
    pub fn gate(&self, kind: RepoKind, repo: &str) {
        lock(&self.state).gated.push(full_name(kind, repo));
    }

    /// A file of the main branch.
    pub fn file(&self, kind: RepoKind, repo: &str, path: &str) -> Option<Vec<u8>> {
        lock(&self.state).repos.get(&full_name(kind, repo))?.get("main")?.get(path).cloned()
    }

    /// Answers so many more requests for the content of large files, then 403 for each; without a number, all again.
    pub fn answer_only(&self, requests: Option<usize>) {
        lock(&self.state).answers = requests;
    }

    /// The ranges of all requests for the content of large files, as `bytes=0-9`.
    pub fn ranges(&self) -> Vec<String> {
        lock(&self.state).ranges.clone()
    }

    /// All requests so far, as `METHOD /path`.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.state).requests.clone()
    }
}

impl Drop for TestHub {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees the flag.
        TcpStream::connect(self.endpoint.trim_start_matches("http://")).ok();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn full_name(kind: RepoKind, repo: &str) -> String {
    format!("{}/{repo}", if kind == RepoKind::Dataset { "datasets" } else { "models" })
}

fn serve(stream: &TcpStream, state: &Mutex<State>, endpoint: &str) -> std::io::Result<()> {
    let Some(request) = read_request(stream)? else { return Ok(()) };
    let answer = {
        let mut state = lock(state);
        state.requests.push(format!("{} {}", request.method, request.path));
        respond(&mut state, &request, endpoint)
    };
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", answer.status).into_bytes();
    if !answer.headers.iter().any(|(name, _)| *name == "Content-Length") {
        write!(head, "Content-Length: {}\r\n", answer.body.len())?;
    }
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n")?;
    }
    let mut stream = stream;
    stream.write_all(&head)?;
    stream.write_all(b"\r\n")?;
    if request.method != "HEAD" {
        stream.write_all(&answer.body)?;
    }
    stream.flush()
}

fn read_request(stream: &TcpStream) -> std::io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
    let mut request =
        Request { method: method.into(), path: path.into(), authorization: None, range: None, body: Vec::new() };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "range" => request.range = Some(value.trim().to_owned()),
            "authorization" => request.authorization = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn respond(state: &mut State, request: &Request, endpoint: &str) -> Answer {
    let path = request.path.split('?').next().unwrap_or_default();
    let parts: Vec<String> = path.split('/').filter(|p| !p.is_empty()).map(percent_decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    // Large files lie elsewhere, and that place needs no token.
    if let ["cdn", kind, org, name, commit, file @ ..] = parts.as_slice() {
        if request.method == "HEAD" {
            return Answer { status: 200, headers: Vec::new(), body: Vec::new() };
        }
        return content(state, &format!("{kind}/{org}/{name}"), commit, &file.join("/"), request.range.as_deref());
    }
    if let Some(token) = &state.token
        && request.authorization.as_deref() != Some(&format!("Bearer {token}"))
    {
        return error(401, "", "Invalid credentials");
    }
    let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["api", "repos", "create"]) => create(state, &body(), endpoint),
        ("GET", ["api", kind, org, name, "tree", rev, ..]) => tree(state, &format!("{kind}/{org}/{name}"), rev),
        ("POST", ["api", kind, org, name, "paths-info", rev]) => {
            let asked = body();
            paths_info(state, &format!("{kind}/{org}/{name}"), rev, asked.get("paths").unwrap_or(&Value::Null))
        }
        ("POST", ["api", _, _, _, "preupload", _]) => preupload(&body()),
        ("POST", ["api", kind, org, name, "commit", rev]) => {
            commit(state, &format!("{kind}/{org}/{name}"), rev, &request.body, endpoint)
        }
        ("POST", [.., "info", "lfs", "objects", "batch"]) => ok(&json!({"transfer": "basic", "objects": []})),
        (_, ["datasets", org, name, "resolve", rev, file @ ..]) => {
            resolve(state, &format!("datasets/{org}/{name}"), rev, &file.join("/"), endpoint)
        }
        (_, [org, name, "resolve", rev, file @ ..]) => {
            resolve(state, &format!("models/{org}/{name}"), rev, &file.join("/"), endpoint)
        }
        _ => error(404, "", "no such page"),
    }
}

/// The content of a large file, or the part of it that is asked for.
fn content(state: &mut State, repo: &str, commit: &str, file: &str, range: Option<&str>) -> Answer {
    if let Some(left) = &mut state.answers {
        let Some(less) = left.checked_sub(1) else { return error(403, "", "enough for now") };
        *left = less;
    }
    state.ranges.push(range.unwrap_or_default().to_owned());
    let Some(bytes) = revision(state, repo, commit).and_then(|(_, files)| files.get(file)) else {
        return error(404, "EntryNotFound", "no such file");
    };
    let asked = range.and_then(|r| r.strip_prefix("bytes=")).and_then(|r| r.split_once('-'));
    let numbers = asked.and_then(|(a, b)| Some((a.parse::<usize>().ok()?, b.parse::<usize>().ok()?)));
    match numbers.and_then(|(first, last)| bytes.get(first..=last)) {
        Some(part) => Answer { status: 206, headers: Vec::new(), body: part.to_vec() },
        None => Answer { status: 200, headers: Vec::new(), body: bytes.clone() },
    }
}

fn ok(value: &Value) -> Answer {
    Answer {
        status: 200,
        headers: vec![("Content-Type", "application/json".into())],
        body: value.to_string().into_bytes(),
    }
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    let mut answer = ok(&json!({ "error": message }));
    answer.status = status;
    if !code.is_empty() {
        answer.headers.push(("X-Error-Code", code.to_owned()));
    }
    answer
}

/// The commit and files of a revision, named by branch or by commit.
fn revision<'a>(state: &'a State, repo: &str, rev: &str) -> Option<(String, &'a Files)> {
    let branches = state.repos.get(repo)?;
    branches
        .iter()
        .map(|(branch, files)| (branch, commit_id(files), files))
        .find_map(|(branch, id, files)| (branch == rev || id == rev).then_some((id, files)))
}

fn commit_id(files: &Files) -> String {
    let mut bytes = Vec::new();
    for (path, content) in files {
        bytes.extend_from_slice(path.as_bytes());
        bytes.extend_from_slice(&fnv(content).to_le_bytes());
    }
    format!("{:040x}", fnv(&bytes))
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn find<'a>(state: &'a State, repo: &str, rev: &str) -> Result<(String, &'a Files), Answer> {
    if state.gated.iter().any(|g| g == repo) {
        return Err(error(403, "GatedRepo", "Access to this repository is restricted"));
    }
    if !state.repos.contains_key(repo) {
        return Err(error(404, "RepoNotFound", "Repository not found"));
    }
    revision(state, repo, rev).ok_or_else(|| error(404, "RevisionNotFound", "Invalid rev id"))
}

fn tree(state: &State, repo: &str, rev: &str) -> Answer {
    match find(state, repo, rev) {
        Err(answer) => answer,
        Ok((_, files)) => ok(&files.iter().map(|(path, bytes)| entry(path, bytes)).collect()),
    }
}

fn entry(path: &str, bytes: &[u8]) -> Value {
    let mut entry = json!({"type": "file", "oid": format!("{:040x}", fnv(bytes)), "size": bytes.len(), "path": path});
    if is_large(path) {
        entry["lfs"] = json!({"oid": content_id(path, bytes), "size": bytes.len(), "pointerSize": 134});
    }
    entry
}

fn is_large(path: &str) -> bool {
    path.ends_with(".safetensors")
}

/// The ETag of a file: SHA-256 for large ones, git's name (here any hash) for others.
fn content_id(path: &str, bytes: &[u8]) -> String {
    if is_large(path) { hex(&Sha256::digest(bytes)) } else { format!("{:040x}", fnv(bytes)) }
}

fn paths_info(state: &State, repo: &str, rev: &str, asked: &Value) -> Answer {
    let asked: Vec<&str> = asked.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match find(state, repo, rev) {
        Err(answer) => answer,
        Ok((_, files)) => {
            let found = files.iter().filter(|(path, _)| asked.contains(&path.as_str()));
            ok(&found.map(|(path, bytes)| entry(path, bytes)).collect())
        }
    }
}

fn resolve(state: &State, repo: &str, rev: &str, path: &str, endpoint: &str) -> Answer {
    let (commit, files) = match find(state, repo, rev) {
        Err(answer) => return answer,
        Ok(found) => found,
    };
    let Some(bytes) = files.get(path) else { return error(404, "EntryNotFound", "Entry not found") };
    let etag = format!("\"{}\"", content_id(path, bytes));
    let mut headers = vec![("X-Repo-Commit", commit.clone())];
    if is_large(path) {
        headers.push(("X-Linked-Etag", etag));
        headers.push(("X-Linked-Size", bytes.len().to_string()));
        headers.push(("Location", format!("{endpoint}/cdn/{repo}/{commit}/{path}")));
        return Answer { status: 302, headers, body: Vec::new() };
    }
    headers.push(("ETag", etag));
    headers.push(("Content-Length", bytes.len().to_string()));
    Answer { status: 200, headers, body: bytes.clone() }
}

fn create(state: &mut State, body: &Value, endpoint: &str) -> Answer {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let repo = format!("{}s/{}/{}", text("type"), text("organization"), text("name"));
    if state.repos.contains_key(&repo) {
        return error(409, "", "You already created this repo");
    }
    state.repos.entry(repo.clone()).or_default().insert("main".into(), Files::new());
    ok(&json!({ "url": format!("{endpoint}/{repo}") }))
}

fn preupload(body: &Value) -> Answer {
    let files = body.get("files").and_then(Value::as_array).cloned().unwrap_or_default();
    let modes = files
        .iter()
        .filter_map(|f| f.get("path").and_then(Value::as_str))
        .map(|path| json!({"path": path, "uploadMode": if is_large(path) { "lfs" } else { "regular" }}));
    ok(&json!({ "files": modes.collect::<Vec<_>>() }))
}

fn commit(state: &mut State, repo: &str, rev: &str, body: &[u8], endpoint: &str) -> Answer {
    let Some(files) = state.repos.get_mut(repo).and_then(|r| r.get_mut(rev)) else {
        return error(404, "RepoNotFound", "Repository not found");
    };
    for line in body.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap_or_default();
        let value = |key: &str| line.get("value").and_then(|v| v.get(key)).and_then(Value::as_str);
        match (line.get("key").and_then(Value::as_str), value("path")) {
            (Some("header"), _) => {}
            (Some("file"), Some(path)) => match value("content").and_then(base64_decoded) {
                Some(bytes) => {
                    files.insert(path.to_owned(), bytes);
                }
                None => return error(400, "", "bad base64"),
            },
            (Some("deletedFile"), Some(path)) => {
                files.remove(path);
            }
            (key, _) => return error(400, "", &format!("cannot do {key:?}")),
        }
    }
    let id = commit_id(files);
    ok(&json!({"commitUrl": format!("{endpoint}/{repo}/commit/{id}"), "commitOid": id, "success": true}))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        if let (b'%', Some(byte)) = (first, hex) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let value = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut out = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group.iter().try_fold(0_u32, |bits, &b| value(b).map(|v| bits << 6 | u32::from(v)))?;
        let bits = bits << (6 * (4 - group.len()));
        out.extend(bits.to_be_bytes().iter().skip(1).take(group.len() - 1));
    }
    Some(out)
}
