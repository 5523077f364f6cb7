//! One variant's account over columns: between two fills nothing changes but the price, so a whole stretch of bars is
//! computed at once. The arithmetic of a fill is the event engine's.

use super::market::Market;
use crate::Config;
use crate::engine::Costs;

/// Bars computed at a time: they stay in the first-level cache.
const BLOCK: usize = 256;
const LANES: usize = 4;

/// What an account came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tally {
    /// Returns counted, their sum and the sum of their squares.
    pub(crate) returns: usize,
    pub(crate) sum: f64,
    pub(crate) squares: f64,
    pub(crate) final_equity: f64,
    /// The lowest equity as a share of the highest before it.
    pub(crate) worst: f64,
    pub(crate) trades: u64,
    pub(crate) wins: u64,
    pub(crate) losses: u64,
    pub(crate) gains: f64,
    pub(crate) lost: f64,
    /// Bars at whose end units were held.
    pub(crate) held: usize,
    pub(crate) cost: f64,
}

pub(crate) struct Account<'a> {
    market: &'a Market,
    costs: Costs,
    config: &'a Config,
    cash: f64,
    units: f64,
    /// Equity at the last close.
    before: f64,
    /// Highest equity so far, and the deepest fall as (equity, highest before it).
    top: f64,
    worst: (f64, f64),
    sums: ([f64; LANES], [f64; LANES]),
    /// Cash of the open trade.
    trip: f64,
    tally: Tally,
    broke: bool,
}

impl<'a> Account<'a> {
    pub(crate) fn new(market: &'a Market, config: &'a Config) -> Self {
        let capital = config.initial_capital;
        Self {
            market,
            costs: Costs::new(config),
            config,
            cash: capital,
            units: 0.0,
            before: capital,
            top: capital,
            worst: (capital, capital),
            sums: ([0.0; LANES], [0.0; LANES]),
            trip: 0.0,
            tally: Tally::default(),
            broke: false,
        }
    }

    /// Trades the wanted positions `turns` (bar they were decided on, target) through the bars `from..to`. `returns` takes
    /// the return of each bar. None when the equity is gone: what happens then is the event engine's business.
    pub(crate) fn play(
        mut self,
        turns: &[(usize, f64)],
        from: usize,
        to: usize,
        mut returns: Option<&mut Vec<f64>>,
    ) -> Option<Tally> {
        let mut at = from;
        let mut orders = turns.iter().filter_map(|(bar, target)| Some((*self.market.fills_in.get(*bar)?, *target)));
        let mut next = orders.next();
        while let Some((bar, target)) = next {
            next = orders.next();
            // of several that fill in one bar the newest does
            if bar < from || next.is_some_and(|(later, _)| later == bar) {
                continue;
            }
            if bar >= to {
                break;
            }
            self.hold(at, bar, returns.as_deref_mut());
            at = bar;
            self.order(target, *self.market.fill.get(bar)?);
            if self.broke {
                return None;
            }
        }
        let end = if self.config.liquidate_at_end { to.saturating_sub(1).max(at) } else { to };
        self.hold(at, end, returns.as_deref_mut());
        if end < to {
            if self.units != 0.0 {
                if self.cash + self.units * self.market.close.get(end)? <= 0.0 {
                    return None;
                }
                self.trade(-self.units, *self.market.close.get(end)?);
            }
            self.hold(end, to, returns.as_deref_mut());
        }
        if self.broke {
            return None;
        }
        let unseen = usize::from(from == 0 && !self.market.fill_at.is_lookahead());
        if let Some(returns) = returns {
            // nobody can hold anything in the first bar
            returns.drain(..unseen.min(returns.len()));
        }
        let (sum, squares) = self.sums;
        Some(Tally {
            returns: (to - from).saturating_sub(unseen),
            sum: sum.iter().sum(),
            squares: squares.iter().sum(),
            final_equity: self.before,
            worst: self.worst.0 / self.worst.1,
            ..self.tally
        })
    }

    fn order(&mut self, target: f64, price: f64) {
        let equity = self.cash + self.units * price;
        if equity <= 0.0 {
            self.broke = true;
            return;
        }
        let target = target.clamp(-self.config.position_cap, self.config.position_cap);
        if target == 0.0 {
            if self.units != 0.0 {
                self.trade(-self.units, price);
            }
            return;
        }
        if (target - self.units * price / equity).abs() < self.config.rebalance_threshold {
            return;
        }
        let mut units = self.costs.units_to_reach(target, equity, self.units, price, None);
        let lot = self.config.lot_size;
        if lot > 0.0 {
            let after = self.units + units;
            units = ((after.abs() / lot).floor() * lot).copysign(after) - self.units;
        }
        if units != 0.0 {
            self.trade(units, price);
        }
    }

    fn trade(&mut self, units: f64, quoted: f64) {
        let done = self.costs.execute(units, quoted, None);
        let held = self.units;
        self.cash -= done.units * done.price + done.commission;
        self.tally.cost += done.commission + done.slippage;
        self.units += units;
        let cash = |part: f64| -part * done.price - done.commission * (part / units).abs();
        let turns = held * self.units < 0.0;
        self.trip += cash(if turns { -held } else { units });
        if turns || self.units == 0.0 {
            let profit = std::mem::take(&mut self.trip);
            self.tally.trades += 1;
            self.tally.wins += u64::from(profit > 0.0);
            self.tally.losses += u64::from(profit < 0.0);
            self.tally.gains += profit.max(0.0);
            self.tally.lost -= profit.min(0.0);
        }
        if turns {
            self.trip = cash(self.units);
        }
    }

    /// The bars `from..to` at their closes, without a fill.
    fn hold(&mut self, from: usize, to: usize, mut returns: Option<&mut Vec<f64>>) {
        let Some(closes) = self.market.close.get(from..to) else { return };
        if closes.is_empty() {
            return;
        }
        if self.units == 0.0 {
            let first = self.cash / self.before - 1.0;
            self.sums.0[0] += first;
            self.sums.1[0] += first * first;
            self.before = self.cash;
            self.see(self.cash);
            if let Some(returns) = returns {
                returns.push(first);
                returns.extend(std::iter::repeat_n(0.0, closes.len() - 1));
            }
            return;
        }
        self.tally.held += closes.len();
        // equities of one block behind the last equity before it
        let mut equity = [0.0; BLOCK + 1];
        for block in closes.chunks(BLOCK) {
            equity[0] = self.before;
            for (e, close) in equity.iter_mut().skip(1).zip(block) {
                *e = self.cash + self.units * close;
            }
            let (Some(now), Some(before)) = (equity.get(1..=block.len()), equity.get(..block.len())) else { return };
            let mut change = [0.0; BLOCK];
            for ((r, e), b) in change.iter_mut().zip(now).zip(before) {
                *r = e / b - 1.0;
            }
            let change = change.get(..block.len()).unwrap_or_default();
            let (sum, squares) = &mut self.sums;
            let lanes = change.chunks_exact(LANES);
            for (s, r) in sum.iter_mut().zip(lanes.remainder()) {
                *s += r;
            }
            for (q, r) in squares.iter_mut().zip(lanes.remainder()) {
                *q += r * r;
            }
            for four in lanes {
                for ((s, q), r) in sum.iter_mut().zip(squares.iter_mut()).zip(four) {
                    *s += r;
                    *q += r * r;
                }
            }
            if let Some(returns) = &mut returns {
                returns.extend_from_slice(change);
            }
            self.before = now.last().copied().unwrap_or(self.before);
            for e in now {
                self.see(*e);
            }
        }
    }

    /// Notes highs and falls without a division.
    #[inline]
    fn see(&mut self, equity: f64) {
        if equity > self.top {
            self.top = equity;
        } else if equity * self.worst.1 < self.worst.0 * self.top {
            self.worst = (equity, self.top);
            self.broke |= equity <= 0.0;
        }
    }
}
