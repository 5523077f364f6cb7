//! A rule run straight from files: the figures of the engine in memory, in one file or many, and the command.
#![allow(clippy::unwrap_used, reason = "tests")]

use artifacts::rows::{Bar, EquityPoint, Fill, Order, Trade};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use backtester::{
    Config, Parameters, Rule, Sides, StreamConfig, generate_bars, measure, periods_per_year, rule_decisions,
    run_stream, simulate,
};
use std::process::Command;

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };

#[test]
fn a_stream_has_the_rows_and_figures_of_the_engine_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    generate_bars(20_000, 0.01, Seed(1), &made).unwrap();
    let bars: Vec<Bar> = read_all(&made.join("bars-00000.parquet")).unwrap();
    assert_eq!(bars.len(), 20_000);
    let backtest = Config { liquidate_at_end: true, impact: 0.1, ..Config::default() };
    let config = StreamConfig { sides: Sides::LongShort, backtest: backtest.clone(), ..StreamConfig::default() };
    let out = folder.path().join("out");
    let manifest = run_stream(&config, &made, &out, &OPTIONS).unwrap();

    let rule = Parameters { rule: Rule::SmaCross, first: 10.0, second: 50.0 };
    let expected = simulate(&bars, &rule_decisions(&bars, rule, Sides::LongShort).unwrap(), &backtest).unwrap();
    assert!(expected.trades.len() > 100);
    let file = |name: &str| out.join(format!("{name}-00000.parquet"));
    assert_eq!(read_all::<EquityPoint>(&file("equity")).unwrap(), expected.points);
    assert_eq!(read_all::<Fill>(&file("fills")).unwrap(), expected.fills);
    assert_eq!(read_all::<Order>(&file("orders")).unwrap(), expected.orders);
    assert_eq!(read_all::<Trade>(&file("trades")).unwrap(), expected.trades);
    let figures = measure(&expected, periods_per_year(&bars, &backtest).unwrap());
    for name in ["total_return", "sharpe_ratio", "max_drawdown", "trades", "win_rate_trades", "exposure", "total_cost"]
    {
        let value = figures.iter().find(|(n, _)| *n == name).and_then(|(_, v)| *v).unwrap();
        let found = manifest.facts[name].as_f64().unwrap();
        assert!((found - value).abs() <= 1e-9 * value.abs().max(1.0), "{name}: {found} against {value}");
    }
}

#[test]
fn several_files_are_one_stream_and_their_order_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (one, many) = (folder.path().join("one"), folder.path().join("many"));
    generate_bars(5000, 0.01, Seed(3), &one).unwrap();
    let bars: Vec<Bar> = read_all(&one.join("bars-00000.parquet")).unwrap();
    for (part, bars) in bars.chunks(1700).enumerate() {
        write_all(&many.join(format!("{part}.parquet")), bars).unwrap();
    }
    let config = StreamConfig::default();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    run_stream(&config, &one, &a, &OPTIONS).unwrap();
    run_stream(&config, &many, &b, &OPTIONS).unwrap();
    for file in ["equity-00000.parquet", "fills-00000.parquet", "metrics.parquet"] {
        assert!(std::fs::read(a.join(file)).unwrap() == std::fs::read(b.join(file)).unwrap(), "{file}");
    }
    std::fs::rename(many.join("0.parquet"), many.join("9.parquet")).unwrap();
    let error = run_stream(&config, &many, &b, &OPTIONS).unwrap_err().to_string();
    assert!(error.contains("9.parquet: its first bar, 2000-01-01T00:00:00Z, does not come after"), "{error}");
}

#[test]
fn made_bars_are_the_same_for_the_same_seed_only() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str, seed| {
        let out = folder.path().join(name);
        generate_bars(3000, 0.01, Seed(seed), &out).unwrap();
        std::fs::read(out.join("bars-00000.parquet")).unwrap()
    };
    let one = bytes("one", 1);
    assert!(one == bytes("again", 1) && one != bytes("other", 2));
}

#[test]
fn the_commands_run_end_to_end_and_name_a_parameter_of_another_rule() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let command = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_seafin-backtester")).args(args).args(["--quiet"]).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (made, bars) = (path("made"), path("made/bars-00000.parquet"));
    assert!(command(&["generate-bars", "--bars", "4000", "--out", &made]).0);
    let (ok, said, error) = command(&[
        "sweep",
        "--bars",
        &bars,
        "--out",
        &path("p/r/sweep"),
        "--rule",
        "sma-cross",
        "--fast",
        "5..15:5",
        "--slow",
        "40",
    ]);
    assert!(ok && said.contains("3 variants of sma-cross") && said.contains("fast=5 slow=40"), "{said} {error}");
    let (ok, said, error) = command(&[
        "walk-forward",
        "--bars",
        &bars,
        "--out",
        &path("p/r/walk"),
        "--rule",
        "rsi-band",
        "--period",
        "7,14",
        "--band",
        "20,30",
        "--train",
        "1500",
        "--test",
        "1000",
    ]);
    assert!(ok && said.contains("on bars that no choice saw"), "{said} {error}");
    let (ok, said, error) =
        command(&["stream", "--bars", &made, "--out", &path("p/r/stream"), "--fast", "10", "--slow", "30"]);
    assert!(ok && said.contains("4,000 bars") && said.contains("sharpe_ratio"), "{said} {error}");
    let (ok, _, error) =
        command(&["sweep", "--bars", &bars, "--out", &path("x"), "--rule", "bollinger", "--fast", "5"]);
    assert!(!ok && error.contains("bollinger has no parameter `fast`; its parameters are period and width"), "{error}");
    let (ok, said, _) = command(&["sweep", "--print-config", "--rule", "momentum", "--lookback", "5"]);
    assert!(ok && said.contains("rule = \"momentum\"") && said.contains("first = \"5\""), "{said}");
}
