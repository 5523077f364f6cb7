use serde::{Deserialize, Serialize};

/// At most so many claims make an answer.
pub const MOST_CLAIMS: usize = 12;

/// One statement of an agent with the fact it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// In the agent's words.
    pub text: String,
    /// The fact's number in the prompt, such as `F3`; empty where the claim cites none.
    pub fact: String,
}

/// What every reasoning agent answers with.
///
/// ```
/// use grounding::Answer;
/// let answer = Answer::parse(r#"{"score": 0.4, "confidence": 0.7, "claims": [{"text": "RSI is 61.2", "fact": "F1"}], "rationale": "The trend is up."}"#)?;
/// assert_eq!(answer.claims[0].fact, "F1");
/// assert_eq!(Answer::parse(&answer.to_json())?, answer);
/// let wrong = Answer::parse(r#"{"score": 4, "confidence": 0.7, "claims": [], "rationale": "up"}"#);
/// assert_eq!(wrong.unwrap_err().to_string(), "score is 4; give a number from -1 to 1");
/// # Ok::<(), grounding::AnswerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// From -1 (sell) to 1 (buy).
    pub score: f64,
    /// How sure, from 0 to 1.
    pub confidence: f64,
    /// What it rests on.
    pub claims: Vec<Claim>,
    /// In words.
    pub rationale: String,
}

/// Why a text is not an [`Answer`]. The message can be put to the model as it is: it says what to repair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum AnswerError {
    #[error("the answer does not begin with {{ and end with }}; give one JSON object and nothing around it")]
    NotAnObject,
    #[error(
        "the answer cannot be read: {message}; the keys are score, confidence, claims (each with text and fact) and rationale"
    )]
    Form { message: String },
    #[error("{name} is {value}; give a number from {low} to 1")]
    Range { name: &'static str, value: String, low: i8 },
    #[error("claim {claim} has no text; write it out or leave the claim out")]
    EmptyClaim { claim: usize },
    #[error(
        "claim {claim} cites {fact:?}; cite one fact by its number, such as F3, or give an empty text where there is none"
    )]
    Citation { claim: usize, fact: String },
    #[error("{found} claims; give at most {most}")]
    TooMany { found: usize, most: usize },
    #[error("the rationale is empty; say in a sentence why the score is what it is")]
    NoRationale,
}

impl Answer {
    /// The form as a JSON schema, for endpoints that accept one.
    pub const SCHEMA: &'static str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["score", "confidence", "claims", "rationale"],
  "properties": {
    "score": {"type": "number", "minimum": -1, "maximum": 1},
    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    "claims": {
      "type": "array",
      "maxItems": 12,
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["text", "fact"],
        "properties": {
          "text": {"type": "string", "minLength": 1},
          "fact": {"type": "string", "pattern": "^(F[1-9][0-9]{0,3})?$"}
        }
      }
    },
    "rationale": {"type": "string", "minLength": 1}
  }
}"#;

    /// The form as a grammar in llguidance's dialect of Lark, beginning at `start`. Lengths are bounded so that a small model comes to
    /// an end: at most four claims of 120 characters and a rationale of 160. Each text begins with a letter, a digit or a sign.
    pub const LARK: &'static str = r#"start: "{\"score\": " SCORE ", \"confidence\": " CONFIDENCE ", \"claims\": [" claims "], \"rationale\": " RATIONALE "}"
claims: (claim (", " claim){0,3})?
claim: "{\"text\": " TEXT ", \"fact\": " FACT "}"
SCORE: /-?(0\.[0-9]{1,2}|1\.0)/
CONFIDENCE: /(0\.[0-9]{1,2}|1\.0)/
TEXT: /"[A-Za-z0-9$+\-][^"\\\x00-\x1f\x7f]{0,119}"/
FACT: /"(F[1-9][0-9]{0,2})?"/
RATIONALE: /"[A-Za-z0-9$+\-][^"\\\x00-\x1f\x7f]{0,159}"/
"#;

    /// Reads an answer: one JSON object with exactly the known keys, numbers within their ranges, claims with a text.
    ///
    /// # Errors
    /// Anything else; the error says what to repair.
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        let text = text.trim();
        if !(text.starts_with('{') && text.ends_with('}')) {
            return Err(AnswerError::NotAnObject);
        }
        let answer: Self = serde_json::from_str(text).map_err(|e| AnswerError::Form { message: e.to_string() })?;
        answer.check()?;
        Ok(answer)
    }

    fn check(&self) -> Result<(), AnswerError> {
        for (name, value, low) in [("score", self.score, -1), ("confidence", self.confidence, 0)] {
            if !(f64::from(low)..=1.0).contains(&value) {
                return Err(AnswerError::Range { name, value: value.to_string(), low });
            }
        }
        if self.claims.len() > MOST_CLAIMS {
            return Err(AnswerError::TooMany { found: self.claims.len(), most: MOST_CLAIMS });
        }
        for (n, claim) in self.claims.iter().enumerate() {
            if claim.text.trim().is_empty() {
                return Err(AnswerError::EmptyClaim { claim: n + 1 });
            }
            if !is_citation(&claim.fact) {
                return Err(AnswerError::Citation { claim: n + 1, fact: claim.fact.clone() });
            }
        }
        if self.rationale.trim().is_empty() {
            return Err(AnswerError::NoRationale);
        }
        Ok(())
    }

    /// As JSON on one line, keys in the order of the grammar.
    pub fn to_json(&self) -> String {
        // Strings, finite numbers and lists always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Nothing, or `F` and a number.
fn is_citation(fact: &str) -> bool {
    let number = |digits: &str| !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit());
    fact.is_empty() || fact.strip_prefix('F').is_some_and(number)
}
