use crate::finite::finite;

/// Mean correlation of all pairs of these series, in [-1, 1]; a series that does not vary resembles none.
/// None for fewer than two series, fewer than two periods, series of different length or a value that is not finite.
///
/// ```
/// let (up, down) = ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]);
/// assert!((stats::selection::mean_correlation(&[up, up, down]).unwrap() + 1.0 / 3.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn mean_correlation<S: AsRef<[f64]>>(series: &[S]) -> Option<f64> {
    let periods = series.first()?.as_ref().len();
    if series.len() < 2 || periods < 2 || series.iter().any(|s| s.as_ref().len() != periods) {
        return None;
    }
    // Of series with mean 0 and length 1 the correlations of all pairs are the square of their sum: no pair is formed.
    let (mut together, mut varying) = (vec![0.0; periods], 0.0);
    for series in series {
        let series = series.as_ref();
        let mean = finite(series.iter().sum::<f64>() / periods as f64)?;
        let length = finite(series.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>().sqrt())?;
        if length > 0.0 {
            varying += 1.0;
            together.iter_mut().zip(series).for_each(|(sum, x)| *sum += (x - mean) / length);
        }
    }
    let n = series.len() as f64;
    finite((together.iter().map(|x| x * x).sum::<f64>() - varying) / (n * (n - 1.0)))
}

/// How many independent trials `trials` resembling ones are worth: r + (1 - r) N with r the mean correlation of their
/// returns, from N (none resembles another) to 1 (all are one) (Bailey and López de Prado, Journal of Portfolio Management
/// 40, 2014, appendix 3). A correlation below 0 counts as 0: nothing is worth more than itself.
///
/// ```
/// assert_eq!(stats::selection::effective_trials(101, 0.5), 51.0);
/// ```
#[must_use]
pub fn effective_trials(trials: usize, mean_correlation: f64) -> f64 {
    let r = mean_correlation.clamp(0.0, 1.0);
    r + (1.0 - r) * trials as f64
}
