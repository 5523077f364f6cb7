use crate::Error;
use crate::classification::wilson_interval;

/// How often a signal had the right sign.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct HitRate {
    /// Right signs.
    pub hits: u64,
    /// Pairs in which neither is 0.
    pub calls: u64,
    /// Share of hits; none without a call.
    pub rate: Option<f64>,
    /// Wilson's interval for independent calls; none without a call.
    pub interval: Option<(f64, f64)>,
}

/// Share of pairs in which signal and outcome have the same sign; pairs with a 0 or a value that is not finite say nothing
/// and are left out.
///
/// # Errors
/// Series of different length.
///
/// ```
/// let found = stats::selection::hit_rate(&[0.5, -0.1, 0.0, 0.2], &[0.01, 0.02, 0.03, 0.01], 0.95)?;
/// assert_eq!((found.hits, found.calls), (2, 3));
/// # Ok::<(), stats::Error>(())
/// ```
pub fn hit_rate(signal: &[f64], outcome: &[f64], level: f64) -> Result<HitRate, Error> {
    if signal.len() != outcome.len() {
        return Err(Error::LengthMismatch { left: signal.len(), right: outcome.len() });
    }
    let said = |(s, o): &(&f64, &f64)| s.is_finite() && o.is_finite() && **s != 0.0 && **o != 0.0;
    let calls = signal.iter().zip(outcome).filter(said);
    let (hits, calls) = calls.fold((0, 0), |(h, n), (s, o)| (h + u64::from((*s > 0.0) == (*o > 0.0)), n + 1));
    Ok(HitRate {
        hits,
        calls,
        rate: (calls > 0).then(|| hits as f64 / calls as f64),
        interval: wilson_interval(hits, calls, level),
    })
}
