//! Choices made on all folds but one and judged by that one.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

#[path = "common/random_bars.rs"]
mod random_bars;

use artifacts::rows::{Metric, PeriodReturn};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use backtester::{Config, CrossValidationConfig, Score, Sweep, grid, purged_folds, run_cross_validation};
use random_bars::walk;

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };

fn config() -> CrossValidationConfig {
    CrossValidationConfig {
        first: "5,10".parse().unwrap(),
        second: "20,40".parse().unwrap(),
        folds: 4,
        purge: 20,
        embargo: 10,
        score: Score::TotalReturn,
        ..CrossValidationConfig::default()
    }
}

#[test]
fn every_bar_is_judged_once_by_a_choice_that_did_not_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, out, bars) = (folder.path().join("bars.parquet"), folder.path().join("out"), walk(1000, 0.02, 1));
    write_all(&path, &bars).unwrap();
    let config = config();
    let manifest = run_cross_validation(&config, &path, &out, &OPTIONS).unwrap();
    let rows: Vec<Metric> = read_all(&out.join("folds.parquet")).unwrap();
    assert_eq!(rows.len(), 4 * 5);
    // the slow way: variant by variant and fold by fold
    let variants = grid(config.rule, &config.first, &config.second).unwrap();
    let costs = Config::default();
    let sweep = Sweep::new(&bars, &variants, config.sides, &costs).unwrap();
    for (n, split) in (1..).zip(purged_folds(1000, 4, 20, 10)) {
        let mut kept = vec![1.0; variants.len()];
        for stretch in &split.train {
            for (total, variant) in kept.iter_mut().zip(sweep.variants_within(stretch.clone()).unwrap()) {
                *total *= 1.0 + variant.total_return;
            }
        }
        let most = kept.iter().copied().fold(f64::MIN, f64::max);
        let best = kept.iter().position(|k| *k == most).unwrap();
        let of = |metric: &str| {
            rows.iter()
                .find(|r| r.slice == format!("fold {n}") && r.metric == metric)
                .map(|r| (&r.subject, r.value))
                .unwrap()
        };
        assert_eq!(*of("train_return").0, variants[best].to_string());
        assert!((of("train_return").1.unwrap() - (most - 1.0)).abs() < 1e-12);
        let judged = sweep.variants_within(split.test).unwrap()[best].total_return;
        assert_eq!(of("test_return").1, Some(judged));
    }
    let returns: Vec<PeriodReturn> = read_all(&out.join("returns.parquet")).unwrap();
    let own: Vec<f64> = returns.iter().filter(|r| r.subject == "cross_validation").map(|r| r.value).collect();
    assert_eq!((returns.len(), own.len()), (2 * 999, 999), "one for each bar but the first");
    let joined: f64 = rows.iter().filter(|r| r.metric == "test_return").map(|r| 1.0 + r.value.unwrap()).product();
    let total = stats::trading::total_return(&own).unwrap();
    assert!((joined - 1.0 - total).abs() < 1e-9);
    assert_eq!(manifest.facts["total_return"].as_f64(), Some(total));
    assert!(std::fs::read_to_string(out.join("report.md")).unwrap().contains("No record that anyone could have had"));
}

#[test]
fn too_few_bars_and_folds_without_meaning_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    write_all(&path, &walk(50, 0.02, 1)).unwrap();
    let refused = |change: fn(&mut CrossValidationConfig)| {
        let mut config = config();
        change(&mut config);
        run_cross_validation(&config, &path, &folder.path().join("out"), &OPTIONS).unwrap_err().to_string()
    };
    assert!(refused(|c| c.folds = 1).contains("setting folds is 1; give a number from 2 to 1000"));
    assert!(refused(|c| c.folds = 100).contains("50 bars; 100 folds"));
    assert!(refused(|c| c.purge = 60).contains("set fewer"));
    assert!(refused(|c| c.embargo = usize::MAX).contains("setting embargo"));
}
