//! How the learning rate moves, in the convention of the transformers library.

use crate::settings::Decay;
use std::f64::consts::PI;

/// The share of the peak learning rate at each update.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    decay: Decay,
    warmup: u64,
    total: u64,
}

impl Schedule {
    /// `total` updates, of which the first `warmup` rise in a straight line from 0.
    pub fn new(decay: Decay, warmup: u64, total: u64) -> Self {
        Self { decay, warmup, total }
    }

    /// The factor of update `step`, counted from 1. With k = step − 1: k / warmup while k < warmup, so the **first** update
    /// of a run with warm-up changes nothing; then 1, a straight line to 0 or half a cosine to 0, which the last update does not quite reach.
    ///
    /// ```
    /// use trainer::{schedule::Schedule, train_loop::Decay};
    /// let cosine = Schedule::new(Decay::Cosine, 2, 6);
    /// let factors: Vec<f64> = (1..=4).map(|step| cosine.factor(step)).collect();
    /// assert_eq!(factors[..3], [0.0, 0.5, 1.0]);
    /// assert!((factors[3] - 0.5 * (1.0 + (std::f64::consts::PI * 0.25).cos())).abs() < 1e-15);
    /// ```
    pub fn factor(&self, step: u64) -> f64 {
        let done = step.saturating_sub(1);
        if done < self.warmup {
            return done as f64 / self.warmup as f64;
        }
        let rest = self.total.saturating_sub(self.warmup).max(1);
        let progress = ((done - self.warmup) as f64 / rest as f64).min(1.0);
        match self.decay {
            Decay::Constant => 1.0,
            Decay::Linear => 1.0 - progress,
            Decay::Cosine => 0.5 * (1.0 + (PI * progress).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decay_starts_at_the_peak_after_the_warm_up_and_ends_near_0() {
        for (decay, last) in [(Decay::Constant, 1.0), (Decay::Linear, 0.1), (Decay::Cosine, 0.024_471_741_852_423_234)]
        {
            let schedule = Schedule::new(decay, 3, 13);
            assert!(schedule.factor(1).abs() < 1e-15, "{decay:?}");
            assert!((schedule.factor(4) - 1.0).abs() < 1e-15, "{decay:?}");
            assert!((schedule.factor(13) - last).abs() < 1e-12, "{decay:?}: {}", schedule.factor(13));
        }
    }

    #[test]
    fn without_warm_up_the_first_update_has_the_peak_rate() {
        assert!((Schedule::new(Decay::Cosine, 0, 5).factor(1) - 1.0).abs() < 1e-15);
        assert!((Schedule::new(Decay::Constant, 0, 5).factor(5) - 1.0).abs() < 1e-15);
    }
}
