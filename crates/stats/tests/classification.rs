//! The classification figures against scikit-learn, statsmodels and scipy: `goldens/make_classification.py` made the numbers.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;
use stats::classification::*;

/// Both sides sum the same terms in another order.
const TOLERANCE: f64 = 1e-12;

fn golden() -> Value {
    serde_json::from_str(include_str!("../goldens/classification.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn classes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

#[track_caller]
fn agrees(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= TOLERANCE, "{what}: {found}, expected {expected}");
}

#[test]
fn every_figure_of_random_predictions_agrees_with_scikit_learn() {
    let golden = golden();
    let cases = golden["figures"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let k = case["classes"].as_u64().unwrap() as usize;
        let truth = classes(&case["truth"]);
        let answers = case["answer"].as_array().unwrap().iter().map(|a| a.as_u64().map(|a| a as usize));
        let confusion = Confusion::of_pairs((0..k).map(|k| k.to_string()), truth.iter().copied().zip(answers)).unwrap();
        let expect = |name: &str, found: f64| agrees(found, case[name].as_f64().unwrap(), name);
        expect("accuracy", accuracy(&confusion).unwrap());
        expect("balanced_accuracy", balanced_accuracy(&confusion).unwrap());
        expect("macro_f1", macro_f1(&confusion).unwrap());
        expect("weighted_f1", weighted_f1(&confusion).unwrap());
        expect("matthews", matthews(&confusion).unwrap());
        for class in 0..k {
            let scores = class_scores(&confusion, class);
            for (name, found) in [("precision", scores.precision), ("recall", scores.recall), ("f1", scores.f1)] {
                agrees(found.unwrap_or(0.0), numbers(&case[name])[class], name);
            }
        }
        let wilson = wilson_interval(confusion.hits(), confusion.total(), 0.95).unwrap();
        agrees(wilson.0, numbers(&case["wilson_95"])[0], "wilson");
        agrees(wilson.1, numbers(&case["wilson_95"])[1], "wilson");

        let probabilities: Vec<Vec<f64>> = case["probabilities_of_1024"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| numbers(row).into_iter().map(|n| n / 1024.0).collect())
            .collect();
        expect("brier", brier_score(&probabilities, &truth).unwrap().unwrap());
        let sure: Vec<(f64, bool)> = probabilities
            .iter()
            .zip(&truth)
            .map(|(p, &truth)| {
                let top = p.iter().copied().fold(0.0, f64::max);
                (top, p.iter().position(|v| *v >= top) == Some(truth))
            })
            .collect();
        expect("ece_10", calibration_error(&sure, 10).unwrap().unwrap());
        expect("ece_15", calibration_error(&sure, 15).unwrap().unwrap());

        let scores: Vec<Vec<f64>> = case["scores"].as_array().unwrap().iter().map(numbers).collect();
        let (found, expected) =
            (fit_temperature(&scores, &truth).unwrap().unwrap(), case["temperature"].as_f64().unwrap());
        // A root is found to about the square root of what the slope's sum is exact to, on either side.
        assert!((found / expected - 1.0).abs() < 1e-9, "temperature {found}, expected {expected}");
    }
}

#[test]
fn mcnemar_agrees_with_statsmodels() {
    let golden = golden();
    for case in golden["mcnemar"].as_array().unwrap() {
        let case = numbers(case);
        let found = mcnemar_exact(case[0] as u64, case[1] as u64);
        assert!((found / case[2] - 1.0).abs() < 1e-11, "{case:?}: {found}");
    }
}

#[test]
fn bootstrap_intervals_agree_with_scipy_on_the_same_resamples() {
    let golden = golden();
    let cases = golden["pairs"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (truth, first, second) = (classes(&case["truth"]), classes(&case["first"]), classes(&case["second"]));
        let f1 = |rows: &[usize], of: &[usize]| {
            let pairs = rows.iter().map(|&r| (truth[r], Some(of[r])));
            macro_f1(&Confusion::of_pairs(["a", "b", "c"], pairs).unwrap())
        };
        let settings = Bootstrap {
            resamples: case["resamples"].as_u64().unwrap() as usize,
            level: 0.95,
            seed: case["seed"].as_u64().unwrap(),
        };
        let gain = |rows: &[usize]| Some(f1(rows, &second)? - f1(rows, &first)?);
        let found = paired_bootstrap(truth.len(), &settings, gain).unwrap();
        let expected = numbers(&case["difference"]);
        for (found, expected) in [found.estimate, found.low, found.high].into_iter().zip(expected) {
            agrees(found, expected, "difference");
        }
        let [found] = bootstrap(truth.len(), &settings, |rows| [f1(rows, &second)]).unwrap();
        let found = found.unwrap();
        for (found, expected) in
            [found.estimate, found.low, found.high].into_iter().zip(numbers(&case["macro_f1_of_second"]))
        {
            agrees(found, expected, "macro-F1");
        }
        let right = |of: &[usize], row: usize| of[row] == truth[row];
        let only = |a: &[usize], b: &[usize]| (0..truth.len()).filter(|&r| right(a, r) && !right(b, r)).count() as u64;
        let (only_first, only_second) = (only(&first, &second), only(&second, &first));
        assert_eq!(
            (only_first, only_second),
            (case["only_first"].as_u64().unwrap(), case["only_second"].as_u64().unwrap())
        );
        agrees(mcnemar_exact(only_first, only_second), case["mcnemar_p"].as_f64().unwrap(), "p");
    }
}
