//! What someone waits for who back-tests: a sweep over a grid of parameters, and the event engine over one rule.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use artifacts::Seed;
use artifacts::read_all;
use artifacts::rows::Bar;
use backtester::{
    Config, Parameters, Range, Rule, Sides, Sweep, generate_bars, grid, measure, periods_per_year, rule_decisions,
    simulate,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const BARS: u64 = 30_000;

fn bars() -> Vec<Bar> {
    let folder = std::env::temp_dir().join(format!("seafin-bench-bars-{}", std::process::id()));
    generate_bars(BARS, 0.0, Seed(42), &folder).unwrap();
    let bars = read_all(&folder.join("bars-00000.parquet")).unwrap();
    std::fs::remove_dir_all(&folder).ok();
    bars
}

fn backtest(c: &mut Criterion) {
    let (bars, config) = (bars(), Config::default());
    let choices = grid(Rule::SmaCross, &Range::steps(5, 50, 5), &Range::steps(20, 200, 10)).unwrap();
    let mut group = c.benchmark_group("backtest");
    group.sample_size(10);
    group.throughput(Throughput::Elements(BARS * choices.len() as u64));
    group.bench_function(format!("sweep_{}_variants", choices.len()), |b| {
        b.iter(|| Sweep::new(&bars, &choices, Sides::LongFlat, &config).unwrap().variants().unwrap());
    });
    group.throughput(Throughput::Elements(BARS));
    let rule = Parameters { rule: Rule::SmaCross, first: 10.0, second: 50.0 };
    group.bench_function("event_engine_with_figures", |b| {
        b.iter(|| {
            let decisions = rule_decisions(&bars, rule, Sides::LongFlat).unwrap();
            measure(&simulate(&bars, &decisions, &config).unwrap(), periods_per_year(&bars, &config).unwrap())
        });
    });
    group.finish();
}

criterion_group!(benches, backtest);
criterion_main!(benches);
