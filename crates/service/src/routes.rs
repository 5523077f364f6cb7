use crate::decisions::Decisions;
use crate::engine::Engine;
use crate::error::{ErrorBody, Refused};
use crate::{Config, Metrics, completions, decisions, openapi, sentiment};
use artifacts::runtime::Stopwatch;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use utoipa::ToSchema;

/// What all handlers share.
pub(crate) struct State {
    pub(crate) engine: Engine,
    pub(crate) config: Config,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) name: String,
    pub(crate) decisions: Option<Decisions>,
    pub(crate) key: Option<blake3::Hash>,
    pub(crate) seed: u64,
    pub(crate) started: u64,
    pub(crate) clock: Stopwatch,
    pub(crate) served: AtomicU64,
}

impl State {
    /// Seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.started + self.clock.seconds() as u64
    }

    /// A name for one answer, different from that of every other of this process.
    pub(crate) fn id(&self, kind: &str) -> String {
        format!("{kind}-{:x}-{}", self.started, self.served.fetch_add(1, Ordering::Relaxed))
    }

    /// Waits for something as long as a request may take.
    pub(crate) async fn patiently<T>(&self, wanted: impl Future<Output = T>) -> Result<T, Refused> {
        let seconds = self.config.timeout_seconds;
        let late = || {
            let message = format!("no answer within {seconds} s (timeout_seconds); ask for less");
            Refused::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message)
        };
        tokio::time::timeout(Duration::from_secs_f64(seconds), wanted).await.map_err(|_| late())
    }
}

pub(crate) fn router(state: Arc<State>) -> Router {
    let guarded = Router::new()
        .route("/v1/sentiment", post(sentiment::sentiment))
        .route("/v1/chat/completions", post(completions::completions))
        .route("/v1/models", get(completions::models))
        .route("/v1/decisions", get(decisions::decisions))
        .route_layer(from_fn_with_state(state.clone(), authorise));
    Router::new()
        .merge(guarded)
        .route("/", get(page))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi::openapi))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(state.config.max_body_bytes))
        .layer(from_fn_with_state(state.clone(), observe))
        .with_state(state)
}

/// Counts and times every request.
async fn observe(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    // Paths that nobody serves share one name, or whoever asks for many of them fills the memory.
    let path = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let clock = Stopwatch::start();
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    state.metrics.request(&path, response.status().as_u16(), clock.seconds());
    response
}

/// Lets through who knows the key.
async fn authorise(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let given = given.and_then(|v| v.strip_prefix("Bearer ")).map(|key| blake3::hash(key.trim().as_bytes()));
    // Hashes compare in constant time.
    if state.key.is_none() || state.key == given {
        return next.run(request).await;
    }
    let message = "this service wants its key: send `Authorization: Bearer KEY`";
    Refused::new(StatusCode::UNAUTHORIZED, "unauthorised", message).into_response()
}

/// The JSON body of a request.
pub(crate) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    config: &Config,
) -> Result<T, Refused> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    // Also keeps pages of other origins out: a browser asks before it sends this type.
    if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        let message = format!("the content type is {kind:?}; send application/json");
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", message));
    }
    let body = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let message = format!("the body is larger than {} bytes (max_body_bytes)", config.max_body_bytes);
            Refused::new(rejection.status(), "too-large", message)
        } else {
            Refused::bad("bad-body", rejection.body_text())
        }
    })?;
    serde_json::from_slice(&body).map_err(|e| Refused::bad("bad-body", format!("the body does not fit: {e}")))
}

async fn nowhere(request: Request) -> Refused {
    let message = format!("nothing is at {}; /openapi.json tells what there is", request.uri().path());
    Refused::new(StatusCode::NOT_FOUND, "not-found", message)
}

async fn wrong_method(request: Request) -> Refused {
    let message = format!("{} is not for {}; /openapi.json tells what is", request.method(), request.uri().path());
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", message)
}

async fn page() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(include_str!("page.html")))
}

/// Whether the service can answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`; a service that cannot answer says so with status 503.
    status: &'static str,
    /// The model that is served.
    model: String,
    /// Requests that wait for it or are being answered.
    in_hand: usize,
    /// Whether decisions can be asked for.
    decisions: bool,
    version: &'static str,
}

/// Whether the service can answer.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, body = Health),
    (status = 503, description = "The model's thread has ended.", body = ErrorBody),
))]
pub(crate) async fn health(Shared(state): Shared<Arc<State>>) -> Result<Json<Health>, Refused> {
    if !state.engine.runs() {
        return Err(Refused::ended());
    }
    Ok(Json(Health {
        status: "ok",
        model: state.name.clone(),
        in_hand: state.engine.in_hand(),
        decisions: state.decisions.is_some(),
        version: env!("CARGO_PKG_VERSION"),
    }))
}

/// Counts and times, in the form that Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(Shared(state): Shared<Arc<State>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics.encode(state.engine.in_hand()))
}
