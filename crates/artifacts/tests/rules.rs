//! Every rule of every row type refuses what breaks it, on writing and on reading; a type with rules and no test here fails.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod common;
mod draw;

use artifacts::rows::*;
use artifacts::{Error, Row, Timestamp, write_all};
use draw::Draw;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;
const EARLY: Timestamp = Timestamp::from_micros(-1);
const ZERO: Timestamp = Timestamp::from_micros(0);

/// A change that breaks one rule, and words of the message that says so.
type Broken<R> = (&'static str, fn(&mut R));

fn says(error: &Error, words: &str) {
    let message = error.to_string();
    assert!(!message.contains(char::is_control), "more than one line: {message}");
    assert!(message.contains(words), "`{words}` is not in: {message}");
}

/// Neither our writer nor our reader lets the rows pass, and nothing is left of the attempt.
fn refused<R: Row + Clone>(rows: &[R], words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    says(&write_all(&path, rows).unwrap_err(), words);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something was left");
    common::write_raw(&path, &common::batch(rows));
    let Err(error) = common::read::<R>(&path) else { panic!("`{words}` was read") };
    says(&error, words);
    assert!(error.to_string().contains("row "), "{error}");
}

fn breaks<R: Row + Draw + Clone + Debug>(changes: &[Broken<R>]) {
    for (words, change) in changes {
        for seed in 0..5 {
            let good: R = draw::one(seed);
            good.valid().unwrap();
            let mut bad = good.clone();
            change(&mut bad);
            assert!(bad.valid().is_err(), "`{words}` passes: {bad:?}");
            refused(&[bad], words);
        }
    }
}

/// Rows that must rise: of two, the later one first is refused, and so is a row after itself.
fn rises<R: Row + Draw + Clone + Debug>() {
    let rows = (0..100).map(|seed| draw::many::<R>(seed, 6)).find(|rows| rows.len() > 1).unwrap();
    let (first, second) = (&rows[0], &rows[1]);
    assert!(second.follows(first).is_ok());
    for pair in [[second.clone(), first.clone()], [first.clone(), first.clone()]] {
        refused(&pair, "sort the rows and remove duplicates");
    }
}

macro_rules! rules {
    ($($test:ident: $row:ident $([$($change:expr),+ $(,)?])? $(, $rises:ident)?;)+) => {
        $(#[test]
        fn $test() {
            $(breaks::<$row>(&[$($change),+]);)?
            $($rises::<$row>();)?
        })+
        const TESTED: &[&str] = &[$(stringify!($row)),+];
    };
}

rules! {
    an_answer_has_log_probabilities_tokens_and_an_outcome_that_fits: Answer [
        ("log_negative", |r| r.log_negative = 0.5),
        ("log_neutral", |r| r.log_neutral = NAN),
        ("log_positive", |r| r.log_positive = -INF),
        ("prior_negative", |r| r.prior_negative = INF),
        ("prior_neutral", |r| r.prior_neutral = NAN),
        ("prior_positive", |r| r.prior_positive = 1.0),
        ("no tokens", |r| r.tokens_neutral = 0),
        ("outcome", |r| r.predicted = if r.predicted.is_some() { None } else { Some(Sentiment::Neutral) }),
    ];
    a_bar_has_prices_in_a_range_and_is_known_after_it_began: Bar [
        ("close is NaN", |r| r.close = NAN),
        ("close is 0", |r| r.close = 0.0),
        ("open is -1", |r| r.open = Some(-1.0)),
        ("high is inf", |r| r.high = Some(INF)),
        ("low is 0", |r| r.low = Some(0.0)),
        ("leave the range", |r| (r.low, r.high) = (Some(r.close * 2.0), Some(r.close * 3.0))),
        ("volume", |r| r.volume = Some(-1.0)),
        ("volume", |r| r.volume = Some(INF)),
        ("earlier than event_at", |r| (r.event_at, r.available_at) = (ZERO, EARLY)),
    ], rises;
    the_figures_of_a_candidate_are_shares: Candidate [
        ("classifier_probability", |r| r.classifier_probability = Some(1.1)),
        ("model_probability", |r| r.model_probability = Some(-0.1)),
        ("vote_share", |r| r.vote_share = Some(2.0)),
        ("label_quality", |r| r.label_quality = Some(-1.0)),
    ];
    what_calls_cost_is_an_amount: Cost [
        ("money", |r| r.money = -0.01), ("money", |r| r.money = NAN), ("money", |r| r.money = INF),
    ];
    a_decision_is_a_position_made_after_its_bar_began: Decision [
        ("position", |r| r.position = 1.01),
        ("position", |r| r.position = NAN),
        ("sentiment", |r| r.sentiment = Some(-1.5)),
        ("technical", |r| r.technical = Some(1.01)),
        ("confidence", |r| r.confidence = Some(-0.1)),
        ("confidence", |r| r.confidence = Some(NAN)),
        ("decided at", |r| (r.bar_at, r.decided_at) = (ZERO, EARLY)),
    ], rises;
    an_example_has_a_text: Example [("empty", |r| r.text.clear()), ("empty", |r| r.text = " \u{2003}\n".into())];
    a_fact_is_known_after_it_happened: Fact [
        ("earlier than event_at", |r| (r.event_at, r.available_at) = (ZERO, EARLY)),
    ];
    a_fill_has_a_price: Fill [
        ("price is 0", |r| r.price = 0.0), ("price is -1", |r| r.price = -1.0),
    ];
    a_formatted_row_has_a_prompt_and_an_answer: Formatted [
        ("supervision flags", |r| r.supervised.push(true)),
        ("leaves no answer", |r| r.prompt_tokens = 0),
        ("leaves no answer", |r| r.prompt_tokens = r.ids.len() as u32),
        ("no token is supervised", |r| r.supervised.fill(false)),
    ];
    a_formatted_task_has_a_prompt_and_an_answer: FormattedTask [
        ("supervision flags", |r| r.supervised.push(true)),
        ("leaves no answer", |r| r.prompt_tokens = 0),
        ("leaves no answer", |r| r.prompt_tokens = r.ids.len() as u32),
        ("no token is supervised", |r| r.supervised.fill(false)),
    ];
    a_generation_has_scores_in_their_range: Generation [
        ("token_f1", |r| r.token_f1 = 1.5), ("rouge_l", |r| r.rouge_l = NAN),
        ("entity_f1", |r| r.entity_f1 = Some(-0.1)), ("judged", |r| r.judged = Some(NAN)),
    ];
    the_score_of_a_label_is_a_probability: LabelScore [
        ("self_confidence", |r| r.self_confidence = 1.1), ("self_confidence", |r| r.self_confidence = -0.1),
    ];
    a_resemblance_is_a_share: Nearest [("jaccard", |r| r.jaccard = 1.1), ("jaccard", |r| r.jaccard = NAN)];
    news_is_known_after_it_happened: News [
        ("earlier than event_at", |r| (r.event_at, r.available_at) = (ZERO, EARLY)),
    ], rises;
    an_observation_is_known_after_it_was_measured: Observation [
        ("earlier than event_at", |r| (r.event_at, r.available_at) = (ZERO, EARLY)),
    ], rises;
    an_opinion_lies_in_its_range_and_cites_once_a_claim: Opinion [
        ("score", |r| r.score = -1.5), ("score", |r| r.score = NAN), ("confidence", |r| r.confidence = 2.0),
        ("citations", |r| r.cited.push("F1".into())),
    ];
    returns_rise: PeriodReturn, rises;
    points_of_a_portfolio_rise: PortfolioPoint, rises;
    a_prediction_has_probabilities_and_an_outcome_that_fits: Prediction [
        ("a label probability is 1.5", |r| r.p_negative = 1.5),
        ("a label probability is -0.3", |r| r.p_neutral = -0.3),
        ("sum to", |r| (r.p_negative, r.p_neutral, r.p_positive) = (0.5, 0.5, 0.5)),
        ("outcome", |r| r.predicted = if r.predicted.is_some() { None } else { Some(Sentiment::Neutral) }),
    ];
    recorded_calls_rise: Recorded, rises;
    steps_rise: Step, rises;
    variants_of_a_sweep_rise: SweepRow, rises;
    an_exercise_has_an_input_and_an_answer: TaskExample [
        ("the input is empty", |r| r.input = "\t".into()), ("the answer is empty", |r| r.answer.clear()),
    ];
    a_step_of_agents_comes_after_its_bar_began: Trace [
        ("on a bar of", |r| (r.bar_at, r.at) = (ZERO, EARLY)),
    ], rises;
    a_window_is_judged_after_it_was_chosen: WalkForwardRow [
        ("judged from", |r| (r.train_to, r.test_from) = (ZERO, ZERO)),
    ], rises;
}

/// Types whose `Checks` says something.
fn with_rules() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rows");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            if let Some(row) = line.trim().strip_prefix("impl Checks for ").and_then(|rest| rest.strip_suffix(" {")) {
                found.insert(row.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_row_type_with_rules_has_a_test_that_they_refuse() {
    let tested: BTreeSet<_> = TESTED.iter().map(|row| (*row).to_owned()).collect();
    assert_eq!(with_rules(), tested);
    assert_eq!(tested.len(), TESTED.len());
}
