//! Next-open runs of another library on real prices: whole shares, commission on both sides, long or flat and long or
//! short, two sizes of account.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use artifacts::Timestamp;
use artifacts::rows::{Bar, Trade};
use backtester::{Config, Parameters, Rule, Sides, Simulation, measure, rule_decisions, simulate};
use stats::trading::PeriodsPerYear;
use std::path::{Path, PathBuf};

/// The folder of shared test data beside the project.
fn shared(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(file);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no {} here", path.display());
    None
}

fn prices(path: &Path) -> Vec<Bar> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let heads: Vec<String> = reader.headers().unwrap().iter().map(str::to_lowercase).collect();
    let at = |name: &str| heads.iter().position(|h| h == name).unwrap();
    let (open, high, low, close) = (at("open"), at("high"), at("low"), at("close"));
    let bar = |row: csv::Result<csv::StringRecord>| {
        let row = row.unwrap();
        let number = |i: usize| row[i].parse::<f64>().unwrap();
        let event_at: Timestamp = row[0].parse().unwrap();
        Bar {
            symbol: "GOOG".into(),
            event_at,
            available_at: event_at.plus_seconds(86_400),
            open: Some(number(open)),
            high: Some(number(high)),
            low: Some(number(low)),
            close: number(close),
            volume: None,
        }
    };
    reader.records().map(bar).collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// The rule as that library runs it: whatever is open at the end goes at the open of the last bar.
fn run(bars: &[Bar], sides: Sides, cash: f64) -> Simulation {
    let rule = Parameters { rule: Rule::SmaCross, first: 10.0, second: 30.0 };
    let mut decisions = rule_decisions(bars, rule, sides).unwrap();
    let eve = &bars[bars.len() - 2];
    decisions.retain(|d| d.bar_at < eve.event_at);
    let mut last = decisions.last().unwrap().clone();
    (last.bar_at, last.decided_at, last.position) = (eve.event_at, eve.available_at, 0.0);
    decisions.push(last);
    let config = Config {
        initial_capital: cash,
        commission_bps: 10.0,
        slippage_bps: 0.0,
        lot_size: 1.0,
        rebalance_threshold: 0.0,
        ..Config::default()
    };
    simulate(bars, &decisions, &config).unwrap()
}

#[test]
fn it_makes_the_trades_of_another_library_on_real_prices() {
    let (Some(oracle), Some(csv)) =
        (shared("oracles/metrics/goog_sma_next_open.json"), shared("data/market/goog_daily.csv"))
    else {
        return;
    };
    let oracle: serde_json::Value = serde_json::from_slice(&std::fs::read(oracle).unwrap()).unwrap();
    let bars = prices(&csv);
    assert_eq!(bars.len(), 2148);
    let mut counts = Vec::new();
    for expected in oracle["runs"].as_array().unwrap() {
        let name = expected["name"].as_str().unwrap();
        let number = |key: &str| expected[key].as_f64().unwrap();
        let sides = if name.starts_with("long_short") { Sides::LongShort } else { Sides::LongFlat };
        let found = run(&bars, sides, number("cash"));
        let list = expected["trade_list"].as_array().unwrap();
        assert_eq!(found.trades.len(), list.len(), "{name}");
        counts.push(list.len());
        let index = |at: Option<Timestamp>| bars.iter().position(|b| Some(b.event_at) == at).unwrap() as f64;
        for (t, (trade, row)) in found.trades.iter().zip(list).enumerate() {
            let of = |key: &str| row[key].as_f64().unwrap();
            let Trade { units, entry_price, exit_price, profit, cost, .. } = *trade;
            let pairs = [
                ("size", units),
                ("entry_bar", index(Some(trade.opened_at))),
                ("exit_bar", index(trade.closed_at)),
                ("entry_price", entry_price),
                ("exit_price", exit_price),
                ("pnl", profit),
                ("commission", cost),
            ];
            for (key, value) in pairs {
                assert!(near(value, of(key)), "{name} trade {t} {key}: {value} against {}", of(key));
            }
        }
        for (point, equity) in found.points.iter().zip(expected["equity_curve"].as_array().unwrap()) {
            assert!(
                near(point.equity, equity.as_f64().unwrap()),
                "{name} {}: {} against {equity}",
                point.event_at,
                point.equity
            );
        }
        let figures = measure(&found, PeriodsPerYear::TRADING_DAYS);
        let of = |name: &str| figures.iter().find(|(n, _)| *n == name).and_then(|(_, v)| *v).unwrap();
        assert!(near(found.final_equity(), number("final_equity")), "{name}");
        assert!(near(of("total_return") * 100.0, number("return_pct")), "{name}");
        assert!(near(of("max_drawdown") * 100.0, number("max_drawdown_pct")), "{name}");
        assert!(near(of("win_rate_trades") * 100.0, number("win_rate_pct")), "{name}");
        assert!(near(of("total_cost"), number("commissions_total")), "{name}");
    }
    counts.sort_unstable();
    assert_eq!(counts, [33, 33, 66, 66]);
}
