use crate::Error;
use artifacts::{Timed, Timestamp};
use serde::{Deserialize, Serialize};

/// One past situation in words, with what came of it, as it is put into a [`Library`](crate::Library).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Unique within a library.
    pub id: String,
    /// When it happened.
    pub event_at: Timestamp,
    /// When it could be known.
    pub available_at: Timestamp,
    /// What was known, in words.
    pub text: String,
    /// What came of it, such as the return of the day after.
    pub outcome: Option<f64>,
    /// From when on the outcome could be known; given exactly where there is an outcome.
    pub outcome_known_at: Option<Timestamp>,
}

/// A case as a search shows it. It has no outcome: that is in [`Found::outcome`], and only where it was known.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Unique within a library.
    pub id: String,
    /// When it happened.
    pub event_at: Timestamp,
    /// When it could be known.
    pub available_at: Timestamp,
    /// What was known, in words.
    pub text: String,
}

/// A case that resembles the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found<'a> {
    /// The case.
    pub case: &'a Past,
    /// The fused score: higher is more similar, comparable within one search only.
    pub score: f64,
    /// Cosine of the embeddings of case and query.
    pub cosine: f32,
    /// The BM25 score; 0 where the two share no word.
    pub lexical: f64,
    /// What came of the case, if that was known at the time of the search.
    pub outcome: Option<f64>,
}

impl Timed for Case {
    fn event_at(&self) -> Timestamp {
        self.event_at
    }
    fn available_at(&self) -> Timestamp {
        self.available_at
    }
}

/// A case whose outcome cannot be had without naming a moment.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) past: Past,
    outcome: Option<(f64, Timestamp)>,
}

impl Sealed {
    pub(crate) fn new(case: Case) -> Result<Self, Error> {
        let bad = |message: String| Error::BadCase { id: case.id.clone(), message };
        let outcome = match (case.outcome, case.outcome_known_at) {
            (None, None) => None,
            (Some(v), _) if !v.is_finite() => return Err(bad(format!("its outcome is {v}; leave it out"))),
            (Some(_), Some(at)) if at < case.available_at => {
                let available = case.available_at;
                return Err(bad(format!("its outcome is known at {at}, before the case itself at {available}")));
            }
            (Some(v), Some(at)) => Some((v, at)),
            (Some(_), None) => {
                return Err(bad("its outcome has no outcome_known_at; say from when it was known".into()));
            }
            (None, Some(at)) => {
                return Err(bad(format!("it has no outcome, but one known at {at}; give both or none")));
            }
        };
        if case.available_at < case.event_at {
            let (event_at, available_at) = (case.event_at, case.available_at);
            return Err(bad(format!("available_at {available_at} is earlier than event_at {event_at}")));
        }
        let Case { id, event_at, available_at, text, .. } = case;
        Ok(Self { past: Past { id, event_at, available_at, text }, outcome })
    }

    pub(crate) fn outcome_as_of(&self, t: Timestamp) -> Option<f64> {
        self.outcome.filter(|(_, known_at)| *known_at <= t).map(|(value, _)| value)
    }

    pub(crate) fn learn(&mut self, outcome: f64, known_at: Timestamp) {
        self.outcome = Some((outcome, known_at));
    }

    pub(crate) fn to_case(&self) -> Case {
        let Past { id, event_at, available_at, text } = self.past.clone();
        let (outcome, outcome_known_at) = (self.outcome.map(|o| o.0), self.outcome.map(|o| o.1));
        Case { id, event_at, available_at, text, outcome, outcome_known_at }
    }
}

impl Timed for Sealed {
    fn event_at(&self) -> Timestamp {
        self.past.event_at
    }
    fn available_at(&self) -> Timestamp {
        self.past.available_at
    }
}
