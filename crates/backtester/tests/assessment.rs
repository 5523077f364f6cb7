//! The assessment mode against the assessment's own numbers, against cases worked out by hand, and as a command.
#![allow(clippy::unwrap_used, reason = "tests")]

use backtester::assessment::{Settings, assess};
use backtester::{Error, read_positions, read_prices};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn shared(file: &str) -> Option<PathBuf> {
    let start = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = start.ancestors().map(|a| a.join("shared")).find(|s| s.join("README.md").is_file())?;
    Some(folder.join(file)).filter(|f| f.is_file())
}

fn numbers(values: &Value) -> Vec<Option<f64>> {
    values.as_array().unwrap().iter().map(Value::as_f64).collect()
}

/// Both absent, or equal to 1e-9 (absolute for shares, relative for money).
fn same(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(f), Some(e)) => (f - e).abs() <= 1e-9 * e.abs().max(1.0),
        (f, e) => f == e,
    }
}

#[test]
fn all_fifty_reference_cases_agree_with_their_equity_curves() {
    let (Some(gold), Some(random), Some(reference)) = (
        shared("data/gold/gold.csv"),
        shared("oracles/backtest/random_cases.json"),
        shared("oracles/backtest/reference_cases.json"),
    ) else {
        println!("skipped: no shared folder");
        return;
    };
    let prices = read_prices(&gold).unwrap();
    let (mut cases, mut curves, mut worst) = (0, 0, 0.0_f64);
    for path in [random, reference] {
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let positions: Vec<f64> = numbers(&case["positions"]).into_iter().flatten().collect();
            let settings = Settings {
                initial_capital: case["initial_capital"].as_f64().unwrap(),
                commission: case["commission"].as_f64().unwrap(),
                slippage: case["slippage"].as_f64().unwrap(),
            };
            let found = assess(&prices.close, prices.signal.as_deref(), &positions, &settings).unwrap();
            let metrics = serde_json::to_value(found.metrics).unwrap();
            let expected = case["metrics"].as_object().unwrap();
            assert!(metrics.as_object().unwrap().keys().eq(expected.keys()), "{name}: other keys than the reference");
            for (key, value) in expected {
                assert!(same(metrics[key].as_f64(), value.as_f64()), "{name} {key}: {} against {value}", metrics[key]);
                if let (Some(f), Some(e)) = (metrics[key].as_f64(), value.as_f64()) {
                    worst = worst.max((f - e).abs());
                }
            }
            assert!(same(*found.equity.last().unwrap(), case["final_equity"].as_f64()), "{name} final equity");
            assert!(same(Some(found.final_market_equity), case["final_market_equity"].as_f64()), "{name} market");
            assert_eq!(Some(found.returns_counted as u64), case["returns_counted"].as_u64(), "{name}");
            if case["equity_curve"].is_array() {
                let curve = numbers(&case["equity_curve"]);
                assert_eq!(curve.len(), found.equity.len());
                assert!(curve.iter().zip(&found.equity).all(|(e, f)| same(*f, *e)), "{name}: equity curve");
                curves += 1;
            }
            cases += 1;
        }
    }
    println!("{cases} cases, {curves} equity curves, largest difference of a metric {worst:e}");
    assert_eq!((cases, curves), (50, 15));
}

#[test]
fn three_bars_agree_with_the_rules_worked_out_by_hand() {
    // closes 100, 110, 99, 99: market +10 %, -10 %, 0; positions 1, -1, 0, 0; cost 1 % a unit
    let settings = Settings { initial_capital: 1000.0, commission: 0.006, slippage: 0.004 };
    let signal = [1.0, -1.0, 0.0, 1.0];
    let found = assess(&[100.0, 110.0, 99.0, 99.0], Some(&signal), &[1.0, -1.0, 0.0, 0.0], &settings).unwrap();
    // s = 0.10 - 0.02, 0.10 - 0.01, 0
    let growth = [1.08, 1.08 * 1.09, 1.08 * 1.09];
    for (equity, g) in found.equity.iter().skip(1).zip(growth) {
        assert!(same(*equity, Some(1000.0 * g)));
    }
    let m = found.metrics;
    assert!(same(m.total_return, Some(1.08 * 1.09 - 1.0)));
    assert!(same(m.annual_return, Some((1.08_f64 * 1.09).powf(84.0) - 1.0)));
    let mean = 0.17 / 3.0;
    let sd = (((0.08 - mean) * (0.08 - mean) + (0.09 - mean) * (0.09 - mean) + mean * mean) / 2.0_f64).sqrt();
    assert!(same(m.sharpe_ratio, Some(252_f64.sqrt() * mean / sd)));
    assert_eq!((m.max_drawdown, m.win_rate, m.profit_factor), (Some(0.0), Some(1.0), None));
    // rows with a signal: (buy, long) right, (sell, short) right, (buy, flat) missed
    assert_eq!((m.precision, m.recall, m.f1_score), (Some(1.0), Some(0.5), Some(2.0 / 3.0)));
}

#[test]
fn a_loss_on_the_first_bar_is_no_drawdown_here_and_the_first_entry_is_free() {
    let found = assess(&[100.0, 50.0, 50.0], None, &[1.0, 1.0, 1.0], &Settings::default()).unwrap();
    assert_eq!(found.metrics.max_drawdown, Some(0.0));
    assert_eq!(found.metrics.total_return, Some(-0.5));
    assert_eq!(found.metrics.precision, None);
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

const PRICES: &str = ",datetime,close,Signal,summary\r\n0,2/24/2025 0:00,100,1,\"two\r\nlines, quoted\"\r\n1,2/24/2025 0:10,110,-1,\r\n2,2/24/2025 0:20,99,1,x\r\n";

fn command(prices: &Path, positions: &Path) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_seafin-backtester"))
        .args(["run", "--mode", "assessment", "--commission", "0.001", "--slippage", "0", "--json", "--prices"])
        .arg(prices)
        .arg("--positions")
        .arg(positions)
        .output()
        .unwrap()
}

#[test]
fn the_command_prints_one_json_object_with_the_reference_keys() {
    let folder = tempfile::tempdir().unwrap();
    let prices = write(folder.path(), "prices.csv", PRICES);
    let positions = write(folder.path(), "positions.csv", "\u{feff}position\r\n1\r\n1.0\r\n0\r\n");
    let output = command(&prices, &positions);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        "total_return annual_return sharpe_ratio max_drawdown win_rate profit_factor precision recall f1_score";
    assert_eq!(keys.join(" "), expected);
    assert!(same(object["total_return"].as_f64(), Some(1.1 * (1.0 - 0.1 - 0.001) - 1.0)));
}

#[test]
fn a_bad_cell_names_file_line_value_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let prices = write(folder.path(), "prices.csv", PRICES);
    for (text, expected) in [
        ("position\n1\nNaN\n0\n", "line 3: position is `NaN`; give a finite number"),
        ("position\n1\nlong\n0\n", "line 3: position is `long`"),
        ("position\n1\n0\n", "2 positions for 3 prices; give one position for each price row"),
        ("weight\n1\n0\n0\n", "no column `position`; it has weight"),
    ] {
        let positions = write(folder.path(), "p.csv", text);
        let output = command(&prices, &positions);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains(expected) && error.contains("p.csv"), "{error}");
        assert_eq!(error.trim().lines().count(), 1, "{error}");
    }
    let bad = write(folder.path(), "bad.csv", "close\n100\n-5\n100\n");
    let message = read_prices(&bad).unwrap_err().to_string();
    assert!(message.contains("bad.csv: line 3: close is `-5`; give a price above 0"), "{message}");
    assert!(matches!(read_positions(&folder.path().join("none.csv")), Err(Error::In { .. })));
}
