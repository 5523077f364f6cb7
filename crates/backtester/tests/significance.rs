//! From a backtest to what it is worth: trials counted once, intervals, tests against benchmarks, overfitting.
#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

mod common;

use artifacts::rows::{Bar, Decision, Metric, Observation, PeriodReturn};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use backtester::trials::{self, register, trial};
use backtester::{Config, SignificanceConfig, SignificanceSources, Sources, run, run_among, significance};
use common::{bars, decisions};
use stats::SplitMix64;
use std::path::{Path, PathBuf};
use std::process::Command;

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };
const QUICK: usize = 300;

fn config() -> SignificanceConfig {
    SignificanceConfig { resamples: QUICK, ..SignificanceConfig::default() }
}

/// A market that goes nowhere, and a strategy that knows this share of its next moves.
fn example(knows: f64, n: u32) -> (Vec<Bar>, Vec<Decision>) {
    let mut random = SplitMix64::new(8);
    let mut chance = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let moves: Vec<f64> = (0..=n).map(|_| (chance() - 0.5) * 0.02).collect();
    let mut price = 100.0;
    let prices: Vec<(f64, f64)> = moves
        .iter()
        .map(|m| {
            let open = price;
            price *= 1.0 + m;
            (open, price)
        })
        .collect();
    let bars = bars(&prices[..n as usize]);
    let positions: Vec<f64> = (0..n as usize)
        .map(|i| {
            let next = moves[i + 1].signum();
            let lucky = chance() < knows;
            if lucky {
                next
            } else if chance() < 0.5 {
                1.0
            } else {
                -1.0
            }
        })
        .collect();
    let decisions = decisions(&bars, &positions, 0);
    (bars, decisions)
}

fn backtest(folder: &Path, bars: &[Bar], decisions: &[Decision]) -> PathBuf {
    let (b, d) = (folder.join("bars.parquet"), folder.join("decisions.parquet"));
    write_all(&b, bars).unwrap();
    write_all(&d, decisions).unwrap();
    let out = folder.join("run/backtest");
    run(
        &Config { commission_bps: 1.0, slippage_bps: 0.0, random_shifts: 20, ..Config::default() },
        &b,
        &d,
        &out,
        &OPTIONS,
    )
    .unwrap();
    out
}

fn of(folder: &Path, metric: &str) -> f64 {
    let rows: Vec<Metric> = read_all(&folder.join("significance.parquet")).unwrap();
    let same = |m: &&Metric| m.subject == "strategy" && m.slice == "all" && m.metric == metric;
    rows.iter().find(same).unwrap_or_else(|| panic!("no {metric}")).value.unwrap()
}

#[test]
fn the_more_variants_were_tried_the_less_the_same_backtest_is_worth() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example(0.12, 600);
    let backtest = backtest(folder.path(), &b, &d);
    let registry = folder.path().join("trials.parquet");
    let own = trials::of_backtest(&backtest, "backtest", "mine").unwrap();
    register(&registry, std::slice::from_ref(&own)).unwrap();
    let sources = SignificanceSources { backtest: &backtest, trials: Some(&registry), variants: None };
    let out = folder.path().join("significance");
    let first = significance(&config(), &sources, &out, &OPTIONS).unwrap();
    assert_eq!(of(&out, "trials"), 1.0);
    // one trial deflates nothing
    assert_eq!(of(&out, "deflated_sharpe"), of(&out, "probabilistic_sharpe"));
    assert_eq!(significance(&config(), &sources, &out, &OPTIONS).unwrap(), first);

    // the same variant again is no trial; other markets are not counted; forty others are
    register(&registry, std::slice::from_ref(&own)).unwrap();
    let other = |i: usize, market: &str| {
        let returns: Vec<f64> =
            (0..600).map(|t| 0.004 * ((t * (i + 3) % 11) as f64 - 5.0) + 0.0004 * i as f64 - 0.008).collect();
        trial(format!("{i}"), market.to_owned(), "sweep", format!("{i}"), &returns)
    };
    let others: Vec<_> = (0..40).map(|i| other(i, &own.market)).chain([other(1, "elsewhere")]).collect();
    register(&registry, &others).unwrap();
    let second = significance(&config(), &sources, &out, &OPTIONS).unwrap();
    assert_ne!(first, second);
    assert_eq!(of(&out, "trials"), 41.0);
    assert!(of(&out, "deflated_sharpe") < of(&out, "probabilistic_sharpe"));
    let returns: Vec<f64> = strategy_returns(&backtest);
    let ratios: Vec<f64> = trials::read(&registry)
        .unwrap()
        .iter()
        .filter(|t| t.market == own.market)
        .filter_map(|t| t.sharpe_per_bar)
        .collect();
    let variance = stats::distribution::std(&ratios, 1).unwrap().powi(2);
    let expected = stats::selection::deflated_sharpe(&returns, 41, variance).unwrap();
    assert!((of(&out, "deflated_sharpe") - expected).abs() < 1e-12);
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("41 variants on these bars (1 by backtest, 40 by sweep)"), "{report}");

    // the same inputs elsewhere: the same bytes
    let again = folder.path().join("again");
    significance(&config(), &sources, &again, &OPTIONS).unwrap();
    for file in ["significance.parquet", "significance.json", "report.html", "report.md", "report.ipynb"] {
        assert_eq!(std::fs::read(out.join(file)).unwrap(), std::fs::read(again.join(file)).unwrap(), "{file}");
    }
}

fn all_metrics(backtest: &Path, metric: &str, slice: &str) -> f64 {
    let rows: Vec<Metric> = read_all(&backtest.join("metrics.parquet")).unwrap();
    let same = |m: &&Metric| m.subject == "strategy" && m.slice == slice && m.metric == metric;
    rows.iter().find(same).unwrap().value.unwrap()
}

fn strategy_returns(backtest: &Path) -> Vec<f64> {
    let rows: Vec<PeriodReturn> = read_all(&backtest.join("returns.parquet")).unwrap();
    rows.iter().filter(|r| r.subject == "strategy").map(|r| r.value).collect()
}

#[test]
fn foresight_is_told_from_luck() {
    let verdict = |knows: f64| {
        let folder = tempfile::tempdir().unwrap();
        let (b, d) = example(knows, 500);
        let backtest = backtest(folder.path(), &b, &d);
        let out = folder.path().join("significance");
        significance(
            &config(),
            &SignificanceSources { backtest: &backtest, trials: None, variants: None },
            &out,
            &OPTIONS,
        )
        .unwrap();
        let report = std::fs::read_to_string(out.join("report.md")).unwrap();
        assert!(report.contains("Nothing is deflated"));
        let hits = all_metrics(&backtest, "hit_rate_low", "all");
        let far = all_metrics(&backtest, "information_coefficient", "horizon 32").abs();
        assert!(far < all_metrics(&backtest, "information_coefficient", "horizon 1").abs().max(0.1), "{far}");
        let figures = ["spa_p_value", "reality_check_p_value", "sharpe_ratio_low"].map(|m| of(&out, m));
        [figures[0], figures[1], figures[2], hits]
    };
    let [spa, check, low, hits] = verdict(0.6);
    assert!(spa < 0.02 && check < 0.02 && low > 0.0 && hits > 0.6, "{spa} {check} {low} {hits}");
    let [spa, check, low, hits] = verdict(0.0);
    assert!(spa > 0.1 && check > 0.1 && low < 0.0 && hits < 0.5, "{spa} {check} {low} {hits}");
}

#[test]
fn a_sweep_of_noise_is_called_overfitted_and_takes_part_in_the_tests() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example(0.0, 400);
    let backtest = backtest(folder.path(), &b, &d);
    let mut random = SplitMix64::new(4);
    let series: Vec<Vec<f64>> =
        (0..12).map(|_| (0..399).map(|_| (random.below(2001) as f64 - 1000.0) * 1e-5).collect()).collect();
    let rows = |series: &[Vec<f64>]| -> Vec<PeriodReturn> {
        let one = |(i, x): (usize, &Vec<f64>)| {
            let row = |(bar, value): (&Bar, &f64)| PeriodReturn {
                subject: format!("variant {i:02}"),
                bar_at: bar.event_at,
                value: *value,
            };
            b[1..].iter().zip(x).map(row).collect::<Vec<_>>()
        };
        series.iter().enumerate().flat_map(one).collect()
    };
    let file = folder.path().join("returns.parquet");
    write_all(&file, &rows(&series)).unwrap();
    let sources = SignificanceSources { backtest: &backtest, trials: None, variants: Some(&file) };
    let out = folder.path().join("significance");
    significance(&SignificanceConfig { blocks: 8, ..config() }, &sources, &out, &OPTIONS).unwrap();
    let expected = stats::selection::overfitting(&series, 8).unwrap();
    assert_eq!(of(&out, "overfitting_probability"), expected.probability);
    assert!(expected.probability > 0.2);
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("13 strategies (this one and the variants of the sweep)"), "{report}");

    // with a registry: the forty trials count as fewer, as far as the variants at hand resemble each other
    let registry = folder.path().join("trials.parquet");
    let own = trials::of_backtest(&backtest, "backtest", "mine").unwrap();
    let other = |i: usize| {
        let returns: Vec<f64> = (0..50).map(|t| 0.001 * ((t * (i + 3) % 11) as f64 - 5.0) + 1e-5 * i as f64).collect();
        trial(format!("{i}"), own.market.clone(), "sweep", format!("{i}"), &returns)
    };
    register(&registry, &(0..39).map(other).chain([own.clone()]).collect::<Vec<_>>()).unwrap();
    let alike: Vec<Vec<f64>> =
        series.iter().map(|x| x.iter().zip(&series[0]).map(|(x, same)| x + 2.0 * same).collect()).collect();
    let mut seen = Vec::new();
    for series in [&series, &alike] {
        write_all(&file, &rows(series)).unwrap();
        let sources = SignificanceSources { trials: Some(&registry), ..sources };
        significance(&SignificanceConfig { blocks: 8, ..config() }, &sources, &out, &OPTIONS).unwrap();
        let r = stats::selection::mean_correlation(series).unwrap();
        assert_eq!((of(&out, "trials"), of(&out, "variants_mean_correlation")), (40.0, r));
        assert_eq!(of(&out, "effective_trials"), stats::selection::effective_trials(40, r));
        assert!(of(&out, "effective_deflated_sharpe") >= of(&out, "deflated_sharpe"));
        seen.push(of(&out, "effective_trials"));
    }
    assert!(seen[0] > 35.0 && seen[1] < 15.0, "{seen:?}");
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("The returns of the 12 variants at hand have a mean correlation of"), "{report}");

    // series of other bars are refused by name
    let mut torn = rows(&series);
    torn.remove(399 + 7);
    write_all(&file, &torn).unwrap();
    let error = significance(&config(), &sources, &folder.path().join("torn"), &OPTIONS).unwrap_err().to_string();
    assert!(error.contains("returns.parquet") && error.contains("`variant 01` has returns of other bars"), "{error}");
}

#[test]
fn what_cannot_be_judged_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example(0.0, 60);
    let backtest = backtest(folder.path(), &b, &d);
    let sources = SignificanceSources { backtest: &backtest, trials: None, variants: None };
    let out = folder.path().join("out");
    for (bad, name) in [
        (SignificanceConfig { resamples: 3, ..config() }, "resamples"),
        (SignificanceConfig { level: 1.0, ..config() }, "level"),
        (SignificanceConfig { blocks: 7, ..config() }, "blocks"),
        (SignificanceConfig { mean_block: Some(0.5), ..config() }, "mean_block"),
    ] {
        let error = significance(&bad, &sources, &out, &OPTIONS).unwrap_err().to_string();
        assert!(error.contains(&format!("setting {name} is")), "{error}");
    }
    significance(&config(), &sources, &out, &OPTIONS).unwrap();
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    assert!(report.contains("does not show skill"), "{report}");
    let nowhere = SignificanceSources { backtest: folder.path(), ..sources };
    let error = significance(&config(), &nowhere, &out, &OPTIONS).unwrap_err().to_string();
    assert!(error.contains("returns.parquet: no such file"), "{error}");
}

#[test]
fn a_strategy_that_never_trades_is_reported_without_figures_that_do_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let (b, mut d) = example(0.0, 80);
    for decision in &mut d {
        decision.position = 0.0;
    }
    let backtest = backtest(folder.path(), &b, &d);
    let out = folder.path().join("out");
    significance(&config(), &SignificanceSources { backtest: &backtest, trials: None, variants: None }, &out, &OPTIONS)
        .unwrap();
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(report.contains("nothing to judge") && !report.contains("NaN"));
}

#[test]
fn the_signal_column_is_a_benchmark_from_when_it_could_be_known_and_so_is_the_placebo() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example(0.2, 50);
    let path = |name: &str| folder.path().join(name);
    write_all(&path("bars.parquet"), &b).unwrap();
    write_all(&path("decisions.parquet"), &d).unwrap();
    let mut shuffled = d.clone();
    let n = shuffled.len();
    for i in 0..n {
        shuffled[i].position = d[(i + 17) % n].position;
    }
    write_all(&path("placebo.parquet"), &shuffled).unwrap();
    let signal = |i: usize, value: f64, late: i64| Observation {
        symbol: "BTC".into(),
        name: "Signal".into(),
        event_at: b[i].event_at,
        available_at: b[i].available_at.plus_seconds(late),
        value,
    };
    // long from bar 10 on; the advice of bar 20 becomes known one second after bar 29 has closed
    let observations = [signal(10, 5.0, 0), signal(20, -1.0, 9 * 600 + 1)];
    write_all(&path("observations.parquet"), &observations).unwrap();
    let (bars, decisions) = (path("bars.parquet"), path("decisions.parquet"));
    let (observations, placebo) = (path("observations.parquet"), path("placebo.parquet"));
    let sources =
        Sources { bars: &bars, decisions: &decisions, observations: Some(&observations), placebo: Some(&placebo) };
    let out = path("run/out");
    let free = Config { commission_bps: 0.0, slippage_bps: 0.0, random_shifts: 5, ..Config::default() };
    let manifest = run_among(&free, &sources, &out, &OPTIONS).unwrap();
    assert_eq!(manifest.inputs.len(), 4);
    let rows: Vec<PeriodReturn> = read_all(&out.join("returns.parquet")).unwrap();
    let of = |subject: &str| -> Vec<f64> { rows.iter().filter(|r| r.subject == subject).map(|r| r.value).collect() };
    let signal = of("signal");
    // return i belongs to bar i + 1
    assert!(signal[..10].iter().all(|r| *r == 0.0), "flat before the first advice");
    for i in 11..30 {
        assert!((signal[i - 1] - (b[i].close / b[i].open.unwrap() - 1.0)).abs() < 1e-12, "long in bar {i}");
    }
    for i in 32..50 {
        assert!(signal[i - 1].signum() != (b[i].close / b[i].open.unwrap() - 1.0).signum(), "short in bar {i}");
    }
    assert_eq!(of("shuffled_text").len(), 49);
    assert_ne!(of("shuffled_text"), of("strategy"));
    let report = std::fs::read_to_string(out.join("report.md")).unwrap();
    for section in [
        "## Over time",
        "## Drawdowns",
        "## Returns of bars",
        "## Trades",
        "## Skill or luck",
        "Shuffled text:",
        "Signal:",
        "Sharpe ratio, per year",
    ] {
        assert!(report.contains(section), "{section}");
    }
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    for figure in [
        "Returns by hour",
        "Position",
        "Returns of bars after costs",
        "BTC: trades on the price",
        "copies with spells in random order",
    ] {
        assert!(html.contains(figure), "{figure}");
    }
}

#[test]
fn a_portfolio_has_a_tear_sheet_and_a_verdict_too() {
    let folder = tempfile::tempdir().unwrap();
    let (mut b, mut d) = example(0.3, 200);
    let (mut other, mut decided) = example(0.3, 180);
    for (bar, decision) in other.iter_mut().zip(&mut decided) {
        bar.symbol = "ETH".into();
        decision.symbol = "ETH".into();
    }
    b.extend(other);
    d.extend(decided);
    for decision in &mut d {
        decision.position *= 0.5;
    }
    let path = |name: &str| folder.path().join(name);
    write_all(&path("bars.parquet"), &b).unwrap();
    write_all(&path("decisions.parquet"), &d).unwrap();
    let out = path("run/backtest");
    let config = Config { portfolio: true, random_shifts: 5, ..Config::default() };
    run(&config, &path("bars.parquet"), &path("decisions.parquet"), &out, &OPTIONS).unwrap();
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    for figure in ["Net and gross position", "BTC: trades on the price", "ETH: trades on the price"] {
        assert!(html.contains(figure), "{figure}");
    }
    let trial = trials::of_backtest(&out, "backtest", "both").unwrap();
    assert!(trial.market.starts_with("BTC+ETH "), "{}", trial.market);
    let registry = path("trials.parquet");
    register(&registry, &[trial]).unwrap();
    let sources = SignificanceSources { backtest: &out, trials: Some(&registry), variants: None };
    significance(&self::config(), &sources, &path("significance"), &OPTIONS).unwrap();
    assert_eq!(of(&path("significance"), "trials"), 1.0);
}

#[test]
fn the_command_counts_a_variant_once_and_tells_what_it_is_worth() {
    let folder = tempfile::tempdir().unwrap();
    let (b, d) = example(0.3, 300);
    write_all(&folder.path().join("bars.parquet"), &b).unwrap();
    write_all(&folder.path().join("decisions.parquet"), &d).unwrap();
    let command = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_seafin-backtester"))
            .current_dir(folder.path())
            .arg("--quiet")
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let run = |out: &str, cost: &str| {
        let files = ["--bars", "bars.parquet", "--decisions", "decisions.parquet", "--out", out];
        command(
            &[&["run", "--commission", cost, "--trials", "trials.parquet", "--set", "random_shifts=5"][..], &files]
                .concat(),
        )
    };
    assert!(run("a/backtest", "0.0001").contains("trials: a new trial, 1 in trials.parquet"));
    assert!(run("b/backtest", "0.0001").contains("trials: known already, 1 in trials.parquet"));
    assert!(run("c/backtest", "0.0002").contains("trials: a new trial, 2 in trials.parquet"));
    let text = command(&[
        "significance",
        "--backtest",
        "a/backtest",
        "--trials",
        "trials.parquet",
        "--out",
        "a/significance",
        "--set",
        "resamples=200",
    ]);
    assert!(text.contains("trials                           2.0000") && text.contains("deflated_sharpe"), "{text}");
}
