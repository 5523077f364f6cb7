use crate::engine::{Job, Scored};
use crate::error::{ErrorBody, Refused};
use crate::routes::{State, read};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use chat::Message;
use chat::prompts::{self, Instruction};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use text::Detected;
use tokio::sync::oneshot;
use utoipa::ToSchema;

/// Which wording asks: the text's own language does better where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    /// English, and every other language but Vietnamese.
    En,
    /// Vietnamese.
    Vi,
}

impl Language {
    fn of(text: &str) -> Self {
        if text::detect_language(text).language == Detected::Vietnamese { Self::Vi } else { Self::En }
    }

    fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Vi => "vi",
        }
    }
}

/// Of each language, questions that have in common what all questions of that language have.
pub(crate) fn frames() -> [[Vec<Message>; 2]; 2] {
    let ask = |text, language: Language| prompts::sentiment_messages(text, language.code(), Instruction::Brief);
    [Language::En, Language::Vi].map(|language| ["A", "0"].map(|text| ask(text, language)))
}

/// Texts to read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SentimentRequest)]
pub(crate) struct Question {
    /// One or more.
    #[schema(min_items = 1, examples(json!(["Profit rose by a third.", "Giảng viên dạy rất dễ hiểu."])))]
    texts: Vec<String>,
    /// The language of all of them; without it each text's is found.
    language: Option<Language>,
}

/// What the model gives each label. The three sum to 1.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Probabilities {
    negative: f64,
    neutral: f64,
    positive: f64,
}

/// One text's sentiment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reading {
    /// The likeliest of negative, neutral and positive.
    label: &'static str,
    /// Probability of positive less that of negative, from -1 to 1.
    score: f64,
    probabilities: Probabilities,
    /// Which wording asked.
    language: Language,
}

/// Why one text was not read; the others were.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Unread {
    /// `empty-text`, `text-too-long` or `text-refused` (it holds control tokens of the model).
    code: &'static str,
    message: String,
}

/// What became of one text.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Sentiment(Reading),
    Error(Unread),
}

/// One outcome a text, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SentimentResponse)]
pub(crate) struct Answer {
    /// Who read them.
    model: String,
    /// The version of the question's wording.
    prompt_version: u32,
    results: Vec<Outcome>,
}

/// The sentiment of each text.
///
/// The probabilities are those of the three labels if the model could answer nothing else. Texts of several requests are put
/// to the model together; up to rounding that changes nothing.
#[utoipa::path(post, path = "/v1/sentiment", tag = "model", request_body = Question, security(("key" = [])), responses(
    (status = 200, body = Answer),
    (status = 400, description = "The body does not fit.", body = ErrorBody),
    (status = 401, description = "The key is missing or wrong.", body = ErrorBody),
    (status = 413, description = "More than a limit allows.", body = ErrorBody),
    (status = 415, description = "Not application/json.", body = ErrorBody),
    (status = 503, description = "Too many requests are in hand.", body = ErrorBody),
    (status = 504, description = "Not answered in time.", body = ErrorBody),
))]
pub(crate) async fn sentiment(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Answer>, Refused> {
    let question: Question = read(&headers, body, &state.config)?;
    let (count, most) = (question.texts.len(), state.config.max_texts);
    if count == 0 {
        return Err(Refused::bad("no-texts", "`texts` is empty; give at least one text"));
    }
    if count > most {
        return Err(Refused::too_many("texts", count, most, "max_texts"));
    }
    let checked: Vec<Result<(Language, &str), Refused>> = question
        .texts
        .iter()
        .map(|text| {
            check(text, state.config.max_characters)?;
            Ok((question.language.unwrap_or_else(|| Language::of(text)), text.as_str()))
        })
        .collect();
    let conversations = checked
        .iter()
        .flatten()
        .map(|(language, text)| prompts::sentiment_messages(text, language.code(), Instruction::Brief))
        .collect();
    let mut scores = score(&state, conversations).await?.into_iter();
    let results = checked
        .into_iter()
        .map(|text| {
            let read =
                text.and_then(|(language, _)| Ok(reading(&scores.next().ok_or_else(Refused::ended)??, language)));
            match read {
                Ok(reading) => Outcome::Sentiment(reading),
                Err(why) => Outcome::Error(Unread { code: why.code(), message: why.message().to_owned() }),
            }
        })
        .collect();
    Ok(Json(Answer { model: state.name.clone(), prompt_version: prompts::VERSION, results }))
}

fn check(text: &str, limit: usize) -> Result<(), Refused> {
    let characters = text.chars().count();
    if text.trim().is_empty() {
        Err(Refused::bad("empty-text", "the text is empty"))
    } else if characters > limit {
        let message = format!("{characters} characters, {limit} at most (max_characters); shorten the text");
        Err(Refused::bad("text-too-long", message))
    } else {
        Ok(())
    }
}

async fn score(state: &State, conversations: Vec<Vec<Message>>) -> Result<Vec<Scored>, Refused> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let (answer, answered) = oneshot::channel();
    state.engine.send(Job::Score { conversations, answer })?;
    state.patiently(answered).await?.map_err(|_| Refused::ended())?
}

fn reading(scores: &[f64], language: Language) -> Reading {
    let of = |label: &str| {
        let place = prompts::LABELS.iter().position(|known| *known == label);
        place.and_then(|place| scores.get(place)).copied().unwrap_or(0.0)
    };
    let label = prompts::LABELS.into_iter().max_by(|a, b| of(a).total_cmp(&of(b)));
    let probabilities = Probabilities { negative: of("negative"), neutral: of("neutral"), positive: of("positive") };
    Reading {
        label: label.unwrap_or("neutral"),
        score: probabilities.positive - probabilities.negative,
        probabilities,
        language,
    }
}
