//! Choices that depend on a seed alone.

use artifacts::Seed;

/// A stream of choices.
pub(super) struct Draws {
    seed: Seed,
    drawn: u64,
}

impl Draws {
    pub(super) fn new(seed: u64, name: &str) -> Self {
        Self { seed: Seed(seed).derive(name), drawn: 0 }
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        self.seed.derive(&self.drawn.to_string()).0
    }

    /// In `0..bound`; 0 where there is nothing to choose from.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// In [0, 1).
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of several; the type's default where there is none.
    pub(super) fn one<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        choices.get(self.below(choices.len())).copied().unwrap_or_default()
    }
}
