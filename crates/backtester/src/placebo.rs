//! Luck with the same holding times: the strategy's own spells (runs of bars on one side of the market), in random order.

use artifacts::Seed;
use rand::Rng;

/// Long, short or flat.
fn side(target: f64) -> usize {
    if target > 0.0 {
        0
    } else if target < 0.0 {
        1
    } else {
        2
    }
}

/// `copies` of the targets of one instrument, in which the spells of each side are in random order and the sides follow each
/// other as they did: as many trades, and all holding times, at other times. (Spells in any order would bring
/// half of them together with one of the same side, and halve the turnover.) Within a spell the targets stay as they are.
pub(crate) fn permuted_spells(targets: &[f64], copies: usize, seed: Seed) -> Vec<Vec<f64>> {
    let spells: Vec<&[f64]> = targets.chunk_by(|a, b| side(*a) == side(*b)).collect();
    let of = |spell: &[f64]| spell.first().map_or(2, |t| side(*t));
    let mut sides: [Vec<&[f64]>; 3] = Default::default();
    for spell in &spells {
        sides[of(spell)].push(spell);
    }
    let mut rng = seed.rng();
    let mut copy = || {
        for spells in &mut sides {
            for i in (1..spells.len()).rev() {
                spells.swap(i, rng.random_range(0..=i));
            }
        }
        let mut left = [sides[0].iter(), sides[1].iter(), sides[2].iter()];
        spells.iter().filter_map(|spell| left[of(spell)].next()).flat_map(|spell| spell.iter().copied()).collect()
    };
    (0..copies).map(|_| copy()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuted_copies_have_the_same_targets_and_whole_spells() {
        let targets = [0.0, 0.5, 0.6, -1.0, 0.0, 0.0, 0.4, -0.2, -0.3, -0.2];
        let copies = permuted_spells(&targets, 50, Seed(3));
        assert_eq!(copies, permuted_spells(&targets, 50, Seed(3)));
        assert!(copies.iter().any(|c| c[..] != targets));
        for copy in &copies {
            let mut sorted = [copy.clone(), targets.to_vec()];
            for targets in &mut sorted {
                targets.sort_by(f64::total_cmp);
            }
            assert_eq!(sorted[0], sorted[1]);
            // a spell is not torn apart
            for spell in [&[0.5, 0.6][..], &[-0.2, -0.3, -0.2]] {
                assert!(copy.windows(spell.len()).any(|w| w == spell), "{copy:?}");
            }
            // and none comes together with another
            let changes = |t: &[f64]| t.windows(2).filter(|w| side(w[0]) != side(w[1])).count();
            assert_eq!(changes(copy), changes(&targets));
        }
        assert_eq!(permuted_spells(&[1.0, 0.5], 2, Seed(1)), [[1.0, 0.5]; 2]);
    }
}
