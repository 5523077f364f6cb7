use providers::LocalModel;
use serde_json::Value;
use service::{Config, Service};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

pub(crate) const DATE: &str = "26 Jul 2024";

/// A service on a free port; stopped when dropped.
pub(crate) struct Server {
    pub(crate) address: String,
    /// The same model, asked directly.
    pub(crate) model: LocalModel,
    pub(crate) runtime: Runtime,
    pub(crate) client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<Result<(), service::Error>>>,
    _folder: TempDir,
}

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) config: Config,
    pub(crate) api_key: Option<String>,
    pub(crate) decisions: Option<PathBuf>,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// Status, code and message of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let error = &self.json()["error"];
        let text = |name: &str| error[name].as_str().unwrap().to_owned();
        (self.status, text("code"), text("message"))
    }
}

impl Server {
    pub(crate) fn start(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny");
        providers::testing::tiny_model(&path, 7).unwrap();
        let open = || LocalModel::open(&path, None, DATE).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = Service {
            model: open(),
            decisions: options.decisions,
            api_key: options.api_key,
            seed: 42,
            started: 1_700_000_000,
        };
        let (stop, stopped) = oneshot::channel();
        let config = options.config;
        let running = std::thread::spawn(move || {
            service::serve(service, &config, listener, async {
                stopped.await.ok();
            })
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            address,
            model: open(),
            runtime,
            client: reqwest::Client::new(),
            stop: Some(stop),
            running: Some(running),
            _folder: folder,
        }
    }

    pub(crate) fn plain() -> Self {
        Self::start(Options::default())
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn post_of(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.address));
        request.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.runtime.block_on(self.send(self.post_of(path, body)))
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.runtime.block_on(self.send(self.client.get(format!("{}{path}", self.address))))
    }

    /// Waits until nothing is in hand any more.
    pub(crate) fn quiet(&self) {
        for _ in 0..1_000 {
            if self.get("/health").json()["in_hand"] == 0 {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("requests are still in hand");
    }

    /// Asks the service to stop.
    pub(crate) fn tell_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> Result<(), service::Error> {
        self.running.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tell_to_stop();
        if let Some(running) = self.running.take() {
            let ended = running.join();
            if !std::thread::panicking() {
                ended.unwrap().unwrap();
            }
        }
    }
}
