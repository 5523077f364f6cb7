use std::fmt;

/// What the verifier finds about one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing in it that can be checked is other than in its fact.
    Supported,
    /// A number differs from its fact's by more than the written precision allows.
    WrongNumber,
    /// A date or a time is not that of its fact.
    WrongDate,
    /// It names someone or something else than its fact does.
    WrongName,
    /// It says up where its fact says down, or the other way round.
    WrongDirection,
    /// It cites a fact that was not given.
    UnknownFact,
    /// It states something that can be checked, and cites nothing.
    Uncited,
    /// It cites a fact that is about something else.
    WrongFact,
}

impl Verdict {
    /// Every verdict, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Supported,
        Self::WrongNumber,
        Self::WrongDate,
        Self::WrongName,
        Self::WrongDirection,
        Self::WrongFact,
        Self::UnknownFact,
        Self::Uncited,
    ];

    /// The word in files and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::WrongNumber => "wrong-number",
            Self::WrongDate => "wrong-date",
            Self::WrongName => "wrong-name",
            Self::WrongDirection => "wrong-direction",
            Self::UnknownFact => "unknown-fact",
            Self::Uncited => "uncited",
            Self::WrongFact => "wrong-fact",
        }
    }

    /// The verdict of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == word)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict and, where it is not [`Verdict::Supported`], what the fact says instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What was found.
    pub verdict: Verdict,
    /// What the fact says; empty where the claim is supported or there is no fact.
    pub expected: String,
}
