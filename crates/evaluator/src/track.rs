use crate::replies::{Reply, likeliest};
use artifacts::rows::Sentiment;

/// How an answer is taken from a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// What the model wrote, strictly parsed.
    Generated,
    /// The label with the highest likelihood.
    Scored,
    /// The label whose likelihood the text raises most, a token.
    Calibrated,
}

impl Way {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Generated, Self::Scored, Self::Calibrated];

    /// The prefix of its metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Scored => "scored",
            Self::Calibrated => "calibrated",
        }
    }
}

/// The answers of one subject taken one way, one a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Whose: `base`, `tuned`, `majority`, `tfidf`.
    pub subject: &'static str,
    /// How they were taken.
    pub way: Way,
    /// The class of each row; none where the answer could not be read.
    pub answers: Vec<Option<Sentiment>>,
    /// Scores of the labels whose softmax is their probability; none for what only writes.
    pub scores: Option<Vec<[f64; 3]>>,
}

impl Track {
    /// All ways to take a model's replies.
    pub(crate) fn of_replies(subject: &'static str, replies: &[Reply]) -> Vec<Self> {
        let scored = |way, of: fn(&Reply) -> [f64; 3]| Self::of_scores(subject, way, replies.iter().map(of).collect());
        let generated = replies.iter().map(|r| r.predicted).collect();
        vec![
            Self { subject, way: Way::Generated, answers: generated, scores: None },
            scored(Way::Scored, Reply::scores),
            scored(Way::Calibrated, Reply::calibrated),
        ]
    }

    /// The likeliest label of each row.
    pub fn of_scores(subject: &'static str, way: Way, scores: Vec<[f64; 3]>) -> Self {
        Self { subject, way, answers: scores.iter().map(|s| Some(likeliest(s))).collect(), scores: Some(scores) }
    }

    /// Always the same label.
    pub fn constant(subject: &'static str, label: Sentiment, rows: usize) -> Self {
        Self { subject, way: Way::Generated, answers: vec![Some(label); rows], scores: None }
    }

    /// `tuned, scored`.
    pub(crate) fn name(&self) -> String {
        format!("{}, {}", self.subject, self.way.name())
    }

    /// Subject and way.
    pub(crate) fn key(&self) -> (&'static str, Way) {
        (self.subject, self.way)
    }
}
