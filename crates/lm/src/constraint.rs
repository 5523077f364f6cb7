use crate::Result;

/// What a forbidden token's logit becomes: so low that its probability is 0, and finite, so that it is not taken for the
/// overflow of a model that has diverged.
pub const FORBIDDEN: f32 = -1e30;

/// What may come next in a text that is being generated.
///
/// ```
/// use lm::{Constraint, FORBIDDEN};
/// /// Only even tokens.
/// struct Even;
/// impl Constraint for Even {
///     fn restrict(&mut self, logits: &mut [f32]) -> lm::Result<bool> {
///         logits.iter_mut().skip(1).step_by(2).for_each(|logit| *logit = FORBIDDEN);
///         Ok(true)
///     }
/// }
/// let mut logits = [0.0, 1.0, 2.0];
/// assert!(Even.restrict(&mut logits)?);
/// assert_eq!(logits, [0.0, FORBIDDEN, 2.0]);
/// # Ok::<(), lm::Error>(())
/// ```
pub trait Constraint {
    /// Sets the logits of all tokens that may not come next to [`FORBIDDEN`]. False: the text is whole, and nothing may
    /// follow.
    ///
    /// # Errors
    /// What was generated so far cannot be continued as demanded.
    fn restrict(&mut self, logits: &mut [f32]) -> Result<bool>;

    /// `token` was chosen.
    ///
    /// # Errors
    /// It was not allowed.
    fn accept(&mut self, _token: u32) -> Result<()> {
        Ok(())
    }
}

/// All of them at once: a token must be allowed by each, and the text is whole as soon as one says so.
impl Constraint for [Box<dyn Constraint + '_>] {
    fn restrict(&mut self, logits: &mut [f32]) -> Result<bool> {
        for constraint in self {
            if !constraint.restrict(logits)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn accept(&mut self, token: u32) -> Result<()> {
        self.iter_mut().try_for_each(|constraint| constraint.accept(token))
    }
}

/// Only tokens at least this many times as likely as the likeliest one, at temperature 1: a threshold that follows how sure
/// the model is (Nguyen et al., ICLR 2025).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinP(pub f64);

impl Constraint for MinP {
    fn restrict(&mut self, logits: &mut [f32]) -> Result<bool> {
        let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let least = f64::from(top) + self.0.max(f64::MIN_POSITIVE).ln();
        for logit in logits.iter_mut().filter(|logit| f64::from(**logit) < least) {
            *logit = FORBIDDEN;
        }
        Ok(true)
    }
}

/// The likeliest token each time, after the first few were drawn freely: variation where a text begins, and the model's best
/// guess at how it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GreedyAfter {
    free: usize,
}

impl GreedyAfter {
    /// `free` tokens are drawn, all later ones are the likeliest.
    pub const fn new(free: usize) -> Self {
        Self { free }
    }
}

impl Constraint for GreedyAfter {
    fn restrict(&mut self, logits: &mut [f32]) -> Result<bool> {
        if self.free > 0 {
            return Ok(true);
        }
        let mut best = 0;
        let mut top = f32::NEG_INFINITY;
        for (i, logit) in logits.iter().enumerate() {
            if *logit > top {
                (best, top) = (i, *logit);
            }
        }
        for (_, logit) in logits.iter_mut().enumerate().filter(|(i, _)| *i != best) {
            *logit = FORBIDDEN;
        }
        Ok(true)
    }

    fn accept(&mut self, _token: u32) -> Result<()> {
        self.free = self.free.saturating_sub(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn min_p_keeps_what_is_likely_enough_beside_the_likeliest() {
        // Probabilities in proportion 1 : 0.5 : 0.1.
        let mut logits = [0.0, 0.5_f32.ln(), 0.1_f32.ln()];
        MinP(0.2).restrict(&mut logits).unwrap();
        assert_eq!(logits.map(|l| l > FORBIDDEN), [true, true, false]);
    }

    #[test]
    fn after_the_free_tokens_only_the_likeliest_is_left() {
        let mut greedy = GreedyAfter::new(1);
        let mut logits = [1.0, 3.0, 3.0, 2.0];
        greedy.restrict(&mut logits).unwrap();
        assert!(logits.iter().all(|logit| *logit > FORBIDDEN));
        greedy.accept(0).unwrap();
        greedy.restrict(&mut logits).unwrap();
        assert_eq!(logits.map(|logit| logit > FORBIDDEN), [false, true, false, false]);
    }
}
