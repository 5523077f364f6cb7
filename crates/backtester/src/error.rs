use artifacts::{Timestamp, one_line};
use std::path::PathBuf;

/// Everything that can stop a backtest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error(transparent)]
    Artifact(#[from] artifacts::Error),
    #[error("{}: {source}", one_line(file.display()))]
    In { file: PathBuf, source: Box<Error> },
    #[error("setting {name} is {value}; give a number {range}")]
    BadSetting { name: &'static str, value: f64, range: &'static str },
    #[error("no decision on `{wanted}`; decisions are about {choices}; set `symbol` to one of them", wanted = one_line(wanted), choices = one_line(choices))]
    UnknownSymbol { wanted: String, choices: String },
    #[error("decisions are about {choices}; set `symbol` to one of them", choices = one_line(choices))]
    SeveralSymbols { choices: String },
    #[error("bars are of {choices}; set `symbol` to one of them", choices = one_line(choices))]
    SeveralInstruments { choices: String },
    #[error("no bars of `{symbol}`; it has bars of {choices}; give the bars and decisions of the same instrument", symbol = one_line(symbol), choices = one_line(choices))]
    NoBars { symbol: String, choices: String },
    #[error("{bars} bars of `{symbol}`; a backtest needs at least 2", symbol = one_line(symbol))]
    TooFewBars { symbol: String, bars: usize },
    #[error(
        "row {row}: the decision is about `{found}`, the bars about `{expected}`; give the decisions of the same instrument", found = one_line(found), expected = one_line(expected))]
    WrongSymbol { row: usize, found: String, expected: String },
    #[error("row {row}: a decision on {bar_at}, and no bar begins then; run the strategy on these bars")]
    NoSuchBar { row: usize, bar_at: Timestamp },
    #[error("row {row}: the position is {position}; positions lie in [-1, 1]")]
    BadPosition { row: usize, position: f64 },
    #[error(
        "no decision on the bar of {bar_at} (bar {bar} of {bars}; {missing} bars have none); run the strategy on these bars, or set missing_decisions = \"hold\""
    )]
    MissingDecision { bar: usize, bars: usize, bar_at: Timestamp, missing: usize },
    #[error(
        "fill_at = {fill} fills a decision at a price that is past when the decision exists, so nobody can have these figures; set fill_at = next_open, or allow_lookahead_same_bar_fill = true to see them all the same"
    )]
    LookAhead { fill: &'static str },
    #[error(
        "allow_lookahead_same_bar_fill is set, but fill_at = {fill} fills in the next bar; leave one of the two out"
    )]
    UselessLookAhead { fill: &'static str },
    #[error("the bar of {bar_at} has no volume, and {setting} needs it; use bars with volumes or leave {setting} out")]
    NoVolume { setting: &'static str, bar_at: Timestamp },
    #[error("{rule}: {parameter} is {value}; give {range}")]
    BadParameter { rule: &'static str, parameter: &'static str, value: f64, range: &'static str },
    #[error("unknown rule `{name}`; known rules are {choices}", name = one_line(name), choices = one_line(choices))]
    UnknownRule { name: String, choices: String },
    #[error("{rule} has no parameter `{given}`; its parameters are {first} and {second}", given = one_line(given))]
    NoSuchParameter { rule: &'static str, given: String, first: &'static str, second: &'static str },
    #[error("`{text}` is no list of numbers; write 5..50:5 (from, to, step), 5,10,20, or one number", text = one_line(text))]
    BadRange { text: String },
    #[error("no choice of {first} and {second} in the grid fits {rule}: {why}", why = one_line(why))]
    EmptyGrid { rule: &'static str, first: &'static str, second: &'static str, why: String },
    #[error(transparent)]
    Statistic(#[from] stats::Error),
    #[error(
        "its first bar, {bar_at}, does not come after the last of the file before, {before}; name the files in order of time"
    )]
    PartOrder { bar_at: Timestamp, before: Timestamp },
    #[error("{bars} bars; one window needs {needs} (train, purge and 2 to judge by); set fewer, or use more bars")]
    NoWindow { bars: usize, needs: usize },
    #[error(
        "{bars} bars; {folds} folds with what is purged around one need more than {needs}; set fewer, or use more bars"
    )]
    NoFold { bars: usize, folds: usize, needs: usize },
    #[error("cannot read: {message}", message = one_line(message))]
    Unreadable { message: String },
    #[error("no column `{column}`; it has {present}", present = one_line(present))]
    MissingColumn { column: &'static str, present: String },
    #[error("line {line}: {column} is `{value}`; give {expected}", value = one_line(value))]
    BadCell { line: u64, column: &'static str, value: String, expected: &'static str },
    #[error("{positions} positions for {prices} prices; give one position for each price row, in the same order")]
    PositionCount { positions: usize, prices: usize },
    #[error("{prices} prices; the assessment mode needs at least 3")]
    TooFewPrices { prices: usize },
    #[error("{}: another process has held this lock for {seconds} s; let it end, or end it, and run this again", one_line(path.display()))]
    Locked { path: PathBuf, seconds: u64 },
}

impl Error {
    /// The same about rows that are numbered from a later one on.
    pub(crate) fn after(self, rows: usize) -> Self {
        match self {
            Self::NoSuchBar { row, bar_at } => Self::NoSuchBar { row: row + rows, bar_at },
            Self::BadPosition { row, position } => Self::BadPosition { row: row + rows, position },
            other => other,
        }
    }

    pub(crate) fn within(self, file: &std::path::Path) -> Self {
        Self::In { file: file.into(), source: Box::new(self) }
    }
}
