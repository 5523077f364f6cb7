use crate::error::{ErrorBody, Refused};
use crate::routes::State;
use artifacts::rows::Decision;
use artifacts::{Timed, Timeline, Timestamp, read_all};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use utoipa::{IntoParams, ToSchema};

/// A decision becomes known when it is made.
#[derive(Debug, Clone)]
struct Made(Decision);

impl Timed for Made {
    fn event_at(&self) -> Timestamp {
        self.0.bar_at.min(self.0.decided_at)
    }
    fn available_at(&self) -> Timestamp {
        self.0.decided_at
    }
}

/// What tells one state of a file from another.
type Stamp = (Option<SystemTime>, u64);

/// The decisions of one file, read again when it changes.
pub(crate) struct Decisions {
    file: PathBuf,
    read: Mutex<Option<(Stamp, Arc<Timeline<Made>>)>>,
}

impl Decisions {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, read: Mutex::new(None) }
    }

    /// A replaced file is seen whole: runs write beside it and rename.
    fn timeline(&self) -> Result<Arc<Timeline<Made>>, Refused> {
        let unavailable = |message: String| Refused::new(StatusCode::SERVICE_UNAVAILABLE, "no-decisions", message);
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let about = std::fs::metadata(&self.file)
            .map_err(|e| unavailable(format!("{name}: cannot read: {e}; run the trading agent first")))?;
        let stamp = (about.modified().ok(), about.len());
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, timeline)) = read.as_ref()
            && *known == stamp
        {
            return Ok(timeline.clone());
        }
        let rows = read_all::<Decision>(&self.file).map_err(|e| {
            tracing::error!("{e}");
            unavailable(format!("{name} cannot be read; the service's log says why"))
        })?;
        let timeline = Timeline::new(rows.into_iter().map(Made).collect()).map_err(|e| unavailable(e.to_string()))?;
        let timeline = Arc::new(timeline);
        *read = Some((stamp, timeline.clone()));
        Ok(timeline)
    }
}

/// Which decisions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only what was decided by this moment; without it, all.
    #[param(value_type = Option<String>, format = DateTime, example = "2025-02-24T00:10:00Z")]
    as_of: Option<String>,
    /// Only this instrument.
    symbol: Option<String>,
    /// How many at most; 20 without it.
    #[param(minimum = 1)]
    limit: Option<usize>,
}

/// A position that the agent wants.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TargetPosition {
    symbol: String,
    /// The bar that was seen last.
    #[schema(value_type = String, format = DateTime)]
    bar_at: Timestamp,
    /// When it was decided; nothing known later went into it.
    #[schema(value_type = String, format = DateTime)]
    decided_at: Timestamp,
    /// Share of equity, from -1 (short) to 1 (long).
    position: f64,
    /// From 0 to 1, where the strategy says it.
    confidence: Option<f64>,
    /// Mood of the news known by then, from -1 to 1.
    sentiment: Option<f64>,
    /// What the numbers say, from -1 to 1.
    technical: Option<f64>,
    /// Why, in words.
    rationale: String,
    /// Ids of the news that were read.
    news_ids: Vec<String>,
    /// Ids of the facts that it rests on.
    fact_ids: Vec<String>,
}

impl From<&Made> for TargetPosition {
    fn from(Made(decision): &Made) -> Self {
        let Decision {
            symbol,
            bar_at,
            decided_at,
            position,
            sentiment,
            technical,
            news_ids,
            confidence,
            fact_ids,
            rationale,
        } = decision.clone();
        Self { symbol, bar_at, decided_at, position, confidence, sentiment, technical, rationale, news_ids, fact_ids }
    }
}

/// The newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionList)]
pub(crate) struct Told {
    /// The moment asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
    /// How many there are in all by then, of this instrument.
    known: usize,
    decisions: Vec<TargetPosition>,
}

/// What the trading agent had decided at a moment.
#[utoipa::path(get, path = "/v1/decisions", tag = "trading", params(Wanted), security(("key" = [])), responses(
    (status = 200, body = Told),
    (status = 400, description = "A parameter does not fit.", body = ErrorBody),
    (status = 401, description = "The key is missing or wrong.", body = ErrorBody),
    (status = 404, description = "The service was started without decisions.", body = ErrorBody),
    (status = 503, description = "The file of decisions cannot be read now.", body = ErrorBody),
))]
pub(crate) async fn decisions(
    Shared(state): Shared<Arc<State>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Told>, Refused> {
    let Query(wanted) = wanted.map_err(|e| Refused::bad("bad-parameter", e.body_text()))?;
    let Some(decisions) = &state.decisions else {
        let message = "no decisions are served; start the service with --decisions FILE";
        return Err(Refused::new(StatusCode::NOT_FOUND, "no-decisions", message));
    };
    let (limit, most) = (wanted.limit.unwrap_or(20), state.config.max_decisions);
    if limit == 0 || limit > most {
        return Err(Refused::bad("bad-parameter", format!("limit is {limit}; it must be from 1 to {most}")));
    }
    let parse =
        |text: &String| text.parse().map_err(|e: artifacts::Error| Refused::bad("bad-parameter", e.to_string()));
    let as_of: Option<Timestamp> = wanted.as_of.as_ref().map(parse).transpose()?;
    let timeline = decisions.timeline()?;
    let view = timeline.as_of(as_of.unwrap_or(Timestamp::from_micros(i64::MAX)));
    let symbol = |made: &&Made| wanted.symbol.as_ref().is_none_or(|symbol| made.0.symbol == *symbol);
    let known = view.rows().iter().filter(symbol).count();
    let newest = view.rows().iter().rev().filter(symbol).take(limit).map(TargetPosition::from).collect();
    Ok(Json(Told { as_of, known, decisions: newest }))
}
