//! Statistics: pure functions on numbers, one statistic a file, each with its formula, unit, assumption and source.
//!
//! One rule holds everywhere: **no NaN goes in or out unnoticed**. A statistic that is not defined for its input (no
//! values, a value that is not finite, a denominator of 0) is `None`; input that contradicts itself (two series of
//! different length, a class that does not exist) is an [`Error`] that carries the values.
//!
//! | module | for |
//! |---|---|
//! | [`classification`] | confusion with unparseable answers, accuracy, precision/recall/F1, MCC, intervals and tests |
//! | [`distribution`] | quantiles, moments, histograms, distance and association of distributions |
//! | [`indicators`] | technical indicators as folds, one value at a time |
//! | [`trading`] | figures of a series of returns, with their annualisation explicit |
//! | [`selection`] | is it skill: deflated figures, overfitting, splits, bootstrap of dependent returns, tests of many |
//! | [`normal`] | the standard normal distribution |

pub mod classification;
pub mod distribution;
mod error;
mod finite;
pub mod indicators;
pub mod normal;
pub mod selection;
mod split_mix;
pub mod trading;

pub use error::Error;
pub use split_mix::SplitMix64;
