use crate::row::rows;
use crate::{Checks, Timestamp};

rows! {
    /// One variant of a strategy that was ever back-tested in a project folder: how many there are is what the deflated
    /// Sharpe ratio needs to know.
    Trial = "trial", version 1, may_be_empty {
        /// Hash of everything that decides its returns: decisions, prices, rules. The same variant run twice is one trial.
        key: String,
        /// What it is about: trials of different markets or periods are not compared.
        market: String,
        /// Who ran it, such as `backtest` or `sweep`.
        origin: String,
        /// In words.
        name: String,
        /// Returns counted.
        returns: u64,
        /// Mean over standard deviation of the returns, per bar; none where it is not defined.
        sharpe_per_bar: Option<f64>,
        /// Total return, a share.
        total_return: f64,
    }

    /// What one strategy, benchmark or variant of a sweep earned in one bar, ordered by subject, then time: what tests of
    /// several of them against each other read.
    PeriodReturn = "period_return", version 1, not_empty {
        /// Whose it is, such as `strategy`, `buy_and_hold` or `fast=10 slow=50`.
        subject: String,
        /// The bar it was earned in.
        bar_at: Timestamp,
        /// Simple return after costs, a share.
        value: f64,
    }
}

impl Checks for Trial {}
impl Checks for PeriodReturn {
    fn follows(&self, previous: &Self) -> Result<(), String> {
        if (&self.subject, self.bar_at) > (&previous.subject, previous.bar_at) {
            return Ok(());
        }
        Err(format!(
            "{} at {} does not come after {} at {}",
            self.subject, self.bar_at, previous.subject, previous.bar_at
        ))
    }
}
