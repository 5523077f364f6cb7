use std::time::{Duration, Instant};

/// A kill costs this much work, and what the decision takes that it strikes.
const WORK: Duration = Duration::from_secs(1);
/// Saving takes at most one part in so many of the time.
const SHARE: u32 = 20;

/// When the next checkpoint is due: after so many decisions, or by the time that work and saving take. A checkpoint changes what a
/// killed run has to do again, and no result.
#[derive(Debug)]
pub(crate) struct Pace {
    every: Option<u64>,
    since: Instant,
    took: Duration,
}

impl Pace {
    /// A checkpoint every so many decisions; none: about one a second.
    pub(crate) fn new(every: Option<u64>) -> Self {
        Self { every, since: Instant::now(), took: Duration::ZERO }
    }

    /// Whether one is due after so many decisions.
    pub(crate) fn due(&self, decisions: u64) -> bool {
        match self.every {
            Some(every) => decisions.is_multiple_of(every),
            None => self.since.elapsed() >= WORK.max(self.took.saturating_mul(SHARE)),
        }
    }

    /// Saves, and counts from then on.
    ///
    /// # Errors
    /// Those of `save`.
    pub(crate) fn save<E>(&mut self, save: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let begun = Instant::now();
        save()?;
        self.took = begun.elapsed();
        self.since = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_disk_is_asked_less_often() {
        let mut pace = Pace::new(None);
        assert!(!pace.due(1_000), "a second has not passed");
        pace.since = Instant::now().checked_sub(WORK).unwrap();
        assert!(pace.due(1));
        pace.took = WORK;
        assert!(!pace.due(1), "saving takes as long as the work since");
        pace.save(|| Ok::<(), ()>(())).unwrap();
        assert!(pace.took < WORK && !pace.due(1));
    }

    #[test]
    fn a_number_of_decisions_is_kept_to_whatever_the_time() {
        let pace = Pace::new(Some(7));
        assert_eq!([6, 7, 8, 14].map(|n| pace.due(n)), [false, true, false, true]);
    }
}
