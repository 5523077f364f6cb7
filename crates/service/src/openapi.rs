use crate::{completions, decisions, routes, sentiment};
use axum::Json;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// Everything that can be called, from the types that are really read and written.
#[derive(OpenApi)]
#[openapi(
    info(title = "seafin", description = "Sentiment of financial news, chat completions, and trading decisions as of a moment."),
    paths(
        sentiment::sentiment,
        completions::completions,
        completions::models,
        decisions::decisions,
        routes::health,
        routes::metrics,
    ),
    modifiers(&Key),
)]
struct Calls;

struct Key;

impl Modify for Key {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Calls::openapi())
}
