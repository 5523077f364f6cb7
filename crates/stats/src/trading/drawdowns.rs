use super::underwater;

/// One fall below the highest point so far, until it is reached again. Places count returns from 0.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Drawdown {
    /// The first return below the high.
    pub begins: usize,
    /// The lowest point (the first one, of equal ones).
    pub lowest: usize,
    /// The return that reached the high again; none where none has yet.
    pub recovered: Option<usize>,
    /// How deep, a share below 0.
    pub depth: f64,
}

/// The `most` deepest drawdowns, deepest first (equal ones in order of time): the runs in which [`underwater`] is below 0.
/// None without returns.
///
/// ```
/// let found = stats::trading::drawdowns(&[0.1, -0.5, 1.0, -0.1, 0.0], 10).unwrap();
/// assert_eq!((found[0].begins, found[0].lowest, found[0].recovered, found[0].depth), (1, 1, Some(2), -0.5));
/// assert_eq!((found[1].begins, found[1].recovered), (3, None));
/// ```
#[must_use]
pub fn drawdowns(returns: &[f64], most: usize) -> Option<Vec<Drawdown>> {
    let depths = underwater(returns)?;
    // a high that is reached again to rounding is reached
    let below = |depth: f64| depth < -1e-12;
    let mut found: Vec<Drawdown> = Vec::new();
    let mut open: Option<Drawdown> = None;
    for (at, depth) in depths.into_iter().enumerate() {
        match &mut open {
            Some(d) if depth < d.depth => (d.lowest, d.depth) = (at, depth),
            Some(_) if below(depth) => {}
            Some(d) => {
                found.push(Drawdown { recovered: Some(at), ..*d });
                open = None;
            }
            None if below(depth) => open = Some(Drawdown { begins: at, lowest: at, recovered: None, depth }),
            None => {}
        }
    }
    found.extend(open);
    found.sort_by(|a, b| a.depth.total_cmp(&b.depth));
    found.truncate(most);
    Some(found)
}
