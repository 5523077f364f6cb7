//! The event engine: an account of cash and units of one or several instruments, moved from one moment to the next.
//!
//! A moment is either the beginning of bars ([`Engine::open`]) or their end ([`Engine::close`]); whoever drives the engine
//! submits a [`Wish`] for each decision in between. What happens is appended to `fills`, `orders` and `trades`, which the
//! driver takes whenever it likes: the engine's memory does not grow with the number of bars.

mod costs;
mod fill;
mod holding;
mod round_trip;

pub(crate) use costs::Costs;
pub use holding::Wish;

use crate::{Candle, Config, Error, FillAt};
use artifacts::Timestamp;
use artifacts::rows::{Fill, Order, OrderStatus, Trade};
use costs::Execution;
use holding::{Due, Holding};
use round_trip::RoundTrip;

const REPLACED: &str = "a newer decision replaced it";
const SECONDS_A_DAY: f64 = 86_400.0;

/// How decisions become fills.
#[derive(Debug, Clone)]
struct Rules {
    fill_at: FillAt,
    costs: Costs,
    threshold: f64,
    position_cap: f64,
    gross_cap: f64,
    lot: f64,
    smallest: f64,
    volume_cap: Option<f64>,
    carry: bool,
    latency: i64,
    /// Paid by longs and received by shorts, a share of the value a second.
    funding: f64,
    /// Paid by shorts, likewise.
    borrow: f64,
    sigma_window: usize,
}

/// The account and what it did since the driver last looked.
#[derive(Debug, Clone)]
pub struct Engine {
    rules: Rules,
    cash: f64,
    holdings: Vec<Holding>,
    ruined_at: Option<Timestamp>,
    /// Costs since they were last taken.
    cost: f64,
    /// Changes of units, in order.
    pub fills: Vec<Fill>,
    /// Orders that came to an end, in order.
    pub orders: Vec<Order>,
    /// Trades that came to an end, in order.
    pub trades: Vec<Trade>,
    symbols: Vec<String>,
    /// Decisions replaced by a newer one before they could fill.
    pub superseded: u64,
    /// Decisions after which no bar begins.
    pub unfilled: u64,
    /// Orders refused because the account was ruined.
    pub refused: u64,
}

impl Engine {
    /// An account with cash only.
    ///
    /// # Errors
    /// A setting out of range.
    pub fn new(config: &Config, fill_at: FillAt, symbols: Vec<String>) -> Result<Self, Error> {
        config.check()?;
        let rules = Rules {
            fill_at,
            costs: Costs::new(config),
            threshold: config.rebalance_threshold,
            position_cap: config.position_cap,
            gross_cap: config.gross_cap,
            lot: config.lot_size,
            smallest: config.min_order,
            volume_cap: config.volume_cap,
            carry: config.carry_unfilled,
            latency: (config.latency_seconds * 1e6).round() as i64,
            funding: config.funding_bps_per_day / 1e4 / SECONDS_A_DAY,
            borrow: config.borrow_bps_per_year / 1e4 / (365.0 * SECONDS_A_DAY),
            sigma_window: config.impact_window,
        };
        Ok(Self {
            rules,
            cash: config.initial_capital,
            holdings: symbols.iter().map(|_| Holding::new()).collect(),
            ruined_at: None,
            cost: 0.0,
            fills: Vec::new(),
            orders: Vec::new(),
            trades: Vec::new(),
            symbols,
            superseded: 0,
            unfilled: 0,
            refused: 0,
        })
    }

    /// Cash and all units at their last prices.
    pub fn equity(&self) -> f64 {
        self.holdings.iter().fold(self.cash, |sum, h| sum + h.value())
    }

    /// Value of one instrument's units as a share of equity; 0 for an account without any.
    pub fn position(&self, instrument: usize) -> f64 {
        let equity = self.equity();
        if equity > 0.0 { self.holdings.get(instrument).map_or(0.0, Holding::value) / equity } else { 0.0 }
    }

    /// Sum of the values held as shares of equity: of their absolute values, and with their signs.
    pub fn gross_and_net(&self) -> (f64, f64) {
        let equity = self.equity();
        if equity <= 0.0 {
            return (0.0, 0.0);
        }
        let add = |(gross, net): (f64, f64), h: &Holding| (gross + h.value().abs(), net + h.value());
        let (gross, net) = self.holdings.iter().fold((0.0, 0.0), add);
        (gross / equity, net / equity)
    }

    /// When the equity was gone and everything was closed.
    pub fn ruined_at(&self) -> Option<Timestamp> {
        self.ruined_at
    }

    /// Costs since this was last asked.
    pub fn take_cost(&mut self) -> f64 {
        std::mem::take(&mut self.cost)
    }

    /// When a decision made at `decided_at` on a bar known at `available_at` can reach the market.
    pub fn ready(&self, decided_at: Timestamp, available_at: Timestamp) -> Timestamp {
        Timestamp::from_micros(decided_at.max(available_at).micros() + self.rules.latency)
    }

    /// Takes a decision about an instrument. After the bar it was made on (before it, where the rules are look-ahead).
    pub fn submit(&mut self, instrument: usize, wish: Wish) {
        if let Some(holding) = self.holdings.get_mut(instrument) {
            holding.pending.push(wish);
        }
    }

    /// The beginning of bars: what is due becomes an order, and fills where fills are at the open.
    ///
    /// # Errors
    /// A bar without what the rules need of it.
    pub fn open(&mut self, bars: &[(usize, Candle)]) -> Result<(), Error> {
        let mut any = false;
        for (i, bar) in bars {
            let Some(holding) = self.holdings.get_mut(*i) else { continue };
            holding.bar = Some(*bar);
            let before = holding.due.take();
            let replaced = holding.call(bar, self.rules.fill_at.is_lookahead());
            let left = if holding.due.is_none() { None } else { before };
            holding.due = holding.due.or(before);
            let due = holding.due.is_some();
            any |= due;
            if let Some(left) = left {
                self.replace(*i, &left);
            }
            for wish in replaced {
                self.replace(*i, &Due { wish, bar_at: bar.event_at, wanted: None, filled: 0.0, left: 0.0, reason: "" });
            }
            if due {
                self.needs(bar)?;
            }
            if self.rules.fill_at.at_open()
                && let (Some(holding), Some(open)) = (self.holdings.get_mut(*i), bar.open)
            {
                holding.mark = open;
            }
        }
        if any && self.rules.fill_at.at_open() {
            self.fill(bars);
        }
        Ok(())
    }

    /// The end of bars: fills where fills are at the close or at the typical price, then valuation, funding and ruin.
    pub fn close(&mut self, bars: &[(usize, Candle)]) {
        if !self.rules.fill_at.at_open() && bars.iter().any(|(i, _)| self.is_due(*i)) {
            for (i, bar) in bars {
                if let (Some(holding), Some(price)) = (self.holdings.get_mut(*i), self.rules.fill_at.price(bar)) {
                    holding.mark = price;
                }
            }
            self.fill(bars);
        }
        for (i, bar) in bars {
            let Some(holding) = self.holdings.get_mut(*i) else { continue };
            holding.mark = bar.close;
            holding.trips.bar();
            if self.rules.funding != 0.0 || self.rules.borrow != 0.0 {
                let since = holding.previous_end.unwrap_or(bar.event_at);
                let (seconds, value) = (bar.available_at.seconds_since(since).max(0.0), holding.value());
                let owed = seconds * (value * self.rules.funding + (-value).max(0.0) * self.rules.borrow);
                holding.trips.pay(owed);
                self.cash -= owed;
                self.cost += owed;
            }
            holding.previous_end = Some(bar.available_at);
            if self.rules.costs.has_impact() {
                holding.remember(bar.close, self.rules.sigma_window);
            }
        }
        if self.ruined_at.is_none() && self.equity() <= 0.0 {
            self.ruin();
        }
    }

    /// Closes everything at the last prices, and pays for it.
    pub fn liquidate(&mut self) {
        for i in 0..self.holdings.len() {
            let Some((units, bar)) = self.holdings.get(i).and_then(|h| Some((-h.units, h.bar?))) else { continue };
            if units == 0.0 {
                continue;
            }
            // no decision asked for this: the rules did, at the end of the bar
            let wish =
                Wish { decided_at: bar.available_at, bar_at: bar.event_at, ready: bar.available_at, target: 0.0 };
            let due = Due { wish, bar_at: bar.event_at, wanted: Some(units), filled: 0.0, left: 0.0, reason: "" };
            self.trade(i, units, None, &bar, bar.available_at);
            self.end(i, &Due { filled: units, ..due }, OrderStatus::Filled, "");
        }
    }

    /// The end of the run: decisions and orders that are left, and open trades at the last prices.
    pub fn finish(&mut self) {
        for i in 0..self.holdings.len() {
            let Some(holding) = self.holdings.get_mut(i) else { continue };
            let (due, pending) = (holding.due.take(), std::mem::take(&mut holding.pending));
            if let Some(due) = due {
                let status = if due.filled == 0.0 { OrderStatus::Unfilled } else { OrderStatus::Partial };
                self.unfilled += u64::from(due.filled == 0.0);
                self.end(i, &due, status, "the run ended");
            }
            for wish in pending {
                self.unfilled += 1;
                let (symbol, reason) = (self.symbol(i), "no bar begins after it".to_owned());
                let (decided_at, status) = (wish.decided_at, OrderStatus::Unfilled);
                self.orders.push(Order { symbol, decided_at, bar_at: None, wanted: 0.0, filled: 0.0, status, reason });
            }
            if let Some(open) = self.holdings.get_mut(i).and_then(|h| h.trips.take_open()) {
                self.record_trade(i, &open);
            }
        }
    }

    fn is_due(&self, instrument: usize) -> bool {
        self.holdings.get(instrument).is_some_and(|h| h.due.is_some())
    }

    fn ruin(&mut self) {
        self.ruined_at = self.holdings.iter().filter_map(|h| h.bar).map(|b| b.event_at).max();
        self.liquidate();
    }

    fn symbol(&self, instrument: usize) -> String {
        self.symbols.get(instrument).cloned().unwrap_or_default()
    }

    /// Whether the bar has what the rules need.
    fn needs(&self, bar: &Candle) -> Result<(), Error> {
        let setting = match (self.rules.volume_cap, self.rules.costs.has_impact()) {
            (Some(_), _) => "volume_cap",
            (None, true) => "impact",
            (None, false) => return Ok(()),
        };
        if bar.volume.is_none() { Err(Error::NoVolume { setting, bar_at: bar.event_at }) } else { Ok(()) }
    }

    /// Changes units and cash.
    fn trade(
        &mut self,
        instrument: usize,
        units: f64,
        liquidity: Option<costs::Liquidity>,
        bar: &Candle,
        decided_at: Timestamp,
    ) {
        let Some(holding) = self.holdings.get_mut(instrument) else { return };
        let done: Execution = self.rules.costs.execute(units, holding.mark, liquidity);
        let before = holding.units;
        self.cash -= done.units * done.price + done.commission;
        self.cost += done.commission + done.slippage;
        holding.units += done.units;
        let held = holding.units;
        let ended = holding.trips.fill(before, &done, held, bar.event_at);
        let symbol = self.symbol(instrument);
        let Execution { units, price, commission, slippage } = done;
        self.fills.push(Fill { symbol, decided_at, bar_at: bar.event_at, price, units, commission, slippage, held });
        if let Some(trip) = ended {
            self.record_trade(instrument, &trip);
        }
    }

    fn record_trade(&mut self, instrument: usize, trip: &RoundTrip) {
        let (held, mark) = self.holdings.get(instrument).map_or((0.0, 0.0), |h| (h.units, h.mark));
        let left = if trip.closed_at.is_none() { held * mark } else { 0.0 };
        self.trades.push(Trade {
            symbol: self.symbol(instrument),
            opened_at: trip.opened_at,
            closed_at: trip.closed_at,
            units: trip.largest,
            entry_price: trip.entry_price(),
            exit_price: trip.exit_price(mark),
            profit: trip.cash + left,
            cost: trip.cost,
            bars: trip.bars,
        });
    }

    /// Records what became of an order.
    fn end(&mut self, instrument: usize, due: &Due, status: OrderStatus, reason: &str) {
        self.orders.push(Order {
            symbol: self.symbol(instrument),
            decided_at: due.wish.decided_at,
            bar_at: Some(due.bar_at),
            wanted: due.wanted.unwrap_or(0.0),
            filled: due.filled,
            status,
            reason: reason.to_owned(),
        });
    }
}
