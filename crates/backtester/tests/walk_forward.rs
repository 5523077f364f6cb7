//! Choices made on past bars and judged by the next.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

#[path = "common/random_bars.rs"]
mod random_bars;

use artifacts::rows::{PeriodReturn, WalkForwardRow};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use backtester::{
    Config, Parameters, Rule, Score, Sides, Split, Sweep, WalkForwardConfig, grid, purged_folds, run_walk_forward,
    walk_forward_splits,
};
use random_bars::walk;

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };

fn choices() -> Vec<Parameters> {
    grid(Rule::Momentum, &"1,5,20,60".parse().unwrap(), &"0,1,3".parse().unwrap()).unwrap()
}

#[test]
fn the_choice_is_the_best_on_its_training_bars_and_knows_nothing_later() {
    let (bars, grid, config) = (walk(900, 0.02, 11), choices(), Config::default());
    let splits = walk_forward_splits(bars.len(), 300, 100, 10, false);
    let sweep = Sweep::new(&bars, &grid, Sides::LongShort, &config).unwrap();
    let found = sweep.choose(&splits, Score::TotalReturn).unwrap();
    assert_eq!(found.len(), splits.len());
    for (choice, split) in found.iter().zip(&splits) {
        let train = sweep.variants_within(split.train[0].clone()).unwrap();
        let most = train.iter().map(|v| v.total_return).fold(f64::MIN, f64::max);
        assert_eq!(train[choice.variant].total_return, most);
        assert_eq!(choice.train_return, most);
        let test = sweep.variants_within(split.test.clone()).unwrap();
        assert_eq!(choice.test, test[choice.variant]);
        let better = test.iter().filter(|v| v.total_return > choice.test.total_return).count();
        assert_eq!(choice.test_rank, better as f64 / grid.len() as f64);
    }
    // whatever comes after a window's training bars does not change its choice
    for (w, split) in splits.iter().enumerate() {
        let mut other = bars.clone();
        for (i, bar) in other.iter_mut().enumerate().skip(split.train[0].end) {
            bar.close *= 1.0 + 0.3 * ((i * 37 % 11) as f64 - 5.0) / 5.0;
            (bar.high, bar.low) = (None, None);
        }
        let sweep = Sweep::new(&other, &grid, Sides::LongShort, &config).unwrap();
        let again = &sweep.choose(&splits, Score::TotalReturn).unwrap()[w];
        assert_eq!((again.variant, again.train_return), (found[w].variant, found[w].train_return));
    }
}

#[test]
fn scores_of_two_stretches_are_those_of_their_returns_put_together() {
    let (bars, config) = (walk(600, 0.02, 3), Config::default());
    let grid = [Parameters { rule: Rule::Momentum, first: 5.0, second: 0.0 }];
    let sweep = Sweep::new(&bars, &grid, Sides::LongShort, &config).unwrap();
    let split = Split { train: vec![1..200, 300..600], test: 200..300 };
    let folds = purged_folds(600, 3, 0, 0);
    assert_eq!(folds[1], Split { train: vec![0..200, 400..600], test: 200..400 });
    let choice = &sweep.choose(std::slice::from_ref(&split), Score::Sharpe).unwrap()[0];
    let mut returns = sweep.returns_within(&grid[0], 1..200).unwrap();
    returns.extend(sweep.returns_within(&grid[0], 300..600).unwrap());
    assert_eq!(returns.len(), 499);
    let mean = stats::distribution::mean(&returns).unwrap();
    let expected = mean / stats::distribution::std(&returns, 1).unwrap();
    assert!((choice.train_score.unwrap() - expected).abs() < 1e-9, "{:?} {expected}", choice.train_score);
    let total = stats::trading::total_return(&returns).unwrap();
    assert!((choice.train_return - total).abs() < 1e-9);
}

#[test]
fn the_stage_writes_choices_and_joined_returns_and_says_when_bars_are_too_few() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    write_all(&path, &walk(1000, 0.02, 1)).unwrap();
    let config = WalkForwardConfig {
        first: "5,10".parse().unwrap(),
        second: "20,40".parse().unwrap(),
        train: 300,
        test: 200,
        purge: 20,
        ..WalkForwardConfig::default()
    };
    let out = folder.path().join("out");
    let manifest = run_walk_forward(&config, &path, &out, &OPTIONS).unwrap();
    let rows: Vec<WalkForwardRow> = read_all(&out.join("walk_forward.parquet")).unwrap();
    assert_eq!(rows.len(), 4);
    let returns: Vec<PeriodReturn> = read_all(&out.join("returns.parquet")).unwrap();
    assert_eq!(returns.len(), 2 * 680);
    let own: Vec<f64> = returns.iter().filter(|r| r.subject == "walk_forward").map(|r| r.value).collect();
    let joined: f64 = rows.iter().map(|r| 1.0 + r.test_return).product();
    let total = stats::trading::total_return(&own).unwrap();
    assert!((joined - 1.0 - total).abs() < 1e-9);
    assert_eq!(manifest.facts["total_return"].as_f64(), Some(total));
    let market: f64 = rows.iter().map(|r| 1.0 + r.market_return).product();
    assert!((market - 1.0 - manifest.facts["market_return"].as_f64().unwrap()).abs() < 1e-9);

    let long = WalkForwardConfig { train: 990, ..config };
    let error = run_walk_forward(&long, &path, &out, &OPTIONS).unwrap_err().to_string();
    assert!(error.contains("bars.parquet: 1000 bars; one window needs 1012"), "{error}");
}
