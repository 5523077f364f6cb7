use crate::engine::{Engine, Wish};
use crate::portfolio::simulate_portfolio;
use crate::{Candle, Config, Error, FillAt};
use artifacts::Timestamp;
use artifacts::rows::{Bar, Decision, EquityPoint, Fill, Order, PortfolioPoint, Trade};

/// What a series of decisions led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// At which price decisions filled.
    pub fill_at: FillAt,
    /// Cash at the beginning.
    pub initial_capital: f64,
    /// The account after each bar; of a portfolio, after each moment at which bars end.
    pub points: Vec<EquityPoint>,
    /// A portfolio after each such moment; empty for one instrument.
    pub portfolio: Vec<PortfolioPoint>,
    /// Every change of units.
    pub fills: Vec<Fill>,
    /// Every order and what became of it.
    pub orders: Vec<Order>,
    /// Every trade, those still open at the end last.
    pub trades: Vec<Trade>,
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
    pub(crate) fn begin(fill_at: FillAt, config: &Config) -> Self {
        Self {
            fill_at,
            initial_capital: config.initial_capital,
            points: Vec::new(),
            portfolio: Vec::new(),
            fills: Vec::new(),
            orders: Vec::new(),
            trades: Vec::new(),
            superseded: 0,
            unfilled: 0,
            refused: 0,
            ruined_at: None,
        }
    }

    /// Takes what an engine recorded.
    pub(crate) fn end(self, engine: Engine) -> Self {
        Self {
            ruined_at: engine.ruined_at(),
            superseded: engine.superseded,
            unfilled: engine.unfilled,
            refused: engine.refused,
            fills: engine.fills,
            orders: engine.orders,
            trades: engine.trades,
            ..self
        }
    }

    /// Return of each bar in which a position could be held, relative to the equity before it (the capital before the
    /// first). The first bar is left out unless decisions fill in it: nobody can hold anything then. After ruin, 0.
    pub fn returns(&self) -> Vec<f64> {
        let first = usize::from(!self.fill_at.is_lookahead());
        let before = std::iter::once(self.initial_capital).chain(self.points.iter().map(|p| p.equity));
        let step = |(before, now): (f64, &EquityPoint)| if before > 0.0 { now.equity / before - 1.0 } else { 0.0 };
        before.zip(&self.points).map(step).skip(first).collect()
    }

    /// Equity after the last bar, in currency.
    pub fn final_equity(&self) -> f64 {
        self.points.last().map_or(self.initial_capital, |p| p.equity)
    }
}

/// The trades of a simulation, those still open at the end last: from leaving a flat (or opposite) position to the next
/// one. A fill that turns long into short closes one trade and opens the next; its costs are shared by units.
pub fn trades(simulation: &Simulation) -> &[Trade] {
    &simulation.trades
}

/// Runs decisions against the bars of one instrument (of several, where `portfolio` is set, both ordered by symbol, then
/// time): next-bar fills, target positions, costs.
///
/// A decision is ready at its `decided_at`, but not before the bar it was made on is available, and `latency_seconds`
/// later; it fills in the first later bar that does not begin before that. Of several that would fill in one bar the
/// newest does. Orders are by value: units are chosen at the price of the fill such that the position is the target after
/// costs. When the equity is gone (a short against a soaring price) everything is closed and later orders are refused.
///
/// # Errors
/// A decision on no bar, about another instrument, or outside [-1, 1]; a setting out of range; same-bar fills without the
/// setting that allows them; bars without the volume that a setting needs.
pub fn simulate(bars: &[Bar], decisions: &[Decision], config: &Config) -> Result<Simulation, Error> {
    config.check()?;
    let targets: Vec<f64> = decisions.iter().map(|d| d.position).collect();
    simulate_targets(bars, decisions, &targets, config)
}

/// As [`simulate`], each decision with the target of the same number in place of its own.
pub(crate) fn simulate_targets(
    bars: &[Bar],
    decisions: &[Decision],
    targets: &[f64],
    config: &Config,
) -> Result<Simulation, Error> {
    if config.portfolio {
        return simulate_portfolio(bars, decisions, targets, config);
    }
    let fill_at = FillAt::of(bars, config)?;
    let symbol = bars.first().map_or_else(String::new, |b| b.symbol.clone());
    let mut engine = Engine::new(config, fill_at, vec![symbol])?;
    let made_on = made_on(bars, decisions)?;
    let mut wishes = made_on
        .into_iter()
        .filter_map(|(bar, row)| Some((bar, decisions.get(row)?, *targets.get(row)?)))
        .filter_map(|(bar, decision, target)| Some((bar, wish(&engine, bars.get(bar)?, decision, target))))
        .collect::<Vec<_>>()
        .into_iter()
        .peekable();
    let market = market(bars, fill_at);
    let mut points = Vec::with_capacity(bars.len());
    for (i, bar) in bars.iter().enumerate() {
        let moment = [(0, Candle::from(bar))];
        let mut submit = |engine: &mut Engine| {
            while let Some((_, wish)) = wishes.next_if(|(made_on, _)| *made_on == i) {
                engine.submit(0, wish);
            }
        };
        if fill_at.is_lookahead() {
            submit(&mut engine);
        }
        engine.open(&moment)?;
        engine.close(&moment);
        submit(&mut engine);
        if config.liquidate_at_end && i + 1 == bars.len() {
            engine.liquidate();
        }
        points.push(EquityPoint {
            event_at: bar.event_at,
            close: bar.close,
            equity: engine.equity(),
            market_equity: match market {
                Some((first, price)) if i >= first => config.initial_capital * bar.close / price,
                _ => config.initial_capital,
            },
            position: engine.position(0),
            cost: engine.take_cost(),
        });
    }
    engine.finish();
    Ok(Simulation { points, ..Simulation::begin(fill_at, config) }.end(engine))
}

pub(crate) fn wish(engine: &Engine, bar: &Bar, decision: &Decision, target: f64) -> Wish {
    Wish {
        decided_at: decision.decided_at,
        bar_at: decision.bar_at,
        ready: engine.ready(decision.decided_at, bar.available_at),
        target,
    }
}

/// For each decision its bar and its row, in order of bars; the decisions of one bar keep theirs.
pub(crate) fn made_on(bars: &[Bar], decisions: &[Decision]) -> Result<Vec<(usize, usize)>, Error> {
    let mut found = Vec::with_capacity(decisions.len());
    for (row, decision) in decisions.iter().enumerate() {
        let no_bar = || Error::NoSuchBar { row, bar_at: decision.bar_at };
        let index = bars.binary_search_by_key(&decision.bar_at, |b| b.event_at).map_err(|_| no_bar())?;
        let bar = bars.get(index).ok_or_else(no_bar)?;
        if bar.symbol != decision.symbol {
            let (found, expected) = (decision.symbol.clone(), bar.symbol.clone());
            return Err(Error::WrongSymbol { row, found, expected });
        }
        if !(-1.0..=1.0).contains(&decision.position) {
            return Err(Error::BadPosition { row, position: decision.position });
        }
        found.push((index, row));
    }
    found.sort_by_key(|(bar, _)| *bar);
    Ok(found)
}

/// The first bar in which anything can fill, and its price.
pub(crate) fn market(bars: &[Bar], fill_at: FillAt) -> Option<(usize, f64)> {
    let first = usize::from(!fill_at.is_lookahead());
    let bar = bars.get(first)?;
    Some((first, fill_at.price(&Candle::from(bar)).unwrap_or(bar.close)))
}
