/// Input that contradicts itself. (A statistic that merely is not defined for its input is `None`.)
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant's message is its documentation; its fields are the message's values")]
pub enum Error {
    #[error("{left} values against {right}; give one of each for every row")]
    LengthMismatch { left: usize, right: usize },
    #[error("class {class} does not exist; the {classes} classes are numbered from 0")]
    UnknownClass { class: usize, classes: usize },
    #[error("no values; give at least one")]
    Empty,
    #[error("value {index} is {value}; give finite values of 0 or more")]
    NotACount { index: usize, value: f64 },
    #[error("{name} is {value}; give a number {range}")]
    OutOfRange { name: &'static str, value: f64, range: &'static str },
    #[error(
        "the statistic is not defined on {undefined} of {resamples} resamples; there are too few rows for an interval"
    )]
    Undefined { undefined: usize, resamples: usize },
}
