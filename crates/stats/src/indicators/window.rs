use super::period;
use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The last values, oldest first, up to a fixed number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    size: usize,
    values: VecDeque<f64>,
}

impl Window {
    /// An empty window of `size` values.
    ///
    /// # Errors
    /// A size of 0.
    pub fn new(size: usize) -> Result<Self, Error> {
        Ok(Self { size: period(size, 1)?, values: VecDeque::new() })
    }

    /// Adds a finite value; the oldest goes when there are more than the window holds, and is returned. Others change nothing.
    pub fn push(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        let oldest = if self.values.len() == self.size { self.values.pop_front() } else { None };
        self.values.push_back(x);
        oldest
    }

    /// Whether it holds as many values as it can.
    pub fn is_full(&self) -> bool {
        self.values.len() == self.size
    }

    /// The values, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().copied()
    }

    /// The mean of a full window. Summed anew each time: a running sum would drift, and what was cut off would leave a trace.
    pub fn mean(&self) -> Option<f64> {
        self.is_full().then(|| self.iter().sum::<f64>() / self.size as f64)
    }

    /// The standard deviation of a full window, by two passes; `taken` is what is subtracted from the number of values.
    pub fn deviation(&self, taken: usize) -> Option<f64> {
        let mean = self.mean()?;
        let degrees = self.size.checked_sub(taken).filter(|n| *n > 0)?;
        Some((self.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / degrees as f64).sqrt())
    }
}
