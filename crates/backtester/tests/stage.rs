//! The stage and its command: files, skipping, equal bytes, errors.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use artifacts::rows::{Bar, Decision, EquityPoint, Fill, Metric};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use backtester::{Config, Missing, run};
use common::{bars, decisions};
use std::path::{Path, PathBuf};
use std::process::Command;

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };

fn example() -> (Vec<Bar>, Vec<Decision>) {
    let price = |i: i32| 100.0 + 10.0 * (f64::from(i) / 7.0).sin() + f64::from(i) * 0.05;
    let prices: Vec<(f64, f64)> = (0..300).map(|i| (price(i), price(i + 1))).collect();
    let positions: Vec<f64> = (0..300).map(|i| (f64::from(i + 5) / 7.0).cos().clamp(-0.9, 1.0)).collect();
    let bars = bars(&prices);
    let decisions = decisions(&bars, &positions, 0);
    (bars, decisions)
}

fn files(folder: &Path, bars: &[Bar], decisions: &[Decision]) -> (PathBuf, PathBuf) {
    let paths = (folder.join("bars.parquet"), folder.join("decisions.parquet"));
    write_all(&paths.0, bars).unwrap();
    write_all(&paths.1, decisions).unwrap();
    paths
}

#[test]
fn it_writes_everything_skips_what_is_unchanged_and_repeats_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example();
    let (bars, decisions) = files(folder.path(), &b, &d);
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let config = Config::default();
    let manifest = run(&config, &bars, &decisions, &one, &OPTIONS).unwrap();
    assert_eq!(manifest, run(&config, &bars, &decisions, &one, &OPTIONS).unwrap());
    run(&config, &bars, &decisions, &two, &OPTIONS).unwrap();
    let rows = ["equity.parquet", "fills.parquet", "metrics.parquet"];
    for file in rows.into_iter().chain(["metrics.json", "equity.svg", "report.html", "report.md", "report.ipynb"]) {
        let bytes = std::fs::read(one.join(file)).unwrap();
        assert!(!bytes.is_empty() && bytes == std::fs::read(two.join(file)).unwrap(), "{file}");
        assert!(manifest.output(file).is_some(), "{file}");
    }
    assert_eq!(read_all::<EquityPoint>(&one.join("equity.parquet")).unwrap().len(), 300);
    assert!(!read_all::<Fill>(&one.join("fills.parquet")).unwrap().is_empty());
    let metrics: Vec<Metric> = read_all(&one.join("metrics.parquet")).unwrap();
    let of = |subject: &str, metric: &str| {
        metrics.iter().find(|m| m.subject == subject && m.metric == metric).and_then(|m| m.value).unwrap()
    };
    for subject in ["strategy", "buy_and_hold", "momentum", "random_median"] {
        assert!(of(subject, "total_return").is_finite(), "{subject}");
    }
    // positions that follow the slope of the wave beat their own shifted copies
    assert!(of("strategy", "percentile_among_random") > 0.9);
    assert!(of("strategy", "total_return") > of("random_median", "total_return"));
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(one.join("metrics.json")).unwrap()).unwrap();
    assert_eq!(json["strategy"]["total_return"].as_f64(), Some(of("strategy", "total_return")));
    assert_eq!(json["fill"], "next_open");
    let fill_words = std::fs::read_to_string(one.join("report.md")).unwrap();
    assert!(fill_words.contains("the open of the next bar"), "the report says where decisions fill");
}

#[test]
fn look_ahead_is_named_loudly() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example();
    let (bars, decisions) = files(folder.path(), &b, &d);
    let out = folder.path().join("out");
    let config = Config { allow_lookahead_same_bar_fill: true, random_shifts: 5, ..Config::default() };
    run(&config, &bars, &decisions, &out, &OPTIONS).unwrap();
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("LOOK-AHEAD"));
    assert!(std::fs::read_to_string(out.join("metrics.json")).unwrap().contains("\"lookahead\": true"));
}

fn message(bars: &[Bar], decisions: &[Decision], config: &Config) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = files(folder.path(), bars, decisions);
    run(config, &b, &d, &folder.path().join("out"), &OPTIONS).unwrap_err().to_string()
}

#[test]
fn inputs_that_do_not_belong_together_are_named_with_the_remedy() {
    let (b, d) = example();
    let config = Config::default();

    let mut holes = d.clone();
    holes.remove(7);
    holes.remove(100);
    let text = message(&b, &holes, &config);
    assert!(
        text.contains(
            "decisions.parquet: no decision on the bar of 2025-02-24T01:10:00Z (bar 7 of 300; 2 bars have none)"
        ),
        "{text}"
    );
    assert!(text.contains("missing_decisions = \"hold\""), "{text}");

    let mut other = d.clone();
    for decision in &mut other {
        decision.symbol = "ETH".into();
    }
    let text = message(&b, &other, &config);
    assert!(text.contains("bars.parquet: no bars of `ETH`; it has bars of BTC"), "{text}");

    let text = message(&b[..50], &d, &config);
    assert!(
        text.contains("decisions.parquet: row 50: a decision on 2025-02-24T08:20:00Z, and no bar begins then"),
        "{text}"
    );

    let mut both = d.clone();
    both.extend(other);
    let text = message(&b, &both, &config);
    assert!(text.contains("decisions are about BTC, ETH; set `symbol`"), "{text}");

    let wanted = Config { symbol: Some("SOL".into()), ..config };
    assert!(message(&b, &d, &wanted).contains("no decision on `SOL`; decisions are about BTC"));
}

#[test]
fn holes_may_be_held_over_and_one_of_several_symbols_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let (b, mut d) = example();
    d.remove(7);
    let mut foreign = d.clone();
    for decision in &mut foreign {
        decision.symbol = "ETH".into();
    }
    d.extend(foreign);
    let (bars, decisions) = files(folder.path(), &b, &d);
    let config =
        Config { missing_decisions: Missing::Hold, symbol: Some("BTC".into()), random_shifts: 3, ..Config::default() };
    let manifest = run(&config, &bars, &decisions, &folder.path().join("out"), &OPTIONS).unwrap();
    assert_eq!(manifest.rows_in, 299);
}

#[test]
fn the_command_prints_the_metrics_and_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example();
    let (bars, decisions) = files(folder.path(), &b, &d);
    let command = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seafin-backtester"));
        command.args(["run", "--commission", "0.0005"]).args(more).output().unwrap()
    };
    let output = command(&["--print-config"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("commission_bps = 5.0") && text.contains("allow_lookahead_same_bar_fill = false"), "{text}");
    let (bars, decisions, out) = (bars.to_str().unwrap(), decisions.to_str().unwrap(), folder.path().join("out"));
    let out = out.to_str().unwrap();
    let output = command(&["--bars", bars, "--decisions", decisions, "--out", out, "--json", "--quiet"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["commission_bps"].as_f64(), Some(5.0));
    assert!(object["strategy"]["sharpe_ratio"].is_number());
    let output = command(&["--bars", bars]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("--mode honest needs --decisions"));
}

#[test]
fn a_registry_that_is_none_is_found_out_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example();
    let (bars, decisions) = files(folder.path(), &b, &d);
    let out = folder.path().join("out");
    let command = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_seafin-backtester")).args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let [bars, decisions, out_text] = [&bars, &decisions, &out].map(|p| p.to_str().unwrap());
    let run = ["run", "--quiet", "--bars", bars, "--decisions", decisions, "--out", out_text, "--trials"];
    for (registry, words) in [(folder.path().to_str().unwrap(), "a folder"), (bars, "expected `trial`")] {
        let (code, said) = command(&[&run[..], &[registry]].concat());
        assert!(code == Some(1) && said.lines().count() == 1 && said.contains(words), "{said}");
        assert!(!out.exists(), "{said}");
    }
    let registry = folder.path().join("trials.parquet");
    let registry = registry.to_str().unwrap();
    let judged = folder.path().join("judged");
    let judge = ["significance", "--quiet", "--backtest", out_text, "--out", judged.to_str().unwrap(), "--trials"];
    let (code, said) = command(&[&judge[..], &[registry]].concat());
    assert!(code == Some(1) && said.contains("no such registry") && !judged.exists(), "{said}");
    assert_eq!(command(&[&run[..], &[registry]].concat()).0, Some(0));
    assert_eq!(command(&[&judge[..], &[registry]].concat()).0, Some(0));
}

#[test]
fn more_shifted_copies_than_memory_holds_are_refused() {
    let config = Config { random_shifts: usize::MAX, ..Config::default() };
    let message = config.check().unwrap_err().to_string();
    assert!(message.contains("random_shifts") && message.contains("at most 100000"), "{message}");
}

#[test]
fn every_number_of_the_settings_has_a_range() {
    let optional = Config { volume_cap: Some(0.5), periods_per_year: Some(252.0), ..Config::default() };
    let whole = serde_json::to_value(optional).unwrap();
    let mut tried = 0;
    for (name, value) in whole.as_object().unwrap().iter().filter(|(_, value)| value.is_number()) {
        let large = if value.is_u64() { serde_json::json!(u64::MAX) } else { serde_json::json!(1e300) };
        for bad in [Some(large), (!value.is_u64()).then(|| serde_json::json!(-1e300))].into_iter().flatten() {
            let mut settings = whole.clone();
            settings[name] = bad;
            let config: Config = serde_json::from_value(settings).unwrap();
            let message = config.check().expect_err(name).to_string();
            assert!(
                message.contains(&format!("setting {name} is")) && message.contains("; give a number"),
                "{message}"
            );
        }
        tried += 1;
    }
    assert!(tried > 15, "{tried}");
}

#[test]
fn next_vwap_is_the_old_name_of_what_it_was() {
    let named = |name: &str| serde_json::from_value::<backtester::FillRule>(serde_json::json!(name)).unwrap();
    assert_eq!(named("next_vwap"), named("next_typical"));
    assert_eq!(serde_json::to_value(named("next_vwap")).unwrap(), "next_typical");
}
