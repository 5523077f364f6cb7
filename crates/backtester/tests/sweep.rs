//! A variant's figures over columns are the event engine's; what a sweep writes; walks forward.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

#[path = "common/random_bars.rs"]
mod random_bars;

use artifacts::rows::{Bar, PeriodReturn, SweepRow};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use backtester::{
    Config, FillRule, Parameters, Rule, Sides, Simulation, Sweep, SweepConfig, Variant, grid, measure, rule_decisions,
    run_sweep, simulate,
};
use proptest::prelude::*;
use random_bars::walk;
use stats::trading::PeriodsPerYear;

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    }
}

fn engine(bars: &[Bar], p: Parameters, sides: Sides, config: &Config) -> Simulation {
    simulate(bars, &rule_decisions(bars, p, sides).unwrap(), config).unwrap()
}

fn assert_same(v: &Variant, s: &Simulation, bars: usize) {
    let figures = measure(s, PeriodsPerYear::new(1.0).unwrap());
    let of = |name: &str| figures.iter().find(|(n, _)| *n == name).unwrap().1;
    let name = v.parameters;
    assert!(near(v.total_return, of("total_return").unwrap()), "{name}: {v:?} {figures:?}");
    assert!(same(v.sharpe_per_bar, of("sharpe_ratio")), "{name}: {v:?} {figures:?}");
    assert!(same(v.deviation, of("volatility")), "{name}: {v:?} {figures:?}");
    assert!(near(v.max_drawdown, of("max_drawdown").unwrap()), "{name}: {v:?} {figures:?}");
    assert_eq!(v.trades as f64, of("trades").unwrap(), "{name}");
    assert!(same(v.win_rate, of("win_rate_trades")), "{name}");
    assert!(same(v.profit_factor, of("profit_factor_trades")), "{name}");
    assert!(near(v.exposure, of("exposure").unwrap()), "{name} {bars}");
    assert!(near(v.cost, of("total_cost").unwrap()), "{name}");
    assert!(near(v.final_equity, s.final_equity()), "{name}");
}

fn choices(rule: Rule) -> Vec<Parameters> {
    let (first, second) = match rule {
        Rule::SmaCross | Rule::EmaCross => ("2..20:6", "5..60:11"),
        Rule::RsiBand => ("3,14", "10,30,45"),
        Rule::Bollinger => ("5,20", "0.5,1,2"),
        Rule::Momentum => ("1,10,50", "0,1.5"),
    };
    grid(rule, &first.parse().unwrap(), &second.parse().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn each_variant_has_the_figures_of_the_event_engine(
        seed in 0..10_000_u64, n in 2..900_usize, rough in 0.001..0.2, rule in 0..5_usize, short: bool, closes: bool,
        late in prop_oneof![Just(0.0), Just(1.0), Just(9000.0)], lot in prop_oneof![Just(0.0), Just(1.0)],
        end: bool, cap in 0.3..=1.0,
    ) {
        let bars = walk(n, rough, seed);
        let sides = if short { Sides::LongShort } else { Sides::LongFlat };
        let config = Config {
            half_spread_bps: 3.0,
            latency_seconds: late,
            lot_size: lot,
            position_cap: cap,
            liquidate_at_end: end,
            fill_at: if closes { FillRule::NextClose } else { FillRule::NextOpen },
            ..Config::default()
        };
        let grid = choices(Rule::ALL[rule]);
        let sweep = Sweep::new(&bars, &grid, sides, &config).unwrap();
        prop_assert!(sweep.is_fast());
        let returns = sweep.returns().unwrap();
        for (v, returns) in sweep.variants().unwrap().iter().zip(&returns) {
            let s = engine(&bars, v.parameters, sides, &config);
            assert_same(v, &s, n);
            let expected = s.returns();
            prop_assert_eq!(expected.len(), returns.len());
            prop_assert!(expected.iter().zip(returns).all(|(a, b)| near(*a, *b)));
        }
    }

    #[test]
    fn a_part_of_the_bars_begins_where_the_rule_already_was(
        seed in 0..10_000_u64, rough in 0.005..0.05, rule in 0..5_usize, short: bool, from in 1..300_usize, len in 2..300_usize,
    ) {
        let bars = walk(600, rough, seed);
        let sides = if short { Sides::LongShort } else { Sides::LongFlat };
        let config = Config::default();
        let grid = choices(Rule::ALL[rule]);
        let fast = Sweep::new(&bars, &grid, sides, &config).unwrap();
        // a commission of at least nothing leaves all figures alone but needs the event engine
        let slow_config = Config { min_order: 1e-300, ..Config::default() };
        let slow = Sweep::new(&bars, &grid, sides, &slow_config).unwrap();
        prop_assert!(fast.is_fast() && !slow.is_fast());
        let (a, b) = (fast.variants_within(from..from + len).unwrap(), slow.variants_within(from..from + len).unwrap());
        for (a, b) in a.iter().zip(&b) {
            prop_assert!(near(a.total_return, b.total_return), "{a:?} {b:?}");
            prop_assert!(same(a.sharpe_per_bar, b.sharpe_per_bar), "{a:?} {b:?}");
            prop_assert_eq!(a.trades, b.trades);
        }
    }

    #[test]
    fn later_bars_change_nothing_before(seed in 0..10_000_u64, rule in 0..5_usize, cut in 50..350_usize) {
        let bars = walk(400, 0.03, seed);
        let mut other = bars.clone();
        for bar in &mut other[cut..] {
            bar.close *= 1.5;
            bar.high = None;
            bar.low = None;
        }
        let (config, grid) = (Config::default(), choices(Rule::ALL[rule]));
        let one = Sweep::new(&bars, &grid, Sides::LongShort, &config).unwrap().variants_within(10..cut).unwrap();
        let two = Sweep::new(&other, &grid, Sides::LongShort, &config).unwrap().variants_within(10..cut).unwrap();
        prop_assert_eq!(one, two);
    }
}

#[test]
fn a_variant_that_is_ruined_is_given_to_the_event_engine() {
    // a short that is held while the price soars loses all and more
    let mut bars = walk(300, 0.02, 5);
    for (i, bar) in (1..).zip(bars.iter_mut().skip(150)) {
        let up = 1.2_f64.powi(i);
        bar.open = bar.open.map(|o| o * up);
        bar.close *= up;
        (bar.high, bar.low) = (None, None);
    }
    let grid = [Parameters { rule: Rule::RsiBand, first: 5.0, second: 45.0 }];
    let config = Config::default();
    let sweep = Sweep::new(&bars, &grid, Sides::LongShort, &config).unwrap();
    let s = engine(&bars, grid[0], Sides::LongShort, &config);
    assert!(s.ruined_at.is_some(), "the example is meant to be ruined");
    assert_same(&sweep.variants().unwrap()[0], &s, bars.len());
}

#[test]
fn a_sweep_writes_its_grid_its_returns_and_a_report_and_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let (path, project) = (folder.path().join("bars.parquet"), folder.path().join("runs"));
    let bars = walk(500, 0.02, 1);
    write_all(&path, &bars).unwrap();
    let config = SweepConfig {
        first: "5,10".parse().unwrap(),
        second: "10..30:10".parse().unwrap(),
        returns: true,
        ..SweepConfig::default()
    };
    let out = project.join("one/sweep");
    run_sweep(&config, &path, &out, &OPTIONS).unwrap();
    let rows: Vec<SweepRow> = read_all(&out.join("sweep.parquet")).unwrap();
    assert_eq!(
        rows.iter().map(|r| r.parameters.as_str()).collect::<Vec<_>>()[..2],
        ["fast=5 slow=10", "fast=5 slow=20"]
    );
    assert_eq!(rows.len(), 5);
    let returns: Vec<PeriodReturn> = read_all(&out.join("returns.parquet")).unwrap();
    assert_eq!(returns.len(), 5 * 499);
    assert!(std::fs::read_to_string(out.join("report.md")).unwrap().contains("best of 5 variants"));
    let registry = project.join("trials.parquet");
    assert_eq!(backtester::trials::read(&registry).unwrap().len(), 5);
    let again = project.join("two/sweep");
    run_sweep(&config, &path, &again, &OPTIONS).unwrap();
    assert_eq!(backtester::trials::read(&registry).unwrap().len(), 5);
    for file in ["sweep.parquet", "returns.parquet", "heat_map.svg", "report.html"] {
        assert!(std::fs::read(out.join(file)).unwrap() == std::fs::read(again.join(file)).unwrap(), "{file}");
    }
}
