/// The values, if there are at least `least` and all are finite.
pub(crate) fn at_least(least: usize, values: &[f64]) -> Option<&[f64]> {
    (values.len() >= least && values.iter().all(|v| v.is_finite())).then_some(values)
}

/// The value, if it is finite.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// `numerator / denominator`, if the denominator is not 0 and the result is finite.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    if denominator == 0.0 { None } else { finite(numerator / denominator) }
}
