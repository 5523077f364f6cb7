use crate::data::median;
use artifacts::runtime::Stopwatch;
use rayon::prelude::*;
use std::hint::black_box;

/// Bytes that are read in a pass: many times what caches hold.
pub(crate) const BYTES: usize = 1 << 28;
/// Bytes that a thread reads at a time.
const PART: usize = 1 << 20;
const WORD: usize = size_of::<u64>();

/// Memory to read, to learn how fast it can be read.
pub(crate) struct Memory(Vec<u64>);

impl Memory {
    pub(crate) fn new() -> Self {
        // Not zeros: the system may keep one page for all of them.
        Self((0..BYTES / WORD).map(|i| i as u64 + 1).collect())
    }

    /// GB/s of reading alone on all threads, the median of some passes.
    pub(crate) fn read_rate(&self) -> f64 {
        const PASSES: usize = 9;
        let pass = || {
            let clock = Stopwatch::start();
            black_box(kernels::on_workers(|| self.0.par_chunks(PART / WORD).map(xor).reduce(|| 0, |a, b| a ^ b)));
            BYTES as f64 / 1e9 / clock.seconds()
        };
        median((0..PASSES).map(|_| pass()).collect())
    }
}

fn xor(words: &[u64]) -> u64 {
    let mut sums = [0; 16];
    for words in words.as_chunks::<16>().0 {
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum ^= word;
        }
    }
    sums.iter().fold(0, |a, b| a ^ b)
}
