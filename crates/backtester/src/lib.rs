//! Back-testing: what a series of decisions would have earned, after costs, at prices that could be had.
//!
//! * [`run`] is the stage: bars and decisions in, equity, fills, metrics and a report out. [`simulate`] is its pure core.
//! * A decision fills at the first bar that begins after it was made (and after the bar it was made on was known): at
//!   that bar's open, or at its close where the source has closes only. The result says which ([`FillAt`]).
//! * Whatever *decides* (the momentum benchmark) reads prices through [`artifacts::Timeline`], which cannot hand out a
//!   bar before its `available_at`. Order sizes use the price of the fill itself, as orders by value do.
//! * The [`Engine`] keeps one account in cash and units of one or several instruments. It knows commission, spread, slippage,
//!   market impact, latency, funding, volume caps, lots and limits; every order and what became of it is a row.
//! * Nothing is annualised without saying by how many periods.
//! * The strategy is set against buy-and-hold, momentum, the source's own signal, itself on shuffled texts where both are
//!   given, and copies of itself with equal turnover and no skill: its positions shifted in time, its spells exchanged.
//! * [`trials`] counts every variant ever run in a project; [`significance`] says what a backtest's figures are worth then:
//!   deflated Sharpe ratio, intervals of the stationary bootstrap, tests against all benchmarks, probability of overfitting.
//! * [`assessment`] reproduces the numbers of another, flawed backtester exactly, and names its flaws.

pub mod assessment;
mod benchmark;
mod candle;
mod config;
mod engine;
mod error;
mod fill_at;
mod information;
mod input;
mod measure;
mod per_instrument;
mod placebo;
mod portfolio;
mod price_file;
mod random;
mod rules;
mod significance;
mod significance_figures;
mod significance_page;
mod simulate;
mod stage;
mod stream;
mod summary;
mod sweep;
mod tear_sheet;
mod tear_sheet_calendar;
pub mod trials;

pub use candle::Candle;
pub use config::{Config, Missing};
pub use engine::{Engine, Wish};
pub use error::Error;
pub use fill_at::{FillAt, FillRule};
pub use input::{Input, load};
pub use measure::{Figures, measure, periods_per_year};
pub use price_file::{PriceFile, read_positions, read_prices};
pub use rules::{Parameters, Rule, Sides, Signal};
pub use significance::{SIGNIFICANCE_VERSION, SignificanceConfig, SignificanceSources, significance};
pub use simulate::{Simulation, simulate, trades};
pub use stage::{STAGE_VERSION, Sources, run, run_among};
pub use stream::{STREAM_VERSION, StreamConfig, generate_bars, run_stream};
pub use sweep::{
    CROSS_VALIDATION_VERSION, Choice, CrossValidationConfig, Range, SWEEP_VERSION, Score, Split, Sweep, SweepConfig,
    Variant, WALK_FORWARD_VERSION, WalkForwardConfig, grid, purged_folds, rule_decisions, run_cross_validation,
    run_sweep, run_walk_forward, walk_forward_splits,
};
