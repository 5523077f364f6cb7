//! A browser without a window, asked over its DevTools pipe (<https://chromedevtools.github.io/devtools-protocol>): messages in JSON,
//! each ended by a zero byte. No driver, no port, no further dependency.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Looks for a Chromium, and gives it what it is asked on descriptor 3 and where it answers on 4.
const START: &str = r#"for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null && exec "$browser" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1
done
exit 127"#;
/// How long one answer may take, also while other tests keep every core busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// One tab.
pub(crate) struct Browser {
    child: Child,
    requests: ChildStdin,
    replies: Receiver<Value>,
    events: Vec<Value>,
    session: Option<String>,
    asked: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// None on a machine without Chromium; standard output says so.
    pub(crate) fn start() -> Option<Self> {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", START, "sh", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]);
        command.args(["--no-first-run", "--disable-sync", "--disable-component-update", "--disable-extensions"]);
        command.args(["--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        // What the browser leaves lying about goes with the profile.
        command.env("TMPDIR", profile.path());
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = spawned else {
            println!("pages are not looked at: no shell to start a browser with");
            return None;
        };
        let requests = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, replies) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser =
            Self { child, requests, replies, events: Vec::new(), session: None, asked: 0, _profile: profile };
        let Some(targets) = browser.ask("Target.getTargets", &json!({})) else {
            let status = browser.child.wait().unwrap();
            println!("pages are not looked at: no Chromium that starts on this machine ({status})");
            return None;
        };
        let tab = targets["targetInfos"].as_array().unwrap().iter().find(|target| target["type"] == "page").unwrap();
        let attached = browser.call("Target.attachToTarget", &json!({ "targetId": tab["targetId"], "flatten": true }));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Opens a file, waits until it is loaded, and forgets what was heard of the page before.
    pub(crate) fn open(&mut self, file: &Path) {
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        self.wait_for("Page.loadEventFired");
        self.events.clear();
        let answer = self.call("Page.navigate", &json!({ "url": address(file) }));
        assert!(answer["errorText"].is_null(), "{}: {answer}", file.display());
        self.wait_for("Page.loadEventFired");
    }

    /// The size of the screen in pixels, and whether the reader prefers a dark look.
    pub(crate) fn screen(&mut self, width: u32, dark: bool) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let look = json!([{ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": look }));
    }

    /// The value of an expression in the page; a promise is waited for.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Presses and releases the mouse in the middle of what a selector finds first.
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView({{ block: 'center', behavior: 'instant' }});\
             const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", &event);
        }
    }

    /// Presses and releases a key by its name, as `End`, or types a character.
    pub(crate) fn key(&mut self, key: &str) {
        let text = if key.chars().count() == 1 { key } else { "" };
        self.call("Input.dispatchKeyEvent", &json!({ "type": "keyDown", "key": key, "text": text }));
        self.call("Input.dispatchKeyEvent", &json!({ "type": "keyUp", "key": key }));
    }

    /// What was heard since the page was opened: errors of scripts, what went to the console, and requests for anything else than
    /// the page itself.
    pub(crate) fn heard(&mut self, file: &Path) -> Vec<String> {
        // events come before the answer to what is asked after them
        self.value("0");
        let own = address(file);
        let said = |event: &Value| {
            let of = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(format!("script error: {}", of["exceptionDetails"])),
                "Runtime.consoleAPICalled" => Some(format!("console {}: {}", of["type"], of["args"])),
                "Log.entryAdded" => Some(format!("browser {}: {}", of["entry"]["level"], of["entry"]["text"])),
                "Network.requestWillBeSent" => {
                    let url = of["request"]["url"].as_str()?;
                    let inside = url.starts_with("data:") || url.split('#').next() == Some(own.as_str());
                    (!inside).then(|| format!("reaches for {url}"))
                }
                _ => None,
            }
        };
        self.events.iter().filter_map(said).collect()
    }

    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.ask(method, params).unwrap_or_else(|| panic!("{method}: the browser has ended, or takes too long"))
    }

    fn ask(&mut self, method: &str, params: &Value) -> Option<Value> {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.requests.write_all(format!("{message}\0").as_bytes()).ok()?;
        self.requests.flush().ok()?;
        loop {
            let reply = self.replies.recv_timeout(PATIENCE).ok()?;
            if reply["id"] == self.asked {
                assert!(reply["error"].is_null(), "{method}: {}", reply["error"]);
                return Some(reply["result"].clone());
            }
            self.events.push(reply);
        }
    }

    fn wait_for(&mut self, event: &str) {
        while !self.events.iter().any(|e| e["method"] == event) {
            let next = self.replies.recv_timeout(PATIENCE);
            self.events.push(next.unwrap_or_else(|_| panic!("{event} does not come")));
        }
        self.events.retain(|e| e["method"] != event);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session = None;
        self.ask("Browser.close", &json!({}));
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}

fn address(file: &Path) -> String {
    let path = file.canonicalize().unwrap();
    let mut url = String::from("file://");
    for byte in path.to_str().unwrap().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            other => {
                let digit = |half: u8| char::from_digit(half.into(), 16).unwrap().to_ascii_uppercase();
                url.extend(['%', digit(other >> 4), digit(other & 15)]);
            }
        }
    }
    url
}
