//! Several instruments in one account. Time is a queue of moments: ends of bars, then beginnings of bars, so that what is
//! known and what can be traded at one time never depends on the order of the instruments.

use crate::engine::{Engine, Wish};
use crate::simulate::{made_on, market, wish};
use crate::{Candle, Config, Error, FillAt, Simulation};
use artifacts::Timestamp;
use artifacts::rows::{Bar, Decision, EquityPoint, PortfolioPoint};

/// The bars of one instrument and its place in the account.
struct Instrument<'a> {
    bars: &'a [Bar],
    /// Decisions by the number of their bar.
    wishes: Vec<(usize, Wish)>,
    /// The next of them.
    next: usize,
    /// Number of the first tradable bar and its price.
    market: Option<(usize, f64)>,
    /// Its share of the capital, held from there on.
    market_equity: f64,
}

/// A moment of one instrument. Ends come before beginnings of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    at: Timestamp,
    begins: bool,
    instrument: usize,
    bar: usize,
}

/// Runs decisions about several instruments from one account; `bars` and `decisions` are ordered by symbol, then time. A bar
/// ends at its `available_at`, or where the next one begins if its close was published later than that.
pub(crate) fn simulate_portfolio(
    bars: &[Bar],
    decisions: &[Decision],
    targets: &[f64],
    config: &Config,
) -> Result<Simulation, Error> {
    let fill_at = FillAt::of(bars, config)?;
    let groups: Vec<&[Bar]> = bars.chunk_by(|a, b| a.symbol == b.symbol).collect();
    let symbols = groups.iter().filter_map(|g| g.first()).map(|b| b.symbol.clone()).collect();
    let mut engine = Engine::new(config, fill_at, symbols)?;
    let share = config.initial_capital / groups.len().max(1) as f64;
    let mut instruments = Vec::with_capacity(groups.len());
    let mut from = 0;
    for bars in groups {
        let symbol = bars.first().map_or("", |b| b.symbol.as_str());
        let own = decisions.get(from..).unwrap_or_default();
        let own = own.split(|d| d.symbol != symbol).next().unwrap_or_default();
        let own_targets = targets.get(from..from + own.len()).unwrap_or_default();
        // rows are numbered as in the file, so errors find them
        let rows = made_on(bars, own).map_err(|e| e.after(from))?;
        let wishes = rows
            .into_iter()
            .filter_map(|(bar, row)| Some((bar, wish(&engine, bars.get(bar)?, own.get(row)?, *own_targets.get(row)?))));
        let wishes = wishes.collect();
        instruments.push(Instrument { bars, wishes, next: 0, market: market(bars, fill_at), market_equity: share });
        from += own.len();
    }
    if let Some(stray) = decisions.get(from) {
        return Err(Error::NoSuchBar { row: from, bar_at: stray.bar_at });
    }
    let moments = moments(&instruments);
    let mut run = Simulation::begin(fill_at, config);
    let last = moments.last().map(|m| m.at);
    for group in moments.chunk_by(|a, b| (a.at, a.begins) == (b.at, b.begins)) {
        let Some(first) = group.first() else { continue };
        let now: Vec<(usize, Candle)> = group
            .iter()
            .filter_map(|m| Some((m.instrument, Candle::from(instruments.get(m.instrument)?.bars.get(m.bar)?))))
            .collect();
        if first.begins {
            if fill_at.is_lookahead() {
                submit(&mut engine, &mut instruments, group);
            }
            engine.open(&now)?;
            continue;
        }
        engine.close(&now);
        if !fill_at.is_lookahead() {
            submit(&mut engine, &mut instruments, group);
        }
        if config.liquidate_at_end && Some(first.at) == last {
            engine.liquidate();
        }
        for (moment, (_, candle)) in group.iter().zip(&now) {
            if let Some(instrument) = instruments.get_mut(moment.instrument)
                && let Some((tradable, price)) = instrument.market
                && moment.bar >= tradable
            {
                instrument.market_equity = share * candle.close / price;
            }
        }
        let market_equity = instruments.iter().map(|i| i.market_equity).sum();
        let (equity, cost, (gross, net)) = (engine.equity(), engine.take_cost(), engine.gross_and_net());
        run.portfolio.push(PortfolioPoint { at: first.at, equity, market_equity, gross, net, cost });
        run.points.push(EquityPoint {
            event_at: first.at,
            close: market_equity,
            equity,
            market_equity,
            position: net,
            cost,
        });
    }
    engine.finish();
    Ok(run.end(engine))
}

/// Hands the decisions made on the bars of these moments to the engine.
fn submit(engine: &mut Engine, instruments: &mut [Instrument<'_>], moments: &[Moment]) {
    for moment in moments {
        let Some(instrument) = instruments.get_mut(moment.instrument) else { continue };
        while let Some((_, wish)) = instrument.wishes.get(instrument.next).filter(|(bar, _)| *bar == moment.bar) {
            engine.submit(moment.instrument, *wish);
            instrument.next += 1;
        }
    }
}

/// Every beginning and every end, in order of time.
fn moments(instruments: &[Instrument<'_>]) -> Vec<Moment> {
    let mut all = Vec::new();
    for (instrument, of) in instruments.iter().enumerate() {
        for (bar, candle) in of.bars.iter().enumerate() {
            let next = of.bars.get(bar + 1).map(|b| b.event_at);
            let end = next.map_or(candle.available_at, |n| n.min(candle.available_at));
            // a bar of closes alone may have no length: it ends after it begins all the same
            let end = end.max(Timestamp::from_micros(candle.event_at.micros() + 1));
            all.push(Moment { at: candle.event_at, begins: true, instrument, bar });
            all.push(Moment { at: end, begins: false, instrument, bar });
        }
    }
    all.sort_by_key(|m| (m.at, m.begins, m.instrument, m.bar));
    all
}
