//! The figures of selection against arch, skfolio, vectorbt and scipy: `goldens/make_selection.py` made the values.
#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp, clippy::cast_possible_wrap, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;
use stats::SplitMix64;
use stats::distribution::{mean, quantile, std};
use stats::selection::*;
use stats::trading::{PeriodsPerYear, drawdowns, rolling_sharpe, sharpe};

fn golden() -> Value {
    serde_json::from_str(include_str!("../goldens/selection.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn counts(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn close(found: f64, expected: f64, relative: f64, what: &str) {
    let off = (found - expected).abs() / expected.abs().max(1e-6);
    assert!(off <= relative, "{what}: {found} against {expected}");
}

fn of(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

#[test]
fn block_lengths_are_those_of_arch() {
    for (name, case) in golden()["series"].as_object().unwrap() {
        let found = block_length(&numbers(&case["x"])).unwrap();
        close(found.stationary, of(case, "stationary"), 1e-9, name);
        close(found.circular, of(case, "circular"), 1e-9, name);
    }
}

#[test]
fn deflated_sharpe_ratios_are_those_of_vectorbt_and_track_records_those_of_the_formula() {
    for (name, case) in golden()["series"].as_object().unwrap() {
        let x = numbers(&case["x"]);
        for row in case["deflated"].as_array().unwrap().iter().map(numbers) {
            let [trials, variance, best, deflated] = row[..] else { panic!() };
            close(expected_maximum_sharpe(trials as usize, variance).unwrap(), best, 1e-11, name);
            close(deflated_sharpe(&x, trials as usize, variance).unwrap(), deflated, 1e-9, name);
        }
        for row in case["track_record"].as_array().unwrap().iter().map(numbers) {
            let [benchmark, confidence, length] = row[..] else { panic!() };
            close(minimum_track_record(&x, benchmark, confidence).unwrap(), length, 1e-10, name);
        }
    }
}

#[test]
fn a_track_record_of_the_minimum_length_has_the_confidence() {
    let x: Vec<f64> = (0..60).map(|i| 0.002 + 0.01 * f64::from(i * 37 % 60 - 30) / 30.0).collect();
    let confidence = stats::trading::probabilistic_sharpe(&x, 0.0).unwrap();
    close(minimum_track_record(&x, 0.0, confidence).unwrap(), 60.0, 1e-9, "its own length");
    assert_eq!(expected_maximum_sharpe(1, 0.3), Some(0.0));
    assert_eq!(expected_maximum_sharpe(0, 0.3), None);
    assert_eq!(expected_maximum_sharpe(5, -0.1), None);
}

#[test]
fn the_stationary_bootstrap_is_that_of_arch_in_distribution() {
    let golden = golden();
    let (expected, x) = (&golden["bootstrap"], numbers(&golden["series"]["persistent"]["x"]));
    let (bootstrap, mut random) = (StationaryBootstrap::new(x.len(), of(expected, "mean_block")), SplitMix64::new(5));
    let mut rows = vec![0; x.len()];
    let (mut drawn, mut goes_on) = (Vec::new(), 0_usize);
    for _ in 0..20_000 {
        bootstrap.fill(&mut random, &mut rows);
        goes_on += rows.windows(2).filter(|w| w[1] == (w[0] + 1) % x.len()).count();
        let taken: Vec<f64> = rows.iter().map(|r| x[*r]).collect();
        drawn.push(mean(&taken).unwrap() / std(&taken, 1).unwrap());
    }
    let spread = of(expected, "std");
    // each of two samples of 20,000 has a standard error of spread/141 in its mean and less than 4 times that in its tails
    let within = |found: f64, expected: f64, what: &str| {
        assert!((found - expected).abs() < 0.06 * spread, "{what}: {found} against {expected}");
    };
    within(mean(&drawn).unwrap(), of(expected, "mean"), "mean");
    close(std(&drawn, 0).unwrap(), spread, 0.03, "standard deviation");
    for row in matrix(&expected["quantiles"]) {
        within(quantile(&drawn, row[0]).unwrap(), row[1], "quantile");
    }
    close(goes_on as f64 / (20_000.0 * (x.len() - 1) as f64), of(expected, "goes_on"), 1e-3, "steps that go on");
}

#[test]
fn an_interval_is_the_quantiles_of_its_resamples() {
    let golden = golden();
    let (expected, x) = (&golden["bootstrap"], numbers(&golden["series"]["persistent"]["x"]));
    let settings = Resampling { resamples: 20_000, level: 0.95, seed: 9, mean_block: of(expected, "mean_block") };
    let figure = |rows: &[usize]| {
        let taken: Vec<f64> = rows.iter().map(|r| x[*r]).collect();
        Some(mean(&taken)? / std(&taken, 1)?)
    };
    let found = stationary_interval(x.len(), &settings, figure).unwrap();
    let quantiles = matrix(&expected["quantiles"]);
    let spread = of(expected, "std");
    assert!(
        (found.low - quantiles[0][1]).abs() < 0.06 * spread && (found.high - quantiles[4][1]).abs() < 0.06 * spread
    );
    close(found.standard_error, spread, 0.03, "standard error");
    // dependence matters: independent rows would claim to know it better
    let naive = stationary_interval(x.len(), &Resampling { mean_block: 1.0, ..settings }, figure).unwrap();
    assert!(naive.high - naive.low < 0.7 * (found.high - found.low), "{naive:?} {found:?}");
}

#[test]
fn the_difference_of_two_strategies_cancels_their_market() {
    let mut random = SplitMix64::new(3);
    let mut noise = |scale: f64| (random.below(2001) as f64 - 1000.0) / 1000.0 * scale;
    let market: Vec<f64> = (0..400).map(|_| noise(0.05)).collect();
    let first: Vec<f64> = market.iter().map(|m| m + noise(0.001)).collect();
    let second: Vec<f64> = first.iter().map(|x| x + 0.0005 + noise(0.001)).collect();
    let settings = Resampling { resamples: 2_000, level: 0.95, seed: 1, mean_block: 1.0 };
    let better = paired_difference(&first, &second, None, &settings, mean).unwrap();
    assert!(better.low > 0.0 && better.p_value < 0.01 && better.share_not_above_zero < 0.01, "{better:?}");
    let same = paired_difference(&first, &first, Some(4.0), &settings, mean).unwrap();
    assert_eq!((same.estimate, same.low, same.high, same.p_value, same.mean_block), (0.0, 0.0, 0.0, 1.0, 4.0));
    assert!(matches!(
        paired_difference(&first, &second[1..], None, &settings, mean),
        Err(stats::Error::LengthMismatch { left: 400, right: 399 })
    ));
}

#[test]
fn p_values_against_a_benchmark_are_those_of_arch_and_of_hansen_on_the_same_resamples() {
    for case in golden()["superior"].as_array().unwrap() {
        let advantages = matrix(&case["advantages"]);
        let draws: Vec<Vec<usize>> = case["draws"].as_array().unwrap().iter().map(counts).collect();
        let reps = draws.len() as f64;
        let relevant: Vec<bool> = case["relevant"].as_array().unwrap().iter().map(|r| r.as_bool().unwrap()).collect();
        for studentised in [false, true] {
            let found =
                superior_given(&advantages, of(case, "mean_block"), draws.iter().cloned(), studentised).unwrap();
            let (statistic, expected) = if studentised {
                ("studentised_statistic", numbers(&case["studentised"]))
            } else {
                ("plain_statistic", numbers(&case["arch"]).iter().map(|p| p * reps).collect())
            };
            close(found.statistic, of(case, statistic), 1e-9, statistic);
            assert_eq!(found.relevant, relevant);
            for (p, count) in [found.p.lower, found.p.consistent, found.p.upper].into_iter().zip(expected) {
                close(p, (1.0 + count) / (1.0 + reps), 1e-9, statistic);
            }
        }
    }
}

#[test]
fn a_test_of_many_lets_no_skill_through_more_often_than_it_says() {
    let (mut random, mut rejected) = (SplitMix64::new(11), 0);
    let mut noise = |n: usize| (0..n).map(|_| (0..6).map(|_| random.below(1000) as f64 - 499.5).sum()).collect();
    for seed in 0..200 {
        let luck: Vec<Vec<f64>> = (0..10).map(|_| noise(120)).collect();
        rejected += usize::from(superior(&luck, 2.0, 199, seed, true).unwrap().p.consistent <= 0.05);
    }
    // 10 of 200 expected, standard deviation 3
    assert!((1..=22).contains(&rejected), "{rejected} of 200 at 5 %");
    let edge: Vec<f64> = noise(120).iter().map(|x: &f64| x + 500.0).collect();
    let found = superior(&[noise(120), edge, vec![0.0; 120]], 2.0, 499, 1, true).unwrap();
    assert!(found.p.consistent < 0.01 && found.best == 1 && !found.relevant[2], "{found:?}");
    assert!(superior(&[vec![0.0; 120]], 2.0, 10, 1, true).is_err());
    assert!(superior(&[], 2.0, 10, 1, true).is_err());
}

#[test]
fn overfitting_is_that_of_the_paper() {
    for case in golden()["overfitting"].as_array().unwrap() {
        let found = overfitting(&matrix(&case["variants"]), case["blocks"].as_u64().unwrap() as usize).unwrap();
        assert_eq!(found.chosen, counts(&case["chosen"]));
        for (a, b) in found.logits.iter().zip(numbers(&case["logits"])) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        close(found.probability, of(case, "probability"), 1e-12, "probability");
        close(found.loss_probability, of(case, "loss"), 1e-12, "loss");
        close(found.slope.unwrap(), of(case, "slope"), 1e-9, "slope");
        close(found.chosen_in.unwrap(), of(case, "chosen_in"), 1e-9, "in");
        close(found.chosen_out.unwrap(), of(case, "chosen_out"), 1e-9, "out");
    }
}

#[test]
fn overfitting_refuses_what_it_cannot_judge() {
    let one = vec![0.1; 32];
    assert!(overfitting(std::slice::from_ref(&one), 4).unwrap_err().to_string().contains("number of variants is 1"));
    assert!(overfitting(&[one.clone(), one.clone()], 5).unwrap_err().to_string().contains("even"));
    assert!(overfitting(&[one.clone(), one.clone()], 18).unwrap_err().to_string().contains("number of returns is 32"));
    assert!(overfitting(&[one.clone(), one[1..].to_vec()], 4).is_err());
    let mut bad = one.clone();
    bad[3] = f64::NAN;
    assert!(overfitting(&[one, bad], 4).is_err());
}

/// Row i is decided at i, and its outcome is known `purge` rows later.
fn spans(n: usize, purge: usize) -> Vec<Span> {
    (0..n as i64).map(|i| Span { from: i, to: i + purge as i64 }).collect()
}

#[test]
fn purged_combinatorial_splits_are_those_of_skfolio() {
    let mut compared = 0;
    for case in golden()["combinatorial"].as_array().unwrap() {
        let get = |key: &str| case[key].as_u64().unwrap() as usize;
        let spans = spans(get("n"), get("purge"));
        let found = combinatorial_purged(&spans, get("folds"), get("tests"), get("embargo") as i64).unwrap();
        let expected = case["splits"].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (split, expected) in found.iter().zip(expected) {
            assert_eq!(split.train, counts(&expected[0]));
            let tests: Vec<Vec<usize>> = expected[1].as_array().unwrap().iter().map(counts).collect();
            assert_eq!(split.tests.iter().map(|(_, t)| t.clone()).collect::<Vec<_>>(), tests);
            compared += 1;
        }
        let paths: Vec<Vec<usize>> = case["paths"].as_array().unwrap().iter().map(counts).collect();
        assert_eq!(combinatorial_paths(get("folds"), get("tests")), paths);
    }
    assert!(compared > 40);
}

#[test]
fn walk_forward_windows_are_those_of_skfolio() {
    for case in golden()["walk_forward"].as_array().unwrap() {
        let get = |key: &str| case[key].as_u64().unwrap() as usize;
        let found =
            walk_forward(get("n"), get("train"), get("test"), get("purge"), case["expand"].as_bool().unwrap()).unwrap();
        let expected: Vec<Vec<usize>> = case["splits"].as_array().unwrap().iter().map(counts).collect();
        let found: Vec<Vec<usize>> =
            found.iter().map(|w| vec![w.train.start, w.train.end, w.test.start, w.test.end]).collect();
        assert_eq!(found, expected);
    }
    assert!(walk_forward(10, 8, 3, 0, false).is_err());
    assert!(walk_forward(10, 0, 3, 0, false).is_err());
}

#[test]
fn rank_correlations_and_wilson_intervals_are_those_of_scipy() {
    let golden = golden();
    for case in golden["spearman"].as_array().unwrap() {
        let found = information_coefficient(&numbers(&case["a"]), &numbers(&case["b"])).unwrap();
        close(found.coefficient.unwrap(), of(case, "rho"), 1e-11, "rho");
        close(found.t.unwrap(), of(case, "t"), 1e-10, "t");
    }
    for row in matrix(&golden["wilson"]) {
        let signal = vec![1.0; row[1] as usize];
        let outcome: Vec<f64> = (0..signal.len()).map(|i| if (i as f64) < row[0] { 0.1 } else { -0.1 }).collect();
        let (low, high) = hit_rate(&signal, &outcome, 0.95).unwrap().interval.unwrap();
        close(low, row[2], 1e-9, "low");
        close(high, row[3], 1e-9, "high");
    }
    assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    close(spearman(&[0.0, -0.0, 1.0], &[-0.0, 0.0, 1.0]).unwrap(), 1.0, 1e-12, "zeros are equal");
    assert!(information_coefficient(&[1.0], &[]).is_err());
    assert_eq!(hit_rate(&[0.0], &[1.0], 0.95).unwrap().rate, None);
}

#[test]
fn information_fades_over_horizons_and_overlap_is_not_counted_twice() {
    let mut random = SplitMix64::new(2);
    let signal: Vec<f64> = (0..2000).map(|_| random.below(2001) as f64 / 1000.0 - 1.0).collect();
    // the signal tells the next return only
    let returns: Vec<f64> =
        signal.iter().map(|s| 0.005 * s + (random.below(2001) as f64 / 1000.0 - 1.0) * 0.01).collect();
    let found = information_decay(&signal, &returns, &[1, 4, 16]).unwrap();
    let ic: Vec<f64> = found.iter().map(|f| f.coefficient.unwrap()).collect();
    assert!(ic[0] > 0.4 && ic[0] > ic[1] && ic[1] > ic[2] && ic[2] > 0.0, "{ic:?}");
    assert_eq!(found[2].pairs, 1985);
    let free = 1985.0_f64 / 16.0 - 2.0;
    close(found[2].t.unwrap(), ic[2] * (free / (1.0 - ic[2] * ic[2])).sqrt(), 1e-12, "t");
    assert!(information_decay(&signal, &returns, &[0]).is_err());
    assert_eq!(information_decay(&[0.1], &[0.2], &[3]).unwrap()[0].pairs, 0);
}

#[test]
fn drawdowns_and_rolling_sharpe_ratios_are_those_of_pandas() {
    let golden = golden();
    let x = numbers(&golden["series"]["reverting"]["x"]);
    let found = drawdowns(&x, 10).unwrap();
    let expected = golden["drawdowns"]["worst"].as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    for (d, e) in found.iter().zip(expected) {
        let place = |i: usize| e[i].as_u64().map(|v| v as usize);
        assert_eq!((Some(d.begins), Some(d.lowest), d.recovered), (place(0), place(1), place(2)), "{d:?} {e}");
        close(d.depth, e[3].as_f64().unwrap(), 1e-10, "depth");
    }
    let year = PeriodsPerYear::new(1.0).unwrap();
    let rolling = rolling_sharpe(&x, 30, year);
    for (found, expected) in rolling.iter().zip(golden["rolling_sharpe"]["per_period"].as_array().unwrap()) {
        match (found, expected.as_f64()) {
            (Some(f), Some(e)) => assert!((f - e).abs() < 1e-9, "{f} {e}"),
            (f, e) => assert_eq!((*f, e), (None, None)),
        }
    }
}

proptest! {
    #[test]
    fn rows_that_are_learnt_from_share_no_time_with_those_judged(
        lengths in prop::collection::vec((0_i64..3, 0_i64..6), 6..60), folds in 2_usize..6, embargo in 0_i64..4,
    ) {
        let mut from = 0;
        let spans: Vec<Span> = lengths.iter().map(|(step, length)| { from += step; Span { from, to: from + length } }).collect();
        let splits = purged_folds(&spans, folds, embargo).unwrap();
        let mut judged: Vec<usize> = splits.iter().flat_map(|s| s.test.clone()).collect();
        judged.sort_unstable();
        prop_assert_eq!(judged, (0..spans.len()).collect::<Vec<_>>());
        for split in splits {
            for train in &split.train {
                for test in &split.test {
                    let (a, b) = (spans[*train], spans[*test]);
                    prop_assert!(a.to < b.from || a.from > b.to + embargo, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn every_judgement_belongs_to_one_history(folds in 2_usize..9, tests in 1_usize..8) {
        prop_assume!(tests < folds);
        let paths = combinatorial_paths(folds, tests);
        let splits = combinatorial_purged(&spans(folds * 3, 0), folds, tests, 0).unwrap();
        prop_assert_eq!(paths.len() * folds, splits.len() * tests);
        for (fold, path) in paths.iter().flat_map(|p| p.iter().enumerate()) {
            prop_assert!(splits[*path].tests.iter().any(|(f, _)| *f == fold));
        }
    }

    #[test]
    fn a_rolling_sharpe_ratio_is_the_sharpe_ratio_of_its_window(
        x in prop::collection::vec(prop_oneof![-0.1_f64..0.1, Just(0.0)], 0..60), window in 2_usize..12,
    ) {
        let n = PeriodsPerYear::CALENDAR_DAYS;
        for (at, found) in rolling_sharpe(&x, window, n).into_iter().enumerate() {
            let expected = (at + 1 >= window).then(|| sharpe(&x[at + 1 - window..=at], 0.0, n)).flatten();
            match (found, expected) {
                (Some(f), Some(e)) => prop_assert!((f - e).abs() < 1e-5 * e.abs().max(1.0), "{f} {e}"),
                (f, e) => prop_assert!(f.is_none() == e.is_none(), "{f:?} {e:?} at {at} of {x:?}"),
            }
        }
    }

    #[test]
    fn the_expected_maximum_grows_with_the_trials(trials in 1_usize..100_000, variance in 0.0_f64..1.0) {
        let (a, b) = (expected_maximum_sharpe(trials, variance).unwrap(), expected_maximum_sharpe(trials + 1, variance).unwrap());
        prop_assert!(a <= b + 1e-12 && a >= 0.0);
    }
}

/// Pair by pair.
fn mean_correlation_by_pairs(series: &[Vec<f64>]) -> f64 {
    let correlation = |a: &[f64], b: &[f64]| {
        let (ma, mb) = (mean(a).unwrap(), mean(b).unwrap());
        let product =
            |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 { x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum() };
        product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
    };
    let mut found = Vec::new();
    for i in 0..series.len() {
        for j in 0..i {
            found.push(correlation(&series[i], &series[j]));
        }
    }
    mean(&found).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_mean_correlation_is_that_of_all_pairs(
        rows in (2_usize..8, 3_usize..30)
            .prop_flat_map(|(n, t)| proptest::collection::vec(proptest::collection::vec(-1.0..1.0_f64, t), n)),
    ) {
        let found = mean_correlation(&rows).unwrap();
        prop_assert!((found - mean_correlation_by_pairs(&rows)).abs() < 1e-9);
        let effective = effective_trials(rows.len(), found);
        prop_assert!((1.0..=rows.len() as f64).contains(&effective));
    }
}

#[test]
fn copies_of_one_trial_are_one_and_trials_that_share_nothing_are_all() {
    let x = vec![0.01, -0.02, 0.03, 0.0];
    let copies = vec![x.clone(); 50];
    assert!((effective_trials(50, mean_correlation(&copies).unwrap()) - 1.0).abs() < 1e-9);
    let apart = [[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, -1.0, 1.0]];
    assert_eq!(effective_trials(3, mean_correlation(&apart).unwrap()), 3.0);
    assert_eq!(mean_correlation(std::slice::from_ref(&x)), None);
    assert_eq!(mean_correlation(&[x.clone(), vec![1.0]]), None);
    assert_eq!(mean_correlation(&[x.clone(), vec![f64::NAN; 4]]), None);
    assert!(mean_correlation(&[x, vec![0.5; 4]]).unwrap().abs() < 1e-12, "what does not vary resembles nothing");
}
