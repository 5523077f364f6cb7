//! Whether runs that differ in their seed alone come to the same decisions.

use super::Error;
use super::claims::Rate;
use artifacts::Timestamp;
use artifacts::rows::Decision;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Several runs over the same bars.
#[derive(Debug, Clone)]
pub(crate) struct Consistency {
    pub(crate) runs: usize,
    pub(crate) bars: u64,
    /// Bars on which all runs take the same side (up, down or none).
    pub(crate) unanimous: Rate,
    /// Pairs of runs, bar by bar, that take the same side.
    pub(crate) agreement: Rate,
    /// Mean over bars of the standard deviation of the positions.
    pub(crate) spread: Option<f64>,
    /// For each bar, the standard deviation of the positions.
    pub(crate) spreads: Vec<f64>,
}

pub(crate) fn side(position: f64) -> i8 {
    i8::from(position > 0.0) - i8::from(position < 0.0)
}

/// None where there is no other run.
pub(crate) fn consistency(
    first: (&Path, &[Decision]),
    others: &[(PathBuf, Vec<Decision>)],
    level: f64,
) -> Result<Option<Consistency>, Error> {
    if others.is_empty() {
        return Ok(None);
    }
    let mut by_bar: BTreeMap<(&str, Timestamp), Vec<f64>> = BTreeMap::new();
    for d in first.1 {
        by_bar.entry((&d.symbol, d.bar_at)).or_default().push(d.position);
    }
    for (folder, decisions) in others {
        let known = decisions.iter().filter(|d| by_bar.contains_key(&(d.symbol.as_str(), d.bar_at))).count();
        if known != decisions.len() || known != first.1.len() {
            return Err(Error::Unmatched {
                first: first.0.to_owned(),
                other: folder.clone(),
                expected: first.1.len(),
                found: decisions.len(),
                why: "runs of one agent decide on the same bars; give runs on the same market",
            });
        }
        for d in decisions {
            by_bar.entry((&d.symbol, d.bar_at)).or_default().push(d.position);
        }
    }
    let (mut unanimous, mut same, mut pairs) = (0, 0, 0);
    let mut spreads = Vec::with_capacity(by_bar.len());
    for positions in by_bar.values() {
        let sides: Vec<i8> = positions.iter().map(|p| side(*p)).collect();
        unanimous += u64::from(sides.windows(2).all(|w| w[0] == w[1]));
        for (n, a) in sides.iter().enumerate() {
            for b in sides.iter().skip(n + 1) {
                pairs += 1;
                same += u64::from(a == b);
            }
        }
        spreads.extend(stats::distribution::std(positions, 1));
    }
    let bars = by_bar.len() as u64;
    Ok(Some(Consistency {
        runs: others.len() + 1,
        bars,
        unanimous: Rate::of(unanimous, bars, level),
        agreement: Rate::of(same, pairs, level),
        spread: stats::distribution::mean(&spreads),
        spreads,
    }))
}
