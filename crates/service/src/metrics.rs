use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    path: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Path {
    path: String,
}

/// What an operator watches, in the form that Prometheus reads (OpenMetrics 1.0).
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Family<Path, Histogram>,
    in_hand: Gauge,
    texts: Counter,
    batches: Histogram,
    tokens: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        // 1 ms to about 65 s.
        let seconds =
            Family::new_with_constructor((|| Histogram::new(exponential_buckets(0.001, 2.0, 17))) as fn() -> _);
        let mut metrics = Self {
            registry: Registry::with_prefix("seafin"),
            requests: Family::default(),
            seconds,
            in_hand: Gauge::default(),
            texts: Counter::default(),
            batches: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            tokens: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register("http_request_seconds", "Seconds to the head of an answer", metrics.seconds.clone());
        registry.register(
            "requests_in_hand",
            "Requests that wait for the model or are being answered",
            metrics.in_hand.clone(),
        );
        registry.register("texts_scored", "Texts whose sentiment was asked", metrics.texts.clone());
        registry.register("batch_texts", "Texts put to the model together", metrics.batches.clone());
        registry.register("tokens_written", "Tokens of answers", metrics.tokens.clone());
        metrics
    }

    pub(crate) fn request(&self, path: &str, status: u16, seconds: f64) {
        self.requests.get_or_create(&Request { path: path.to_owned(), status }).inc();
        self.seconds.get_or_create(&Path { path: path.to_owned() }).observe(seconds);
    }

    pub(crate) fn batch(&self, texts: usize) {
        self.texts.inc_by(texts as u64);
        self.batches.observe(texts as f64);
    }

    pub(crate) fn written(&self, tokens: usize) {
        self.tokens.inc_by(tokens as u64);
    }

    /// All figures as text.
    pub(crate) fn encode(&self, in_hand: usize) -> String {
        self.in_hand.set(i64::try_from(in_hand).unwrap_or(i64::MAX));
        let mut page = String::new();
        // Writing to a string does not fail.
        text::encode(&mut page, &self.registry).ok();
        page
    }
}
