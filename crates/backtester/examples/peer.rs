//! Our side of `benches/peer/backtest.py`: a sweep and a run of the event engine, timed in this process, as one line of JSON.
//!
//! What is timed begins with bars in memory and ends with the figures of every variant: indicators, signals, accounts,
//! figures.

use artifacts::read_all;
use artifacts::rows::Bar;
use backtester::{
    Config, Parameters, Range, Rule, Sides, Sweep, grid, measure, periods_per_year, rule_decisions, simulate,
};
use clap::Parser;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

#[derive(Parser)]
struct Args {
    /// `sweep` or `event`
    mode: String,
    /// Parquet file of bars of one instrument
    #[arg(long)]
    bars: PathBuf,
    #[arg(long, default_value = "5..50:5")]
    fast: Range,
    #[arg(long, default_value = "20..200:10")]
    slow: Range,
    #[arg(long, default_value_t = 0.0)]
    commission_bps: f64,
    #[arg(long, default_value_t = 0.0)]
    slippage_bps: f64,
    #[arg(long, default_value_t = 0.0)]
    lot: f64,
    #[arg(long, default_value_t = 10_000.0)]
    cash: f64,
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let bars: Vec<Bar> = read_all(&args.bars)?;
    let config = Config {
        initial_capital: args.cash,
        commission_bps: args.commission_bps,
        slippage_bps: args.slippage_bps,
        lot_size: args.lot,
        rebalance_threshold: 0.0,
        ..Config::default()
    };
    let grid = grid(Rule::SmaCross, &args.fast, &args.slow)?;
    let mut seconds = Vec::new();
    let mut rows = Vec::new();
    for _ in 0..args.runs.max(1) {
        let clock = Instant::now();
        rows = if args.mode == "event" {
            grid.iter().map(|p| event(&bars, *p, &config)).collect::<anyhow::Result<_>>()?
        } else {
            sweep(&bars, &grid, &config)?
        };
        seconds.push(clock.elapsed().as_secs_f64());
    }
    cli::say(&json!({ "bars": bars.len(), "variants": grid.len(), "seconds": seconds, "rows": rows }).to_string());
    Ok(())
}

fn sweep(bars: &[Bar], grid: &[Parameters], config: &Config) -> anyhow::Result<Vec<serde_json::Value>> {
    let sweep = Sweep::new(bars, grid, Sides::LongFlat, config)?;
    let variants = sweep.variants()?;
    let row = |v: &backtester::Variant| {
        json!({
            "fast": v.parameters.first, "slow": v.parameters.second, "total_return": v.total_return,
            "sharpe_per_bar": v.sharpe_per_bar, "max_drawdown": v.max_drawdown, "trades": v.trades,
            "win_rate": v.win_rate, "profit_factor": v.profit_factor, "final_equity": v.final_equity,
        })
    };
    Ok(variants.iter().map(row).collect())
}

fn event(bars: &[Bar], parameters: Parameters, config: &Config) -> anyhow::Result<serde_json::Value> {
    let decisions = rule_decisions(bars, parameters, Sides::LongFlat)?;
    let simulation = simulate(bars, &decisions, config)?;
    let figures = measure(&simulation, periods_per_year(bars, config)?);
    let of = |name: &str| figures.iter().find(|(n, _)| *n == name).and_then(|(_, v)| *v);
    Ok(json!({
        "fast": parameters.first, "slow": parameters.second, "total_return": of("total_return"),
        "max_drawdown": of("max_drawdown"), "trades": of("trades"), "win_rate": of("win_rate_trades"),
        "final_equity": of("final_equity"),
    }))
}
