use super::Rule;
use serde::{Deserialize, Serialize};

/// Where a rule goes when it goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sides {
    /// Long or flat.
    #[default]
    LongFlat,
    /// Long or short.
    LongShort,
}

/// Turns values of a rule into changes of the wanted position: in above the threshold, out below its negative, in between
/// (and where there is no value) as before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Turns {
    /// 1 above, -1 below, 0 not yet known.
    last: i8,
    crosses: bool,
    out: f64,
    /// What is wanted now.
    wanted: f64,
}

impl Turns {
    pub(crate) fn new(rule: Rule, sides: Sides) -> Self {
        let out = if sides == Sides::LongShort { -1.0 } else { 0.0 };
        Self { last: 0, crosses: rule.crosses(), out, wanted: 0.0 }
    }

    pub(crate) fn next(&mut self, value: f64, threshold: f64) -> Option<f64> {
        let zone = i8::from(value > threshold) - i8::from(value < -threshold);
        if zone == 0 || zone == self.last {
            return None;
        }
        self.turn(zone)
    }

    /// Takes a value known to be on another side than the last.
    #[expect(clippy::float_cmp, reason = "targets are -1, 0 or 1")]
    fn turn(&mut self, zone: i8) -> Option<f64> {
        let first = self.last == 0;
        self.last = zone;
        let wanted = if zone > 0 { 1.0 } else { self.out };
        if (first && self.crosses) || wanted == self.wanted {
            return None;
        }
        self.wanted = wanted;
        Some(wanted)
    }

    /// As [`Turns::next`] for each value of a column, calling `changed` with the number of each value that changes the
    /// wanted position: skips ahead where nothing can change.
    pub(crate) fn scan(&mut self, values: &[f64], threshold: f64, mut changed: impl FnMut(usize, f64)) {
        let mut done = 0;
        while let Some(at) = values.get(done..).and_then(|rest| self.find(rest, threshold)) {
            let index = done + at;
            if let Some(target) = values.get(index).and_then(|v| self.next(*v, threshold)) {
                changed(index, target);
            }
            done = index + 1;
        }
    }

    /// The first value on another side than the last.
    #[expect(clippy::needless_bitwise_bool, reason = "branches would keep it from becoming vector instructions")]
    fn find(&self, values: &[f64], threshold: f64) -> Option<usize> {
        let (above, below) = (self.last <= 0, self.last >= 0);
        let turns = |v: &f64| (above & (*v > threshold)) | (below & (*v < -threshold));
        let mut skipped = 0;
        for chunk in values.chunks(64) {
            // without an early end, so that it compiles to a few vector instructions
            if chunk.iter().fold(false, |any, v| any | turns(v)) {
                return chunk.iter().position(turns).map(|at| skipped + at);
            }
            skipped += chunk.len();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_finds_what_a_fold_finds() {
        let mut rng = stats::SplitMix64::new(3);
        for (rule, sides) in [(Rule::SmaCross, Sides::LongFlat), (Rule::RsiBand, Sides::LongShort)] {
            let values: Vec<f64> = (0..2000)
                .map(|i| match rng.next_u64() % 40 {
                    0 => f64::NAN,
                    1 => 0.0,
                    _ => (f64::from(i) / 30.0).sin() * 2.0,
                })
                .collect();
            let mut fold = Turns::new(rule, sides);
            let one: Vec<_> = values.iter().enumerate().filter_map(|(i, v)| Some((i, fold.next(*v, 0.5)?))).collect();
            let mut scan = Turns::new(rule, sides);
            let mut other = Vec::new();
            for (block, part) in values.chunks(300).enumerate() {
                scan.scan(part, 0.5, |i, target| other.push((block * 300 + i, target)));
            }
            assert!(one.len() > 5);
            assert_eq!(one, other);
        }
    }

    #[test]
    fn a_crossing_rule_waits_for_a_crossing_and_a_band_does_not() {
        let of = |rule, sides| {
            let mut turns = Turns::new(rule, sides);
            [1.0, -1.0, f64::NAN, 1.0].map(|v| turns.next(v, 0.0))
        };
        assert_eq!(of(Rule::EmaCross, Sides::LongFlat), [None, None, None, Some(1.0)]);
        assert_eq!(of(Rule::EmaCross, Sides::LongShort), [None, Some(-1.0), None, Some(1.0)]);
        assert_eq!(of(Rule::Momentum, Sides::LongFlat), [Some(1.0), Some(0.0), None, Some(1.0)]);
    }
}
