use crate::row::rows;
use crate::{Checks, Timestamp};

rows! {
    /// One choice of a rule's parameters and what it would have earned, in the order of the grid.
    SweepRow = "sweep_row", version 1, not_empty {
        /// Number within the grid.
        variant: u64,
        /// The rule, such as `sma-cross`.
        rule: String,
        /// Its parameters, such as `fast=10 slow=50`.
        parameters: String,
        /// The first parameter.
        first: f64,
        /// The second parameter.
        second: f64,
        /// Return over all bars after costs, a share.
        total_return: f64,
        /// Sharpe ratio per year; none where returns do not vary.
        sharpe_ratio: Option<f64>,
        /// Mean over standard deviation of the returns of bars; none where they do not vary.
        sharpe_per_bar: Option<f64>,
        /// Volatility per year, a share.
        volatility: Option<f64>,
        /// Deepest fall below the highest point, a share, 0 or negative.
        max_drawdown: f64,
        /// Closed trades.
        trades: u64,
        /// Winners among closed trades that won or lost; none without any.
        win_rate: Option<f64>,
        /// Gains over losses of closed trades; none without a loss.
        profit_factor: Option<f64>,
        /// Share of bars at whose end a position was held.
        exposure: f64,
        /// Costs paid, in currency.
        cost: f64,
        /// Equity after the last bar, in currency.
        final_equity: f64,
    }

    /// One window of a walk-forward: what was chosen on past bars, and what it earned on the next, in order of time.
    WalkForwardRow = "walk_forward_row", version 1, not_empty {
        /// Number of the window.
        window: u64,
        /// First bar the choice was made on.
        train_from: Timestamp,
        /// Last bar the choice was made on.
        train_to: Timestamp,
        /// First bar of the judgement.
        test_from: Timestamp,
        /// Last bar of the judgement.
        test_to: Timestamp,
        /// The rule.
        rule: String,
        /// The parameters chosen.
        parameters: String,
        /// Number of the choice within the grid.
        variant: u64,
        /// Choices compared.
        tried: u64,
        /// What the choice was made by, on the training bars; none where no variant's is defined.
        train_score: Option<f64>,
        /// Return over the training bars after costs, a share.
        train_return: f64,
        /// The same score on the test bars.
        test_score: Option<f64>,
        /// Return over the test bars after costs, a share.
        test_return: f64,
        /// Share of the variants that did better on the test bars.
        test_rank: f64,
        /// What buying at the first price of the test bars and holding earned, a share.
        market_return: f64,
    }
}

impl Checks for SweepRow {
    fn follows(&self, previous: &Self) -> Result<(), String> {
        if self.variant > previous.variant {
            return Ok(());
        }
        Err(format!("variant {} does not come after {}", self.variant, previous.variant))
    }
}
impl Checks for WalkForwardRow {
    fn check(&self) -> Result<(), String> {
        if self.test_from <= self.train_to {
            return Err(format!("judged from {} on, chosen until {}", self.test_from, self.train_to));
        }
        Ok(())
    }
    fn follows(&self, previous: &Self) -> Result<(), String> {
        if self.test_from > previous.test_from {
            return Ok(());
        }
        Err(format!("window {} does not come after window {}", self.window, previous.window))
    }
}
