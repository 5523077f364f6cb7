//! Ranges of a stage's settings.

use crate::{Error, Result};
use std::ops::RangeInclusive;

/// Refuses the first number outside its range; NaN is outside every range.
///
/// ```
/// let error = artifacts::settings::within(&[("agents.debate_rounds", 1e6, 0.0..=20.0)]).unwrap_err();
/// assert_eq!(error.to_string(), "setting agents.debate_rounds is 1000000; give a number from 0 to 20");
/// ```
///
/// # Errors
/// Its name, value and range.
pub fn within(numbers: &[(&'static str, f64, RangeInclusive<f64>)]) -> Result<()> {
    match numbers.iter().find(|(_, value, range)| !range.contains(value)) {
        Some((name, value, range)) => {
            Err(Error::OutOfRange { name, value: *value, low: *range.start(), high: *range.end() })
        }
        None => Ok(()),
    }
}
