#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::Seed;
use artifacts::rows::Sentiment;
use evaluator::{Calibration, Config, Figures, Track, Way, compare};

fn truth(rows: usize) -> Vec<Sentiment> {
    (0..rows).map(|i| Sentiment::ALL[i % 3]).collect()
}

/// Right on every row whose number is below `right`; the others cannot be read.
fn written(rows: usize, right: usize) -> Track {
    let answers = truth(rows).into_iter().enumerate().map(|(i, label)| (i < right).then_some(label)).collect();
    Track { subject: "m", way: Way::Generated, answers, scores: None }
}

fn all(rows: usize) -> Vec<usize> {
    (0..rows).collect()
}

#[test]
fn unparseable_answers_stay_in_every_denominator() {
    let figures = Figures::of(&written(30, 15), &truth(30), &all(30), &Config::default(), Seed(1)).unwrap();
    assert_eq!(figures.accuracy.map(|a| a.estimate), Some(0.5));
    assert_eq!(figures.balanced_accuracy.map(|a| a.estimate), Some(0.5));
    // Precision 1, recall ½ for each class: F1 2/3.
    assert!((figures.macro_f1.unwrap().estimate - 2.0 / 3.0).abs() < 1e-12);
    assert!((figures.weighted_f1.unwrap().estimate - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!((figures.confusion.total(), figures.confusion.unparseable_total()), (30, 15));
    let f1 = figures.macro_f1.unwrap();
    assert!(f1.low > 0.4 && f1.low < f1.estimate && f1.estimate < f1.high && f1.high < 0.9, "{f1:?}");
}

#[test]
fn figures_of_a_slice_are_those_of_its_rows_alone() {
    let (track, truth) = (written(30, 15), truth(30));
    let right: Vec<usize> = (0..15).collect();
    let figures = Figures::of(&track, &truth, &right, &Config::default(), Seed(1)).unwrap();
    assert_eq!((figures.confusion.total(), figures.macro_f1.unwrap().low), (15, 1.0));
}

#[test]
fn a_clear_gain_has_an_interval_above_zero_and_equal_models_have_none() {
    let (weak, strong, truth, config) = (written(90, 30), written(90, 80), truth(90), Config::default());
    let found = compare((&weak, &strong), &truth, &all(90), &config, Seed(1)).unwrap();
    assert_eq!((found.only_first, found.only_second), (0, 50));
    assert!(found.macro_f1.low > 0.2 && found.macro_f1.high < 0.7, "{found:?}");
    assert!((found.accuracy.estimate - 50.0 / 90.0).abs() < 1e-12);
    assert!(found.p_value < 1e-9);
    let same = compare((&weak, &weak), &truth, &all(90), &config, Seed(1)).unwrap();
    assert!((same.macro_f1.low.abs(), same.macro_f1.high.abs(), same.p_value) == (0.0, 0.0, 1.0), "{same:?}");
    assert!(compare((&weak, &written(3, 1)), &truth, &all(90), &config, Seed(1)).is_err());
}

#[test]
fn too_sure_scores_become_as_sure_as_they_are_right_and_no_answer_changes() {
    // Log-odds of 6 for one label, right in two of three rows.
    let (rows, truth) = (600, truth(600));
    let scores = (0..rows).map(|i| {
        let named = if i % 9 < 6 { i % 3 } else { (i + 1) % 3 };
        std::array::from_fn(|k| if k == named { 6.0 } else { 0.0 })
    });
    let track = Track::of_scores("m", Way::Scored, scores.collect());
    let found = Calibration::of(&track, &truth, None, &Config::default(), Seed(3)).unwrap().unwrap();
    assert!(!found.held_out && found.temperatures.len() == 10);
    // 2/3 against 1/6 each: log-odds of ln 4.
    assert!(found.temperatures.iter().all(|t| (t - 6.0 / 4_f64.ln()).abs() < 0.5), "{:?}", found.temperatures);
    let (before, after) = (found.before.error.unwrap(), found.after.error.unwrap());
    assert!(before > 0.3 && after < 0.03, "{before} {after}");
    assert!(found.after.brier.unwrap() < found.before.brier.unwrap());
    let likeliest = |p: &[f64; 3]| (0..3).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap();
    let same = found.probabilities.iter().zip(&track.answers).all(|(p, a)| a.unwrap() as usize == likeliest(p));
    assert!(same);
    // With held-out rows there is one temperature, and what is judged has no part in it.
    let held_out = [[3.0, 0.0, 0.0], [3.0, 0.0, 0.0]];
    let labels = [Sentiment::Negative, Sentiment::Positive];
    let found =
        Calibration::of(&track, &truth, Some((&held_out, &labels)), &Config::default(), Seed(3)).unwrap().unwrap();
    assert!(found.held_out && found.temperatures.len() == 1);
    assert!(Calibration::of(&written(9, 3), &truth[..9], None, &Config::default(), Seed(1)).unwrap().is_none());
}
