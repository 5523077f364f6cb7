use super::assemble::{Assembler, From};
use crate::market::exchange::{Candle, Trade};
use artifacts::Timestamp;
use std::collections::BTreeMap;

/// Folds trades into bars.
///
/// A bar is finished `lateness` seconds after its end by the stream's clock. Ids count up without gaps, so a missing one tells that a
/// bar is incomplete: such a bar is not handed on, so that it is fetched like any missing bar. Where the ids show that nothing was traded, the bar
/// repeats the last price with a volume of 0, as exchanges do.
#[derive(Debug)]
pub(super) struct TradeFold {
    symbol: String,
    interval: i64,
    lateness: i64,
    open: BTreeMap<Timestamp, BTreeMap<u64, Trade>>,
    /// The last trade of the last bar that is done, and where the next bar belongs.
    done: Option<(u64, f64, Timestamp)>,
}

impl TradeFold {
    pub(super) fn new(symbol: &str, interval: i64, lateness: i64) -> Self {
        Self { symbol: symbol.to_owned(), interval, lateness, open: BTreeMap::new(), done: None }
    }

    pub(super) fn trade(&mut self, trade: Trade, bars: &mut Assembler) {
        let micros = self.interval.saturating_mul(1_000_000);
        let bucket = Timestamp::from_micros(trade.at.micros().div_euclid(micros).saturating_mul(micros));
        bars.tick(trade.at);
        if !(trade.price > 0.0 && trade.size >= 0.0) {
            return bars.reject_text(
                trade.at,
                &format!("{trade:?}"),
                "bad-trade",
                "prices are above 0, sizes 0 or more",
            );
        }
        if self.done.is_some_and(|(id, ..)| trade.id <= id) {
            bars.counts.duplicates += 1;
        } else if self.done.is_some_and(|(.., next)| bucket < next) {
            bars.reject_text(
                trade.at,
                &format!("{trade:?}"),
                "late-trade",
                "its bar is done; a bar with missing trades was fetched",
            );
        } else if self.open.entry(bucket).or_default().insert(trade.id, trade).is_some() {
            bars.counts.duplicates += 1;
        } else {
            bars.counts.trades += 1;
        }
        self.fold(bars, false);
    }

    /// Whether trades between the first open bar and the next may only be late.
    fn may_still_come(&self, over: Timestamp) -> bool {
        let mut open = self.open.values();
        let last = open.next().and_then(|trades| trades.last_key_value());
        let next = open.next().and_then(|trades| trades.first_key_value());
        matches!((last, next), (Some((a, _)), Some((b, trade))) if a + 1 != *b && trade.at > over)
    }

    /// Hands on the bars whose time is over. At the end of a stream (`all`) the last bar may be cut off, so it is not handed on.
    pub(super) fn fold(&mut self, bars: &mut Assembler, all: bool) {
        let over = if all { bars.clock() } else { bars.clock().plus_seconds(-self.lateness) };
        while self.open.first_key_value().is_some_and(|(at, _)| at.plus_seconds(self.interval) <= over) {
            if !all && self.may_still_come(over) {
                return;
            }
            let Some((at, trades)) = self.open.pop_first() else { return };
            let (Some((first, opening)), Some((last, closing))) = (trades.first_key_value(), trades.last_key_value())
            else {
                continue;
            };
            let follows = self.done.is_some_and(|(id, ..)| id + 1 == *first);
            if follows && let Some((_, price, mut empty)) = self.done {
                while empty < at {
                    let still =
                        Candle { event_at: empty, open: price, high: price, low: price, close: price, volume: 0.0 };
                    bars.finished(still.bar(&self.symbol, self.interval), From::Stream);
                    empty = empty.plus_seconds(self.interval);
                }
            }
            let next = self.open.values().next().and_then(|t| t.first_key_value());
            let whole =
                follows && last - first + 1 == trades.len() as u64 && next.is_none_or(|(id, _)| *id == last + 1);
            let price = |pick: fn(f64, f64) -> f64| trades.values().map(|t| t.price).fold(opening.price, pick);
            let candle = Candle {
                event_at: at,
                open: opening.price,
                high: price(f64::max),
                low: price(f64::min),
                close: closing.price,
                volume: trades.values().map(|t| t.size).sum(),
            };
            self.done = Some((*last, closing.price, at.plus_seconds(self.interval)));
            let bar = candle.bar(&self.symbol, self.interval);
            if whole {
                bars.finished(bar, From::Stream);
            } else {
                bars.tick(bar.available_at);
                bars.reject(
                    &bar,
                    "missing-trades",
                    "ids are missing in it or beside it; its place is fetched over REST or left a hole",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(id: u64, second: i64, price: f64) -> Trade {
        Trade { symbol: "X".into(), id, at: Timestamp::from_seconds(second), price, size: 0.5 }
    }

    type Row = (i64, f64, f64, f64, f64, f64);

    fn run(trades: &[(u64, i64, f64)]) -> (Vec<Row>, Vec<String>) {
        let mut bars = Assembler::new("X", 60, 60, Some(Timestamp::from_seconds(60)));
        let mut fold = TradeFold::new("X", 60, 60);
        for (id, second, price) in trades {
            fold.trade(trade(*id, *second, *price), &mut bars);
        }
        let minute = |t: Timestamp| t.micros() / 60_000_000;
        let rows = bars.take().into_iter().map(|b| {
            (minute(b.event_at), b.open.unwrap(), b.high.unwrap(), b.low.unwrap(), b.close, b.volume.unwrap())
        });
        (rows.collect(), bars.take_rejected().into_iter().map(|r| r.reason).collect())
    }

    #[test]
    fn late_and_repeated_trades_give_the_bars_of_the_trades_in_order() {
        let ordered =
            [(1, 10, 9.0), (2, 70, 5.0), (3, 80, 7.0), (4, 90, 4.0), (5, 100, 6.0), (6, 130, 8.0), (7, 310, 9.0)];
        let mixed = [ordered[0], ordered[2], ordered[1], ordered[1], ordered[4], ordered[5], ordered[3], ordered[6]];
        let (rows, rejected) = run(&ordered);
        assert_eq!(rows, [(1, 5.0, 7.0, 4.0, 6.0, 2.0), (2, 8.0, 8.0, 8.0, 8.0, 0.5)]);
        assert_eq!(rejected, ["missing-trades"], "the first bar has no trade before it to tell that it is whole");
        assert_eq!(run(&mixed), (rows, rejected));
    }

    #[test]
    fn minutes_without_a_trade_repeat_the_price_and_a_missing_id_keeps_a_bar_back() {
        let quiet = [(1, 10, 9.0), (2, 70, 5.0), (3, 250, 7.0), (4, 400, 7.0)];
        let (rows, _) = run(&quiet);
        assert_eq!(rows[1], (2, 5.0, 5.0, 5.0, 5.0, 0.0));
        assert_eq!(rows.iter().map(|r| r.0).collect::<Vec<_>>(), [1, 2, 3, 4]);

        let (rows, rejected) = run(&[(1, 10, 9.0), (2, 70, 5.0), (4, 80, 5.0), (5, 130, 7.0), (6, 400, 7.0)]);
        assert!(rows.is_empty(), "minute 1 misses trade 3, so nothing after it is final: {rows:?}");
        assert_eq!(rejected, ["missing-trades", "missing-trades"]);
    }
}
