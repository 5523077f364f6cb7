//! How an order whose bar has come is filled: sizing, limits, what is left.

use super::costs::Liquidity;
use super::holding::Due;
use super::{Engine, REPLACED};
use crate::Candle;
use artifacts::rows::OrderStatus;

const RUINED: &str = "the account is ruined";
const NO_PRICE: &str = "the bar has no such price";
const NO_LOT: &str = "less than one lot";
const TOO_SMALL: &str = "below the smallest order";
const GROSS: &str = "risk limit: gross_cap";
const VOLUME: &str = "volume_cap";

impl Engine {
    /// Fills what is due in these bars, at the prices they are valued at: reductions first, for they free capital.
    pub(super) fn fill(&mut self, bars: &[(usize, Candle)]) {
        let scale = self.agree_on_targets(bars);
        if let [(i, bar)] = *bars {
            self.fill_one(i, &bar, scale);
            return;
        }
        let reduces = |engine: &Self, i: usize| {
            let target = engine.holdings.get(i).map_or(0.0, |h| h.target);
            target.abs() < engine.position(i).abs()
        };
        let due = bars.iter().copied().filter(|(i, _)| self.is_due(*i));
        let (first, then): (Vec<_>, Vec<_>) = due.partition(|(i, _)| reduces(self, *i));
        for (i, bar) in first.into_iter().chain(then) {
            self.fill_one(i, &bar, scale);
        }
    }

    /// Notes the new targets; gives the factor that keeps all of them together within the gross cap.
    fn agree_on_targets(&mut self, bars: &[(usize, Candle)]) -> f64 {
        let cap = self.rules.position_cap;
        for (i, _) in bars {
            if let Some(holding) = self.holdings.get_mut(*i)
                && let Some(due) = &holding.due
            {
                holding.target = due.wish.target.clamp(-cap, cap);
            }
        }
        if self.holdings.len() == 1 {
            return 1.0;
        }
        let gross: f64 = self.holdings.iter().map(|h| h.target.abs()).sum();
        if gross > self.rules.gross_cap { self.rules.gross_cap / gross } else { 1.0 }
    }

    fn fill_one(&mut self, i: usize, bar: &Candle, scale: f64) {
        let Some(holding) = self.holdings.get_mut(i) else { return };
        let Some(mut due) = holding.due.take() else { return };
        let (held, target) = (holding.units, holding.target * scale);
        if self.ruined_at.is_some() || self.equity() <= 0.0 {
            self.refused += 1;
            if self.ruined_at.is_none() {
                self.ruin();
            }
            self.end(i, &due, OrderStatus::Rejected, RUINED);
            return;
        }
        let Some(price) = self.rules.fill_at.price(bar) else {
            self.leave(i, Due { reason: NO_PRICE, ..due });
            return;
        };
        let liquidity = self.liquidity(i, bar);
        let wanted = if let Some(wanted) = due.wanted {
            wanted
        } else {
            let Some(wanted) = self.wanted(i, target, price, liquidity) else { return };
            (due.wanted, due.left) = (Some(wanted), wanted);
            wanted
        };
        let asked = due.left;
        if asked == 0.0 {
            self.end(i, &due, OrderStatus::Rejected, NO_LOT);
            return;
        }
        if held + asked != 0.0 && asked.abs() * price < self.rules.smallest {
            let status = if due.filled == 0.0 { OrderStatus::Rejected } else { OrderStatus::Partial };
            self.end(i, &due, status, TOO_SMALL);
            return;
        }
        let allowed = if self.holdings.len() > 1 { self.within_gross(i, asked, price) } else { asked };
        let mut units = allowed;
        if let (Some(cap), Some(volume)) = (self.rules.volume_cap, bar.volume) {
            units = allowed.abs().min(self.whole(cap * volume)).copysign(allowed);
        }
        if units != 0.0 {
            self.trade(i, units, liquidity, bar, due.wish.decided_at);
        }
        if units.abs() >= asked.abs() {
            self.end(i, &Due { filled: wanted, ..due }, OrderStatus::Filled, "");
            return;
        }
        due.filled += units;
        due.left -= units;
        if allowed.abs() >= asked.abs() {
            self.leave(i, Due { reason: VOLUME, ..due });
        } else {
            // what a risk limit cuts off is not waited for
            let status = if due.filled == 0.0 { OrderStatus::Rejected } else { OrderStatus::Partial };
            self.end(i, &due, status, GROSS);
        }
    }

    /// Keeps what is left of an order for the next bar, or gives it up.
    fn leave(&mut self, i: usize, due: Due) {
        if self.rules.carry {
            if let Some(holding) = self.holdings.get_mut(i) {
                holding.due = Some(due);
            }
            return;
        }
        let status = if due.filled == 0.0 { OrderStatus::Rejected } else { OrderStatus::Partial };
        self.end(i, &due, status, due.reason);
    }

    /// An order in the market that a newer decision replaces.
    pub(super) fn replace(&mut self, i: usize, due: &Due) {
        let status = if due.filled == 0.0 { OrderStatus::Superseded } else { OrderStatus::Partial };
        self.superseded += u64::from(due.filled == 0.0);
        self.end(i, due, status, REPLACED);
    }

    /// Units that lead to the target; none where it is near enough.
    fn wanted(&self, i: usize, target: f64, price: f64, liquidity: Option<Liquidity>) -> Option<f64> {
        let held = self.holdings.get(i).map_or(0.0, |h| h.units);
        if target == 0.0 {
            return (held != 0.0).then_some(-held);
        }
        let equity = self.equity();
        let position = if equity > 0.0 { held * price / equity } else { 0.0 };
        if (target - position).abs() < self.rules.threshold {
            return None;
        }
        let units = self.rules.costs.units_to_reach(target, equity, held, price, liquidity);
        let units = if self.rules.lot > 0.0 { self.whole_holding(held + units) - held } else { units };
        // a holding that is right but for the size of a lot needs no order; one that cannot begin was wanted
        (units != 0.0 || (held == 0.0 && self.rules.lot > 0.0)).then_some(units)
    }

    fn liquidity(&self, i: usize, bar: &Candle) -> Option<Liquidity> {
        if !self.rules.costs.has_impact() {
            return None;
        }
        let sigma = self.holdings.get(i)?.sigma()?;
        Some(Liquidity { sigma, volume: bar.volume? })
    }

    /// The part of an order that keeps the sum of absolute values within the gross cap. Reductions always pass.
    fn within_gross(&self, i: usize, units: f64, price: f64) -> f64 {
        let held = self.holdings.get(i).map_or(0.0, |h| h.units);
        let others: f64 = self.holdings.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, h)| h.value().abs()).sum();
        let after = held + units;
        let room = ((self.rules.gross_cap * self.equity() - others) / price).max(0.0);
        let keeps = if held * after > 0.0 { held.abs() } else { 0.0 };
        // costs move the equity while an order fills: a cap reached but for rounding is no breach
        if after.abs() <= room.max(keeps) * (1.0 + 1e-12) {
            return units;
        }
        let allowed = self.whole_holding(room.max(keeps).copysign(after)) - held;
        // an account at its cap has no room but for rounding: that is no order
        if allowed.abs() > 1e-9 * units.abs() { allowed } else { 0.0 }
    }

    fn whole_holding(&self, units: f64) -> f64 {
        self.whole(units.abs()).copysign(units)
    }

    fn whole(&self, units: f64) -> f64 {
        if self.rules.lot > 0.0 { (units / self.rules.lot).floor() * self.rules.lot } else { units }
    }
}
