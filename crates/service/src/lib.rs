//! The tuned model behind HTTP: sentiment of many texts at once, chat completions as most clients speak them, the decisions of a
//! run as of a moment, and what an operator watches.
//!
//! | call | what |
//! |---|---|
//! | `POST /v1/sentiment` | label and probabilities of each text; texts of all requests are scored together |
//! | `POST /v1/chat/completions`, `GET /v1/models` | the chat-completions protocol: streaming, seeds, JSON schemas, log-probabilities |
//! | `GET /v1/decisions` | the trading agent's decisions that could be known at a moment |
//! | `GET /health`, `GET /metrics`, `GET /openapi.json` | for whoever runs it |
//! | `GET /` | a page to try it on |
//!
//! A program embeds it with [`serve`]; `cargo run -p service -- --model DIR` is that function behind flags.

mod completions;
mod config;
mod decisions;
mod edge;
mod engine;
mod error;
mod metrics;
mod openapi;
mod protocol;
mod routes;
mod sentiment;
mod writer;

pub use config::Config;
pub use edge::{asked_to_stop, seconds_since_1970};
pub use error::Error;
pub(crate) use metrics::Metrics;

use artifacts::runtime::Stopwatch;
use providers::LocalModel;
use std::future::Future;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What is served.
pub struct Service {
    /// Who is asked.
    pub model: LocalModel,
    /// Decisions as the trading agent writes them (`decisions.parquet`); read again when the file changes.
    pub decisions: Option<PathBuf>,
    /// What every call below `/v1` has to bring as `Authorization: Bearer …`; none: anyone may call.
    pub api_key: Option<String>,
    /// Seed of answers whose request names none.
    pub seed: u64,
    /// Now, in seconds since 1970 (time comes in through arguments).
    pub started: u64,
}

/// Answers requests until `stop` is ready; then takes no further one and finishes those it has, for as long as one may take
/// ([`Config::timeout_seconds`]).
///
/// # Errors
/// A senseless setting, or the system gives no thread or socket.
pub fn serve(
    service: Service,
    config: &Config,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    config.check()?;
    let system = |what| move |source| Error::System { what, source };
    let metrics = Arc::new(Metrics::new());
    let name = providers::Provider::name(&service.model).to_owned();
    let engine = engine::Engine::start(service.model, config, metrics.clone())?;
    let state = Arc::new(routes::State {
        engine,
        config: config.clone(),
        metrics,
        name,
        decisions: service.decisions.map(decisions::Decisions::new),
        key: service.api_key.map(|key| blake3::hash(key.as_bytes())),
        seed: service.seed,
        started: service.started,
        clock: Stopwatch::start(),
        served: std::sync::atomic::AtomicU64::new(0),
    });
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system("the network's thread"))?;
    let patience = Duration::from_secs_f64(config.timeout_seconds);
    runtime.block_on(async move {
        listener.set_nonblocking(true).map_err(system("the listening socket"))?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(system("the listening socket"))?;
        let (told, stopping) = tokio::sync::oneshot::channel::<()>();
        let draining = async move {
            stop.await;
            tracing::info!("stopping: no further request is taken");
            told.send(()).ok();
        };
        let server = axum::serve(listener, routes::router(state)).with_graceful_shutdown(draining).into_future();
        let patience = async move {
            // Ready only when asked to stop, and then some time later.
            stopping.await.ok();
            tokio::time::sleep(patience).await;
        };
        let (server, patience) = (std::pin::pin!(server), std::pin::pin!(patience));
        match futures_util::future::select(server, patience).await {
            futures_util::future::Either::Left((ended, _)) => ended.map_err(system("the network")),
            futures_util::future::Either::Right(_) => {
                tracing::warn!("some requests were not answered in time and are given up");
                Ok(())
            }
        }
    })
}
