use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Why the service does not start, or ends.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error("{name} is {found}; it must be {expected}")]
    Setting { name: &'static str, found: String, expected: &'static str },
    #[error("{address}: cannot listen: {source}; choose another --listen")]
    Listen { address: String, source: std::io::Error },
    #[error("{what}: {source}")]
    System { what: &'static str, source: std::io::Error },
    #[error(transparent)]
    Artifact(#[from] Box<artifacts::Error>),
}

/// Why one request got no answer: a status, a constant for programs, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 400: the request itself is wrong.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A number of something above its limit.
    pub(crate) fn too_many(what: &str, found: usize, limit: usize, setting: &str) -> Self {
        let message = format!("{found} {what}, {limit} at most ({setting})");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
    }

    /// 503: try again.
    pub(crate) fn busy(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    }

    /// 503: the model's thread is gone.
    pub(crate) fn ended() -> Self {
        Self::busy("the model's thread has ended; start the service again")
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn body(&self) -> ErrorBody {
        // The kinds of the chat-completions protocol.
        let kind = match self.status.as_u16() {
            401 => "authentication_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        };
        ErrorBody { error: ErrorText { message: self.message.clone(), kind, code: self.code } }
    }
}

/// What a text or conversation met in the model.
impl From<providers::Error> for Refused {
    fn from(error: providers::Error) -> Self {
        let message = error.to_string();
        match error {
            providers::Error::PromptTooLong { .. } => Self::bad("text-too-long", message),
            providers::Error::BadGrammar { .. } => Self::bad("bad-schema", message),
            e if e.is_refusal() => Self::bad("text-refused", message),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "model-failed", message),
        }
    }
}

/// What a refused request is answered with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorText,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorText {
    /// One sentence that names the value and the remedy.
    message: String,
    /// Whose fault it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// A constant for programs.
    code: &'static str,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
            StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            _ => None,
        };
        response
    }
}
