//! Every row type comes back from Parquet as it went in, whatever its values.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod common;

use artifacts::rows::{
    Bar, Candidate, Decision, EquityPoint, Example, Fill, Formatted, Language, Metric, News, Observation, Outcome,
    Prediction, Recorded, Rejected, Sentiment, Step, Verdict,
};
use artifacts::{Reader, Row, Timestamp, Writer, read_all, write_all};
use proptest::prelude::*;
use std::fmt::Debug;

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter)
}
fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |v| v.is_finite())
}
fn price() -> impl Strategy<Value = f64> {
    1e-9..1e12_f64
}
fn moment() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_micros)
}
/// `event_at` and an `available_at` not before it.
fn moments() -> impl Strategy<Value = (Timestamp, Timestamp)> {
    (moment(), moment()).prop_map(|(a, b)| (a.min(b), a.max(b)))
}
fn one_of<T: Copy + Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}
fn sentiment() -> impl Strategy<Value = Sentiment> {
    one_of(Sentiment::ALL)
}
fn language() -> impl Strategy<Value = Language> {
    one_of(Language::ALL)
}

fn comes_back<R: Row + Clone + PartialEq + Debug>(rows: &[R]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    if rows.is_empty() && !R::MAY_BE_EMPTY {
        prop_assert!(write_all(&path, rows).is_err());
        return Ok(());
    }
    prop_assert_eq!(write_all(&path, rows).unwrap(), rows.len() as u64);
    prop_assert_eq!(&read_all::<R>(&path).unwrap(), rows);
    // Equal rows, equal bytes.
    let again = folder.path().join("again.parquet");
    write_all(&again, rows).unwrap();
    prop_assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap());
    Ok(())
}

/// Rows in strictly rising order of `key`, as their type demands.
fn ordered<R, K: Ord>(mut rows: Vec<R>, key: impl Fn(&R) -> K) -> Vec<R> {
    rows.sort_by_key(&key);
    rows.dedup_by(|a, b| key(a) == key(b));
    rows
}

fn many<S: Strategy>(strategy: S) -> impl Strategy<Value = Vec<S::Value>> {
    prop::collection::vec(strategy, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bars(rows in many((text(), moments(), prop::option::of(price()), price(), prop::option::of(0.0..1e9_f64)))) {
        let rows = rows.into_iter().map(|(symbol, (event_at, available_at), open, close, volume)| {
            let (low, high) = (open.unwrap_or(close).min(close), open.unwrap_or(close).max(close));
            Bar { symbol, event_at, available_at, open, high: open.map(|_| high), low: open.map(|_| low), close, volume }
        });
        comes_back(&ordered(rows.collect(), |b| (b.symbol.clone(), b.event_at)))?;
    }

    #[test]
    fn news(rows in many((text(), text(), moments(), text(), text()))) {
        let rows = rows.into_iter().map(|(id, symbol, (event_at, available_at), text, source)|
            News { id, symbol, event_at, available_at, text, source });
        comes_back(&ordered(rows.collect(), |n| (n.symbol.clone(), n.available_at, n.event_at, n.id.clone())))?;
    }

    #[test]
    fn observations(rows in many((text(), text(), moments(), number()))) {
        let rows = rows.into_iter().map(|(symbol, name, (event_at, available_at), value)|
            Observation { symbol, name, event_at, available_at, value });
        comes_back(&ordered(rows.collect(), |o| (o.symbol.clone(), o.available_at, o.event_at, o.name.clone())))?;
    }

    #[test]
    fn examples(rows in many((
        (text(), text(), sentiment(), text(), language()), (text(), any::<u64>(), text(), prop::option::of(text()), any::<bool>()),
    ))) {
        let rows: Vec<_> = rows.into_iter().map(
            |((id, text, label, raw_label, language), (source, source_row, cluster, instruction, synthetic))|
            Example { id, text: format!("x{text}"), label, raw_label, language, source, source_row, cluster, instruction, synthetic }
        ).collect();
        comes_back(&rows)?;
    }

    #[test]
    fn rejected(rows in many((text(), any::<u64>(), text(), text(), text(), text()))) {
        let rows: Vec<_> = rows.iter().map(|(source, row, text, raw_label, reason, detail)|
            Rejected::new(source, *row, text, raw_label, reason, detail)).collect();
        comes_back(&rows)?;
    }

    #[test]
    fn candidates(rows in many((
        (any::<u64>(), language(), sentiment(), text(), text(), text(), text(), text()),
        prop::collection::vec(prop::option::of(text()), 6),
        (prop::option::of(sentiment()), prop::option::of(number()), prop::option::of(sentiment()),
         prop::option::of(number()), prop::option::of(sentiment()), prop::option::of(number()),
         prop::option::of(number())),
        (one_of(Verdict::ALL), text()),
    ))) {
        let rows: Vec<_> = rows.into_iter().map(|(
            (number, language, intended, strategy, sampling, prompt, response, text),
            mut wishes,
            (classifier_label, classifier_probability, model_label, model_probability, vote_label, vote_share, label_quality),
            (verdict, detail),
        )| {
            let mut wish = || wishes.pop().flatten();
            Candidate {
                number, language, intended, strategy, sampling, sector: wish(), event: wish(), region: wish(),
                register: wish(), length: wish(), difficulty: wish(), prompt, response, text, classifier_label,
                classifier_probability, model_label, model_probability, vote_label, vote_share, label_quality, verdict,
                detail,
            }
        }).collect();
        comes_back(&rows)?;
    }

    #[test]
    fn recorded_calls(rows in many((
        text(), text(), prop::option::of(text()), any::<bool>(), any::<bool>(),
        prop::option::of(text()), any::<u64>(), any::<u64>(),
    ))) {
        let rows = rows.into_iter().map(
            |(request, call, text, finished, canonical, scores, prompt_tokens, answer_tokens)|
            Recorded { request, call, text, finished, canonical, scores, prompt_tokens, answer_tokens }).collect();
        comes_back(&ordered(rows, |r: &Recorded| r.request.clone()))?;
    }

    #[test]
    fn formatted(rows in many((
        (text(), language(), sentiment(), text(), text()),
        prop::collection::vec((any::<u32>(), any::<bool>()), 2..30), any::<prop::sample::Index>(),
    ))) {
        let rows: Vec<_> = rows.into_iter().map(|((id, language, label, messages, text), tokens, at)| {
            let (ids, mut supervised): (Vec<u32>, Vec<bool>) = tokens.into_iter().unzip();
            let prompt_tokens = 1 + at.index(ids.len() - 1) as u32;
            if let Some(last) = supervised.last_mut() {
                *last = true;
            }
            Formatted { id, language, label, messages, text, ids, supervised, prompt_tokens }
        }).collect();
        comes_back(&rows)?;
    }

    #[test]
    fn steps(rows in many((any::<u64>(), number(), number(), number(), (number(), any::<u64>(), any::<u64>()),
        (any::<u64>(), prop::option::of(number()), prop::option::of(number()))))) {
        let rows = rows.into_iter().map(
            |(step, epoch, loss, learning_rate, (gradient_norm, tokens, supervised_tokens),
              (computed_tokens, dev_loss, dev_macro_f1))|
            Step { step, epoch, loss, learning_rate, gradient_norm, tokens, supervised_tokens, computed_tokens,
                dev_loss, dev_macro_f1 });
        comes_back(&ordered(rows.collect(), |s| s.step))?;
    }

    #[test]
    fn predictions(rows in many((text(), text(), language(), sentiment(), text(),
        (prop::option::of(sentiment()), sentiment(), 0.0..0.5_f64, 0.0..0.5_f64)))) {
        let rows: Vec<_> = rows.into_iter().map(
            |(example_id, model, language, label, response, (predicted, scored, a, b))| {
            let outcome = if predicted.is_some() { Outcome::Parsed } else { Outcome::Unparseable };
            Prediction { example_id, model, language, label, response, outcome, predicted, scored,
                p_negative: a, p_neutral: b, p_positive: 1.0 - a - b }
        }).collect();
        comes_back(&rows)?;
    }

    #[test]
    fn metrics(rows in many((text(), text(), text(), prop::option::of(number()), any::<u64>()))) {
        let rows: Vec<_> = rows.into_iter().map(|(subject, slice, metric, value, n)|
            Metric { subject, slice, metric, value, n }).collect();
        comes_back(&rows)?;
    }

    #[test]
    fn decisions(rows in many((text(), moments(), -1.0..=1.0_f64, prop::option::of(number()), prop::option::of(number()),
        prop::collection::vec(text(), 0..4), (prop::option::of(0.0..=1.0_f64), prop::collection::vec(text(), 0..4)), text()))) {
        let rows = rows.into_iter().map(
            |(symbol, (bar_at, decided_at), position, sentiment, technical, news_ids, (confidence, fact_ids), rationale)|
            Decision { symbol, bar_at, decided_at, position, sentiment, technical, news_ids, confidence, fact_ids, rationale });
        comes_back(&ordered(rows.collect(), |d| (d.symbol.clone(), d.bar_at)))?;
    }

    #[test]
    fn fills(rows in many((text(), moment(), moment(), price(), (number(), number(), number(), number())))) {
        let rows: Vec<_> = rows.into_iter().map(
            |(symbol, decided_at, bar_at, price, (units, commission, slippage, held))|
            Fill { symbol, decided_at, bar_at, price, units, commission, slippage, held }).collect();
        comes_back(&rows)?;
    }

    #[test]
    fn equity_points(rows in many((moment(), number(), number(), number(), number(), number()))) {
        let rows = rows.into_iter().map(|(event_at, close, equity, market_equity, position, cost)|
            EquityPoint { event_at, close, equity, market_equity, position, cost });
        comes_back(&ordered(rows.collect(), |p| p.event_at))?;
    }
}

#[test]
fn a_prediction_with_probabilities_that_are_none_is_refused() {
    let good = Prediction {
        example_id: "a".into(),
        model: "base".into(),
        language: Language::English,
        label: Sentiment::Positive,
        response: "positive".into(),
        outcome: Outcome::Parsed,
        predicted: Some(Sentiment::Positive),
        scored: Sentiment::Positive,
        p_negative: 0.2,
        p_neutral: 0.3,
        p_positive: 0.5,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.parquet");
    for bad in [
        Prediction { p_negative: f64::NAN, ..good.clone() },
        Prediction { p_negative: -0.3, p_neutral: 0.8, ..good.clone() },
        Prediction { p_negative: 0.3, ..good.clone() },
        Prediction { predicted: None, ..good.clone() },
    ] {
        assert!(write_all(&path, std::slice::from_ref(&bad)).is_err(), "{bad:?}");
    }
    write_all(&path, &[good]).unwrap();
}

#[test]
fn many_row_groups_stream_in_batches_and_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    let n = 50_000;
    let mut writer = Writer::create(&path).unwrap();
    for i in 0..n {
        writer.push(common::bar(i, 100.0)).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), n as u64);
    let reader = Reader::<Bar>::open(&path).unwrap();
    assert_eq!(reader.total(), n as u64);
    let mut seen = 0;
    for batch in reader {
        let batch = batch.unwrap();
        assert!(batch.len() <= 4096, "a batch of {} rows is no stream", batch.len());
        for row in batch {
            assert_eq!(row, common::bar(seen, 100.0));
            seen += 1;
        }
    }
    assert_eq!(seen, n);
}
