#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use artifacts::Seed;
use artifacts::rows::{Language, Outcome, Prediction, Sentiment};
use evaluator::{Config, Figures, Way, compare};

fn prediction(i: usize, predicted: Option<Sentiment>, scored: Sentiment) -> Prediction {
    Prediction {
        example_id: i.to_string(),
        model: "m".into(),
        language: Language::English,
        label: Sentiment::ALL[i % 3],
        response: String::new(),
        outcome: if predicted.is_some() { Outcome::Parsed } else { Outcome::Unparseable },
        predicted,
        scored,
        p_negative: 1.0,
        p_neutral: 0.0,
        p_positive: 0.0,
    }
}

/// Right on every row whose number is below `right`; the others cannot be read.
fn model(rows: usize, right: usize) -> Vec<Prediction> {
    (0..rows).map(|i| prediction(i, (i < right).then_some(Sentiment::ALL[i % 3]), Sentiment::Negative)).collect()
}

#[test]
fn unparseable_answers_stay_in_every_denominator() {
    let half = model(30, 15);
    let rows: Vec<&Prediction> = half.iter().collect();
    let figures = Figures::of(&rows, Way::Generated, 0.95).unwrap();
    assert_eq!(figures.accuracy, Some(0.5));
    // Precision 1, recall ½ for each class: F1 2/3.
    assert!((figures.macro_f1.unwrap() - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(figures.confusion.total(), 30);
    // The scored way reads the label scores, which this model always gives to negative.
    assert_eq!(Figures::of(&rows, Way::Scored, 0.95).unwrap().accuracy, Some(1.0 / 3.0));
}

#[test]
fn a_clear_gain_has_an_interval_above_zero_and_equal_models_have_none() {
    let (weak, strong) = (model(90, 30), model(90, 80));
    let (weak, strong): (Vec<_>, Vec<_>) = (weak.iter().collect(), strong.iter().collect());
    let config = Config::default();
    let found = compare(&weak, &strong, Way::Generated, &config, Seed(1)).unwrap();
    assert_eq!((found.only_base, found.only_tuned), (0, 50));
    assert!(found.macro_f1.low > 0.2 && found.macro_f1.high < 0.7, "{found:?}");
    assert!(found.p_value < 1e-9);
    let same = compare(&weak, &weak, Way::Generated, &config, Seed(1)).unwrap();
    assert!((same.macro_f1.low.abs(), same.macro_f1.high.abs(), same.p_value) == (0.0, 0.0, 1.0), "{same:?}");
    assert!(compare(&weak, &strong[..3], Way::Generated, &config, Seed(1)).is_err());
}

#[test]
fn the_majority_is_the_most_frequent_label_of_the_rows() {
    let rows = model(4, 0);
    let rows: Vec<&Prediction> = rows.iter().collect();
    let majority = Figures::majority(&rows, 0.95).unwrap();
    assert_eq!((majority.accuracy, majority.confusion.answered(0)), (Some(0.5), 4));
}
