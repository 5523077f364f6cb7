use artifacts::Timestamp;
use std::path::PathBuf;

/// Everything that can stop a backtest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error("{}: {source}", file.display())]
    In { file: PathBuf, source: Box<Error> },
    #[error("setting {name} is {value}; give a number {range}")]
    BadSetting { name: &'static str, value: f64, range: &'static str },
    #[error("no decision on `{wanted}`; decisions are about {choices}; set `symbol` to one of them")]
    UnknownSymbol { wanted: String, choices: String },
    #[error("decisions are about {choices}; set `symbol` to one of them")]
    SeveralSymbols { choices: String },
    #[error("no bars of `{symbol}`; it has bars of {choices}; give the bars and decisions of the same instrument")]
    NoBars { symbol: String, choices: String },
    #[error("{bars} bars of `{symbol}`; a backtest needs at least 2")]
    TooFewBars { symbol: String, bars: usize },
    #[error(
        "row {row}: the decision is about `{found}`, the bars about `{expected}`; give the decisions of the same instrument"
    )]
    WrongSymbol { row: usize, found: String, expected: String },
    #[error("row {row}: a decision on {bar_at}, and no bar begins then; run the strategy on these bars")]
    NoSuchBar { row: usize, bar_at: Timestamp },
    #[error("row {row}: the position is {position}; positions lie in [-1, 1]")]
    BadPosition { row: usize, position: f64 },
    #[error(
        "no decision on the bar of {bar_at} (bar {bar} of {bars}; {missing} bars have none); run the strategy on these bars, or set missing_decisions = \"hold\""
    )]
    MissingDecision { bar: usize, bars: usize, bar_at: Timestamp, missing: usize },
    #[error("cannot read: {message}")]
    Unreadable { message: String },
    #[error("no column `{column}`; it has {present}")]
    MissingColumn { column: &'static str, present: String },
    #[error("line {line}: {column} is `{value}`; give {expected}")]
    BadCell { line: u64, column: &'static str, value: String, expected: &'static str },
    #[error("{positions} positions for {prices} prices; give one position for each price row, in the same order")]
    PositionCount { positions: usize, prices: usize },
    #[error("{prices} prices; the assessment mode needs at least 3")]
    TooFewPrices { prices: usize },
}

impl Error {
    pub(crate) fn within(self, file: &std::path::Path) -> Self {
        Self::In { file: file.into(), source: Box::new(self) }
    }
}
