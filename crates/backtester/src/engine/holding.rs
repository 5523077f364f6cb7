use super::round_trip::RoundTrips;
use crate::Candle;
use artifacts::Timestamp;
use std::collections::VecDeque;

/// A decision on its way to becoming an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    /// When it was made.
    pub decided_at: Timestamp,
    /// The bar it was made on.
    pub bar_at: Timestamp,
    /// When it can reach the market: made, its bar known, and the latency over.
    pub ready: Timestamp,
    /// Wanted value of the holding as a share of equity.
    pub target: f64,
}

/// An order whose bar has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) wish: Wish,
    /// The first bar in which it could fill.
    pub(crate) bar_at: Timestamp,
    /// Units wanted in all; none before its first bar.
    pub(crate) wanted: Option<f64>,
    pub(crate) filled: f64,
    /// Units still wanted. Not the difference of the two above: rounded, it would leave dust where a holding is to be sold.
    pub(crate) left: f64,
    /// Why it is not filled yet.
    pub(crate) reason: &'static str,
}

/// One instrument in the account.
#[derive(Debug, Clone)]
pub(crate) struct Holding {
    pub(crate) units: f64,
    /// The price it is valued at now.
    pub(crate) mark: f64,
    /// The bar it is in, or was last in.
    pub(crate) bar: Option<Candle>,
    /// End of the bar before.
    pub(crate) previous_end: Option<Timestamp>,
    /// What was last wanted of it.
    pub(crate) target: f64,
    pub(crate) pending: Vec<Wish>,
    pub(crate) due: Option<Due>,
    pub(crate) trips: RoundTrips,
    /// The last closes, where volatility is asked for.
    closes: VecDeque<f64>,
}

impl Holding {
    pub(crate) fn new() -> Self {
        Self {
            units: 0.0,
            mark: 0.0,
            bar: None,
            previous_end: None,
            target: 0.0,
            pending: Vec::new(),
            due: None,
            trips: RoundTrips::default(),
            closes: VecDeque::new(),
        }
    }

    pub(crate) fn value(&self) -> f64 {
        self.units * self.mark
    }

    /// Moves the newest wish that is due in this bar to `due` and gives back those it replaces.
    pub(crate) fn call(&mut self, bar: &Candle, same_bar: bool) -> Vec<Wish> {
        if self.pending.is_empty() {
            return Vec::new();
        }
        let is_due = |w: &Wish| if same_bar { w.bar_at == bar.event_at } else { w.ready <= bar.event_at };
        let mut called: Vec<Wish> = self.pending.iter().copied().filter(is_due).collect();
        self.pending.retain(|w| !is_due(w));
        let newest = called.iter().enumerate().max_by_key(|(i, w)| (w.decided_at, w.bar_at, *i)).map(|(i, _)| i);
        if let Some(newest) = newest {
            let wish = called.remove(newest);
            self.due = Some(Due { wish, bar_at: bar.event_at, wanted: None, filled: 0.0, left: 0.0, reason: "" });
        }
        called
    }

    pub(crate) fn remember(&mut self, close: f64, window: usize) {
        if self.closes.len() > window {
            self.closes.pop_front();
        }
        self.closes.push_back(close);
    }

    /// Standard deviation of the simple returns of the bars before this one; none below two.
    pub(crate) fn sigma(&self) -> Option<f64> {
        let pairs = self.closes.iter().zip(self.closes.iter().skip(1));
        let returns: Vec<f64> = pairs.map(|(before, now)| now / before - 1.0).collect();
        stats::distribution::std(&returns, 1)
    }
}
