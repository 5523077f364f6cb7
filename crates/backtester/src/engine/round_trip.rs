use super::costs::Execution;
use artifacts::Timestamp;

/// From leaving a flat (or opposite) position to the next one: what traders call one trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RoundTrip {
    pub(crate) opened_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    /// Largest holding, with its sign.
    pub(crate) largest: f64,
    pub(crate) bars: u64,
    /// Commission, slippage and funding.
    pub(crate) cost: f64,
    /// What all of it paid so far.
    pub(crate) cash: f64,
    opened: (f64, f64),
    closed: (f64, f64),
}

impl RoundTrip {
    fn begin(at: Timestamp) -> Self {
        Self {
            opened_at: at,
            closed_at: None,
            largest: 0.0,
            bars: 0,
            cost: 0.0,
            cash: 0.0,
            opened: (0.0, 0.0),
            closed: (0.0, 0.0),
        }
    }

    /// Takes `units` of a fill; costs are shared by units.
    fn take(&mut self, units: f64, held: f64, fill: &Execution) {
        let share = (units / fill.units).abs();
        self.cash -= units * fill.price + fill.commission * share;
        self.cost += (fill.commission + fill.slippage) * share;
        let part = if units * self.largest >= 0.0 { &mut self.opened } else { &mut self.closed };
        part.0 += units.abs();
        part.1 += units.abs() * fill.price;
        if held.abs() > self.largest.abs() {
            self.largest = held;
        }
    }

    pub(crate) fn entry_price(&self) -> f64 {
        self.opened.1 / self.opened.0
    }

    /// Mean price of what was closed; `otherwise` where nothing was.
    pub(crate) fn exit_price(&self, otherwise: f64) -> f64 {
        if self.closed.0 > 0.0 { self.closed.1 / self.closed.0 } else { otherwise }
    }
}

/// The trade of one instrument that is open, if one is. A fill that turns long into short closes one and opens the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoundTrips {
    open: Option<RoundTrip>,
}

impl RoundTrips {
    /// Books a fill that changes `before` units held; gives back the trade that it ends.
    pub(crate) fn fill(&mut self, before: f64, fill: &Execution, after: f64, at: Timestamp) -> Option<RoundTrip> {
        let turns = before * after < 0.0;
        let own = if turns { -before } else { fill.units };
        let trade = self.open.get_or_insert_with(|| RoundTrip::begin(at));
        trade.take(own, if turns { 0.0 } else { after }, fill);
        let done =
            if turns || after == 0.0 { self.open.take().map(|t| RoundTrip { closed_at: Some(at), ..t }) } else { None };
        if turns {
            let mut next = RoundTrip::begin(at);
            next.take(after, after, fill);
            self.open = Some(next);
        }
        done
    }

    /// Books what holding cost.
    pub(crate) fn pay(&mut self, amount: f64) {
        if let Some(trade) = &mut self.open {
            trade.cash -= amount;
            trade.cost += amount;
        }
    }

    /// Counts a bar at whose end the trade is open.
    pub(crate) fn bar(&mut self) {
        if let Some(trade) = &mut self.open {
            trade.bars += 1;
        }
    }

    pub(crate) fn take_open(&mut self) -> Option<RoundTrip> {
        self.open.take()
    }
}
