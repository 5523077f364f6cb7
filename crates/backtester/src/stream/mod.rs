//! A rule run straight from Parquet: bars come in batch by batch, what happens goes out row by row, and memory is the same
//! for a thousand bars and a hundred million.

mod generate;
pub(crate) mod parts;
mod running;
mod source;

pub use generate::generate_bars;

use crate::engine::{Engine, Wish};
use crate::{Candle, Config, Error, FillAt, Parameters, Rule, Sides, Signal};
use artifacts::rows::{Bar, EquityPoint, Fill, Metric, Order, Trade};
use artifacts::{Manifest, OpenStage, Outcome, RunOptions, StageSpec};
use parts::Parts;
use running::Running;
use serde::{Deserialize, Serialize};
use stats::trading::PeriodsPerYear;
use std::path::Path;

/// Raised when the stage's output changes for the same input.
pub const STREAM_VERSION: u32 = 1;

/// Settings of a rule run as a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamConfig {
    /// The rule.
    pub rule: Rule,
    /// Its first parameter.
    pub first: f64,
    /// Its second parameter.
    pub second: f64,
    /// Where the rule goes when it goes out.
    pub sides: Sides,
    /// Write the equity of every so many bars (and the last); 0 for none.
    pub equity_every: u64,
    /// Costs, fills and the instrument.
    pub backtest: Config,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            rule: Rule::SmaCross,
            first: 10.0,
            second: 50.0,
            sides: Sides::LongFlat,
            equity_every: 1,
            backtest: Config::default(),
        }
    }
}

/// Runs one rule over `bars`, a Parquet file or a folder of them, and writes into the folder `out` equity,
/// fills, orders and trades, each in files of bounded size (`equity-00000.parquet` and so on), and `metrics.parquet`.
///
/// Where fills are chosen automatically, the first bar says whether the source has opens; an order that then meets a bar
/// without one is refused, as its row says.
///
/// # Errors
/// Bars of several instruments without the setting `symbol`; settings out of range; files that cannot be read or written.
pub fn run_stream(config: &StreamConfig, bars: &Path, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    let parameters = Parameters { rule: config.rule, first: config.first, second: config.second };
    let signal = Signal::new(parameters, config.sides)?;
    config.backtest.check()?;
    let spec = StageSpec::new(("stream", STREAM_VERSION), out, config, vec![bars.to_path_buf()], options)?;
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let clock = artifacts::runtime::Stopwatch::start();
    let files = source::files(bars)?;
    let mut run = None;
    let each = |bar: &Bar, last: bool| {
        if run.is_none() {
            run = Some(Run::new(config, signal.clone(), bar, &open)?);
        }
        run.as_mut().map_or(Ok(()), |run: &mut Run| run.bar(bar, last, &mut open))
    };
    let count = source::for_each(&files, config.backtest.symbol.as_deref(), each)?;
    let Some(mut run) = run else {
        let symbol = config.backtest.symbol.clone().unwrap_or_default();
        return Err(Error::NoBars { symbol, choices: "others only".to_owned() }.within(bars));
    };
    run.end(&mut open)?;
    let seconds = clock.seconds();
    let periods = config.backtest.periods_per_year.and_then(PeriodsPerYear::new).or(run.periods);
    let periods = periods.ok_or(Error::TooFewBars { symbol: String::new(), bars: count as usize })?;
    let metric = |(name, value): (&'static str, Option<f64>)| Metric {
        subject: "strategy".to_owned(),
        slice: "all".to_owned(),
        metric: name.to_owned(),
        value: value.filter(|v| v.is_finite()),
        n: count,
    };
    let metrics: Vec<Metric> = run.figures.figures(periods).into_iter().map(metric).collect();
    for m in &metrics {
        open.fact(&m.metric, m.value);
    }
    open.fact("fill", run.fill_at.words());
    open.fact("periods_per_year", periods.get());
    open.fact("parameters", parameters.to_string());
    open.measured("bars_per_second", count as f64 / seconds);
    open.count(count, count);
    open.write_rows("metrics.parquet", metrics)?;
    Ok(open.finish()?)
}

struct Run {
    engine: Engine,
    signal: Signal,
    fill_at: FillAt,
    figures: Running,
    periods: Option<PeriodsPerYear>,
    previous: Option<Bar>,
    capital: f64,
    /// Price of the first bar in which anything can fill.
    market: Option<f64>,
    seen: u64,
    every: u64,
    liquidate: bool,
    equity: Option<Parts<EquityPoint>>,
    fills: Parts<Fill>,
    orders: Parts<Order>,
    trades: Parts<Trade>,
}

impl Run {
    fn new(config: &StreamConfig, signal: Signal, first: &Bar, open: &OpenStage) -> Result<Self, Error> {
        let fill_at = FillAt::choose(&config.backtest, first.open.is_some())?;
        Ok(Self {
            engine: Engine::new(&config.backtest, fill_at, vec![first.symbol.clone()])?,
            signal,
            fill_at,
            figures: Running::new(config.backtest.initial_capital),
            periods: None,
            previous: None,
            capital: config.backtest.initial_capital,
            market: None,
            seen: 0,
            every: config.equity_every,
            liquidate: config.backtest.liquidate_at_end,
            equity: if config.equity_every > 0 { Some(Parts::new(open, "equity")?) } else { None },
            fills: Parts::new(open, "fills")?,
            orders: Parts::new(open, "orders")?,
            trades: Parts::new(open, "trades")?,
        })
    }

    fn bar(&mut self, bar: &Bar, last: bool, open: &mut OpenStage) -> Result<(), Error> {
        let moment = [(0, Candle::from(bar))];
        let same = self.fill_at.is_lookahead();
        let wish = self.signal.next(bar.close).map(|target| Wish {
            decided_at: bar.available_at,
            bar_at: bar.event_at,
            ready: self.engine.ready(bar.available_at, bar.available_at),
            target,
        });
        if let Some(wish) = wish.filter(|_| same) {
            self.engine.submit(0, wish);
        }
        self.engine.open(&moment)?;
        self.engine.close(&moment);
        if let Some(wish) = wish.filter(|_| !same) {
            self.engine.submit(0, wish);
        }
        if last && self.liquidate {
            self.engine.liquidate();
        }
        let (equity, position, cost) = (self.engine.equity(), self.engine.position(0), self.engine.take_cost());
        self.seen += 1;
        let counts = self.seen > 1 || same;
        self.figures.point(equity, position, cost, counts);
        if counts && self.market.is_none() {
            self.market = Some(self.fill_at.price(&Candle::from(bar)).unwrap_or(bar.close));
        }
        if self.seen == 2
            && let Some(previous) = &self.previous
        {
            self.periods = PeriodsPerYear::of_interval_seconds(bar.event_at.seconds_since(previous.event_at));
        }
        if self.seen == 1 {
            self.previous = Some(bar.clone());
        }
        if let Some(parts) = &mut self.equity
            && (last || self.seen.is_multiple_of(self.every))
        {
            let market_equity = self.market.map_or(self.capital, |price| self.capital * bar.close / price);
            let point = EquityPoint { event_at: bar.event_at, close: bar.close, equity, market_equity, position, cost };
            parts.push(open, point)?;
        }
        self.drain(open)
    }

    /// Hands on what happened.
    fn drain(&mut self, open: &mut OpenStage) -> Result<(), Error> {
        for fill in self.engine.fills.drain(..) {
            self.fills.push(open, fill)?;
        }
        for order in self.engine.orders.drain(..) {
            self.orders.push(open, order)?;
        }
        for trade in self.engine.trades.drain(..) {
            self.figures.trade(&trade);
            self.trades.push(open, trade)?;
        }
        Ok(())
    }

    fn end(&mut self, open: &mut OpenStage) -> Result<(), Error> {
        self.engine.finish();
        self.drain(open)?;
        if let Some(parts) = &mut self.equity {
            parts.close(open)?;
        }
        self.fills.close(open)?;
        self.orders.close(open)?;
        self.trades.close(open)
    }
}
