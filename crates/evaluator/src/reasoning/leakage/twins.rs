//! The same decisions on twins of the market: what should change them, and does it?

use super::LeakageConfig;
use super::chance::at_least_by_shifting;
use crate::reasoning::Error;
use crate::reasoning::claims::Rate;
use crate::reasoning::consistency::side;
use artifacts::rows::Decision;
use std::collections::BTreeMap;
use std::path::Path;

/// What an honest reader of the market does on a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The same: only what a model may remember was changed.
    Same,
    /// The opposite: what it should read was turned round.
    Opposite,
    /// Something else: what it should read was exchanged.
    Other,
}

/// The twins that are known, and what is expected on each.
pub const TWINS: [(&str, Expected); 5] = [
    ("anonymised", Expected::Same),
    ("date-shifted", Expected::Same),
    ("flipped-news", Expected::Opposite),
    ("inverted", Expected::Opposite),
    ("placebo", Expected::Other),
];

/// The decisions on one twin beside the original's.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    pub(crate) name: String,
    pub(crate) expected: Expected,
    /// Bars on which both take a side: the same one.
    pub(crate) same: Rate,
    /// Bars on which the twin takes no side, or the original takes none.
    pub(crate) one_sided: u64,
    /// Mean absolute difference of the positions.
    pub(crate) distance: Option<f64>,
    pub(crate) correlation: Option<f64>,
    /// How often shifting the twin in time agrees (same, other) or disagrees (opposite) as much.
    pub(crate) p: Option<f64>,
    pub(crate) verdict: &'static str,
    pub(crate) consistent: Option<bool>,
}

/// The name and expectation of a twin.
///
/// # Errors
/// It is unknown.
pub(crate) fn expected(name: &str) -> Result<Expected, Error> {
    TWINS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, e)| *e)
        .ok_or_else(|| Error::UnknownTwin { name: name.to_owned() })
}

pub(crate) fn twin(
    config: &LeakageConfig,
    name: &str,
    original: (&Path, &[Decision]),
    other: (&Path, &[Decision]),
) -> Result<Twin, Error> {
    let expected = expected(name)?;
    let pairs = matched(original, other)?;
    let shared = |shift: usize, turned: bool| {
        let (mut hits, mut of) = (0_u64, 0_u64);
        for (n, (a, _)) in pairs.iter().enumerate() {
            let b = pairs.get((n + shift) % pairs.len()).map_or(0.0, |p| p.1);
            if *a != 0.0 && b != 0.0 {
                of += 1;
                hits += u64::from((side(*a) == side(b)) != turned);
            }
        }
        (hits, of)
    };
    let (hits, of) = shared(0, false);
    let same = Rate::of(hits, of, config.confidence);
    let turned = expected == Expected::Opposite;
    let share = |shift: usize| {
        let (hits, of) = shared(shift, turned);
        hits as f64 / of.max(1) as f64
    };
    let p = at_least_by_shifting(pairs.len(), config.permutations, share, share(0));
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let distances: Vec<f64> = pairs.iter().map(|(a, b)| (a - b).abs()).collect();
    let (verdict, consistent) = judged(expected, &same, config);
    Ok(Twin {
        name: name.to_owned(),
        expected,
        one_sided: pairs.iter().filter(|(a, b)| (*a == 0.0) != (*b == 0.0)).count() as u64,
        distance: stats::distribution::mean(&distances),
        correlation: stats::selection::spearman(&first, &second),
        same,
        p,
        verdict,
        consistent,
    })
}

/// Judged by the interval: what it leaves open is not decided.
fn judged(expected: Expected, same: &Rate, config: &LeakageConfig) -> (&'static str, Option<bool>) {
    let (Some(share), Some((low, high))) = (same.value(), same.interval) else {
        return ("no bar on which both take a side", None);
    };
    match expected {
        Expected::Same if low >= config.consistent => ("as it should be: the decisions stay", Some(true)),
        Expected::Same if high < config.consistent => ("the decisions hang on names, levels or dates", Some(false)),
        Expected::Opposite if high < 0.5 => ("as it should be: most decisions turn", Some(true)),
        Expected::Opposite if low > 0.5 => ("the decisions hardly follow what was turned", Some(false)),
        Expected::Other if low > config.consistent => {
            ("the texts hardly matter: other texts, the same decisions", Some(false))
        }
        Expected::Other if high < config.consistent => ("as it should be: other texts, other decisions", Some(true)),
        _ if share >= 0.5 => ("open: too few bars to tell, rather the same", None),
        _ => ("open: too few bars to tell, rather other", None),
    }
}

/// Positions of both on the same bars: by symbol and bar or, where a twin has other names or dates, by place in the order of time.
fn matched(original: (&Path, &[Decision]), other: (&Path, &[Decision])) -> Result<Vec<(f64, f64)>, Error> {
    let refuse = |why| Error::Unmatched {
        first: original.0.to_owned(),
        other: other.0.to_owned(),
        expected: original.1.len(),
        found: other.1.len(),
        why,
    };
    if original.1.len() != other.1.len() {
        return Err(refuse("a twin has as many bars as its original"));
    }
    let key = |d: &Decision| (d.symbol.clone(), d.bar_at);
    let by_bar: BTreeMap<_, f64> = other.1.iter().map(|d| (key(d), d.position)).collect();
    let direct: Option<Vec<(f64, f64)>> =
        original.1.iter().map(|d| Some((d.position, *by_bar.get(&key(d))?))).collect();
    if let Some(pairs) = direct {
        return Ok(pairs);
    }
    let symbols = |decisions: &[Decision]| {
        let mut counts: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for d in decisions {
            counts.entry(d.symbol.clone()).or_default().push(d.position);
        }
        counts
    };
    let (first, second) = (symbols(original.1), symbols(other.1));
    let same_names = first.keys().eq(second.keys());
    if !(same_names || first.len() == 1 && second.len() == 1) {
        return Err(refuse("with several symbols a twin must keep their names; give one symbol at a time"));
    }
    if first.values().zip(second.values()).any(|(a, b)| a.len() != b.len()) {
        return Err(refuse("a symbol has another number of bars"));
    }
    Ok(first.into_values().flatten().zip(second.into_values().flatten()).collect())
}
