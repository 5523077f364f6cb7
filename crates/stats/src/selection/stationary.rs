use crate::SplitMix64;

/// The stationary bootstrap (Politis and Romano, Journal of the American Statistical Association 89, 1994): blocks of
/// geometric length, mean `mean_block`, that begin anywhere and wrap round the end. Keeps the dependence between rows
/// that are near each other; assumes a stationary series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StationaryBootstrap {
    rows: usize,
    /// Probability that a block ends.
    ends: f64,
}

impl StationaryBootstrap {
    /// For a series of `rows` rows. A mean block below 1 (or not a number) is 1: independent rows.
    #[must_use]
    pub fn new(rows: usize, mean_block: f64) -> Self {
        Self { rows, ends: 1.0 / mean_block.max(1.0) }
    }

    /// Fills `indices` with the row numbers of one resample.
    ///
    /// ```
    /// use stats::{SplitMix64, selection::StationaryBootstrap};
    /// let mut indices = [0; 6];
    /// StationaryBootstrap::new(6, 1e9).fill(&mut SplitMix64::new(1), &mut indices);
    /// assert!(indices.windows(2).all(|w| w[1] == (w[0] + 1) % 6)); // one endless block
    /// ```
    pub fn fill(&self, random: &mut SplitMix64, indices: &mut [usize]) {
        let mut at = 0;
        for (place, index) in indices.iter_mut().enumerate() {
            let begins = place == 0 || ((random.next_u64() >> 11) as f64) < self.ends * (1_u64 << 53) as f64;
            at = if begins { random.below(self.rows) } else { (at + 1) % self.rows.max(1) };
            *index = at;
        }
    }
}
