use crate::ledger::{Execution, Ledger};
use crate::schedule::{FillAt, Schedule};
use crate::{Config, Error};
use artifacts::Timestamp;
use artifacts::rows::{Bar, Decision, EquityPoint, Fill};

/// What a series of decisions led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// At which price decisions filled.
    pub fill_at: FillAt,
    /// Cash at the beginning.
    pub initial_capital: f64,
    /// The account after each bar.
    pub points: Vec<EquityPoint>,
    /// Every change of units.
    pub fills: Vec<Fill>,
    /// Decisions replaced by a newer one before they could fill.
    pub superseded: u64,
    /// Decisions after which no bar begins.
    pub unfilled: u64,
    /// Orders refused because the account was ruined.
    pub refused: u64,
    /// When the equity was gone and everything was closed.
    pub ruined_at: Option<Timestamp>,
}

impl Simulation {
    /// Return of each bar in which a position could be held, relative to the equity before it (the capital before the
    /// first). The first bar is left out unless decisions fill in it: nobody can hold anything then. After ruin, 0.
    pub fn returns(&self) -> Vec<f64> {
        let first = usize::from(self.fill_at != FillAt::SameClose);
        let before = std::iter::once(self.initial_capital).chain(self.points.iter().map(|p| p.equity));
        let step = |(before, now): (f64, &EquityPoint)| if before > 0.0 { now.equity / before - 1.0 } else { 0.0 };
        before.zip(&self.points).map(step).skip(first).collect()
    }

    /// Equity after the last bar, in currency.
    pub fn final_equity(&self) -> f64 {
        self.points.last().map_or(self.initial_capital, |p| p.equity)
    }
}

/// Runs decisions against the bars of one instrument: next-bar fills, target positions, costs.
///
/// Orders are by value: units are chosen at the price of the fill such that the position is the target after costs.
/// When the equity is gone (a short against a soaring price) everything is closed and later orders are refused.
///
/// # Errors
/// A decision on no bar, about another instrument, or outside [-1, 1]; a setting out of range.
pub fn simulate(bars: &[Bar], decisions: &[Decision], config: &Config) -> Result<Simulation, Error> {
    config.check()?;
    let fill_at = FillAt::of(bars, config);
    let schedule = Schedule::new(bars, decisions, fill_at)?;
    let prices = Prices::new(bars, fill_at);
    let targets: Vec<f64> = decisions.iter().map(|d| d.position).collect();
    let account = play(&prices, &schedule.orders, &targets, config);

    let market = prices.first_tradable();
    let points = bars.iter().zip(&account.bars).enumerate().map(|(i, (bar, after))| EquityPoint {
        event_at: bar.event_at,
        close: bar.close,
        equity: after.equity,
        market_equity: match market {
            Some((first, price)) if i >= first => config.initial_capital * bar.close / price,
            _ => config.initial_capital,
        },
        position: after.position,
        cost: after.cost,
    });
    let fills = account.fills.iter().filter_map(|(bar, order, fill)| {
        let bar = bars.get(*bar)?;
        let decision = order.and_then(|o| decisions.get(o));
        Some(Fill {
            symbol: bar.symbol.clone(),
            // what no decision asked for (liquidation) is decided by the rules, at the end of the bar
            decided_at: decision.map_or(bar.available_at, |d| d.decided_at),
            bar_at: bar.event_at,
            price: fill.price,
            units: fill.units,
            commission: fill.commission,
            slippage: fill.slippage,
            held: fill.held,
        })
    });
    Ok(Simulation {
        fill_at,
        initial_capital: config.initial_capital,
        points: points.collect(),
        fills: fills.collect(),
        superseded: schedule.superseded,
        unfilled: schedule.unfilled,
        refused: account.refused,
        ruined_at: account.ruined.and_then(|i| bars.get(i)).map(|b| b.event_at),
    })
}

/// The prices a simulation needs, one of each for every bar.
#[derive(Debug, Clone)]
pub(crate) struct Prices {
    fill: Vec<f64>,
    close: Vec<f64>,
    fill_at: FillAt,
}

impl Prices {
    pub(crate) fn new(bars: &[Bar], fill_at: FillAt) -> Self {
        Self {
            fill: bars.iter().map(|b| fill_at.price(b)).collect(),
            close: bars.iter().map(|b| b.close).collect(),
            fill_at,
        }
    }

    /// The first bar in which anything can fill, and its price.
    fn first_tradable(&self) -> Option<(usize, f64)> {
        let first = usize::from(self.fill_at != FillAt::SameClose);
        self.fill.get(first).map(|price| (first, *price))
    }
}

/// The account after one bar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct After {
    pub(crate) equity: f64,
    pub(crate) position: f64,
    pub(crate) cost: f64,
}

/// A whole run of the account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) bars: Vec<After>,
    /// Bar, order behind it, and what was done.
    pub(crate) fills: Vec<(usize, Option<usize>, Execution)>,
    pub(crate) refused: u64,
    pub(crate) ruined: Option<usize>,
}

/// The fold over bars. `orders` has for each bar the index of its target.
pub(crate) fn play(prices: &Prices, orders: &[Option<usize>], targets: &[f64], config: &Config) -> Account {
    let mut ledger = Ledger::new(config.initial_capital, config.commission_bps, config.slippage_bps);
    let mut account = Account { bars: Vec::with_capacity(orders.len()), fills: Vec::new(), refused: 0, ruined: None };
    let last = orders.len().saturating_sub(1);
    for (bar, ((order, fill_price), close)) in orders.iter().zip(&prices.fill).zip(&prices.close).enumerate() {
        let mut cost = 0.0;
        let mut book = |fills: &mut Vec<_>, order, execution: Option<Execution>| {
            if let Some(e) = execution {
                cost += e.commission + e.slippage;
                fills.push((bar, order, e));
            }
        };
        if let Some((index, target)) = order.and_then(|o| Some((o, *targets.get(o)?))) {
            if account.ruined.is_some() {
                account.refused += 1;
            } else if ledger.equity(*fill_price) <= 0.0 {
                account.ruined = Some(bar);
                account.refused += 1;
                book(&mut account.fills, None, ledger.close(*fill_price));
            } else {
                let target = target.clamp(-config.position_cap, config.position_cap);
                let execution = ledger.rebalance(target, *fill_price, config.rebalance_threshold);
                book(&mut account.fills, Some(index), execution);
            }
        }
        if account.ruined.is_none() && ledger.equity(*close) <= 0.0 {
            account.ruined = Some(bar);
            book(&mut account.fills, None, ledger.close(*close));
        }
        if bar == last && config.liquidate_at_end {
            book(&mut account.fills, None, ledger.close(*close));
        }
        account.bars.push(After { equity: ledger.equity(*close), position: ledger.position(*close), cost });
    }
    account
}
