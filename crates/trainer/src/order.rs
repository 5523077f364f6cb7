//! Which rows go into which step: a function of seed and epoch alone, so that an interrupted run continues with the same rows.

use artifacts::Seed;
use rand::seq::SliceRandom;

/// Steps whose rows are sorted by length together: little padding, still random.
const WINDOW: usize = 16;

/// The rows of each step of one epoch. Rows are shuffled, neighbours in length are put together within a window of
/// 16 steps, and the steps are shuffled again. Every row occurs exactly once; only the last step may be smaller.
pub fn epoch_steps(lengths: &[usize], rows_per_step: usize, seed: Seed, epoch: u64) -> Vec<Vec<usize>> {
    let mut rng = seed.derive(&format!("epoch/{epoch}")).rng();
    let mut rows: Vec<usize> = (0..lengths.len()).collect();
    rows.shuffle(&mut rng);
    let per_step = rows_per_step.max(1);
    let mut steps = Vec::new();
    for window in rows.chunks_mut(per_step * WINDOW) {
        window.sort_by_key(|&r| (lengths[r], r));
        steps.extend(window.chunks(per_step).map(<[usize]>::to_vec));
    }
    steps.shuffle(&mut rng);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_occurs_once_per_epoch_and_epochs_differ() {
        let lengths: Vec<usize> = (0..103).map(|i| i * 7 % 50).collect();
        let steps = epoch_steps(&lengths, 8, Seed(1), 0);
        let mut all: Vec<usize> = steps.concat();
        all.sort_unstable();
        assert_eq!(all, (0..103).collect::<Vec<_>>());
        assert_eq!(steps.len(), 13);
        assert_eq!(steps, epoch_steps(&lengths, 8, Seed(1), 0));
        assert_ne!(steps, epoch_steps(&lengths, 8, Seed(1), 1));
    }
}
