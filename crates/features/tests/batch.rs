//! What the features of a market folder are.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

mod common;

use artifacts::read_all;
use artifacts::rows::{Bar, FeatureDefinition, FeaturePartition, Observation};
use common::{STEP, at, bars, observation, options, run, texts, write_market};
use features::{Compute, Context, Definition, Error, FeaturesConfig, Fold, Inputs, builtin};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn values(definitions: &[Definition], bars: &[Bar], context: &Context) -> Vec<Observation> {
    let fold = Fold::new(definitions).unwrap();
    let (mut state, mut out) = (fold.start(&bars[0].symbol).unwrap(), Vec::new());
    for bar in bars {
        fold.step(&mut state, context, bar, &mut out).unwrap();
    }
    out
}

fn one(toml: &str) -> Vec<Definition> {
    vec![serde_json::from_str(toml).unwrap()]
}

#[test]
fn every_built_in_feature_has_its_first_value_when_its_warm_up_is_over_and_none_before() {
    let bars = bars("X", 80, 1);
    let (_, mut observations) = texts("X", 1, 1);
    observations.clear();
    for i in 0..80 {
        // Known exactly when the bar is: it counts for that bar.
        for name in ["mood", "mvrv_btc_momentum", "index"] {
            observations.push(observation("X", name, STEP * i, STEP * (i + 1), f64::from(i as i32)));
        }
    }
    let (mut news, _) = texts("X", 1, 1);
    (news[0].event_at, news[0].available_at) = (at(0), at(0));
    let context = Context::new("X", &news, &observations).unwrap();
    let out = values(&builtin::definitions(), &bars, &context);
    for definition in builtin::definitions() {
        let first = out.iter().find(|o| o.name == definition.name).unwrap_or_else(|| panic!("{}", definition.name));
        let bar = &bars[definition.warm_up() as usize];
        assert_eq!((first.event_at, first.available_at), (bar.event_at, bar.available_at), "{}", definition.name);
        let row = definition.row().unwrap();
        assert!(!row.inputs.is_empty() && !row.description.is_empty() && row.hash.len() == 64);
    }
}

#[test]
fn values_are_those_of_the_formulas() {
    let bars = bars("X", 40, 3);
    let context = Context::new("X", &[], &[]).unwrap();
    let close: Vec<f64> = bars.iter().map(|b| b.close).collect();
    let found = |json: &str| -> Vec<f64> { values(&one(json), &bars, &context).iter().map(|o| o.value).collect() };
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "{a} {b}");
    let sma = found(r#"{"name":"f","compute":{"kind":"sma","bars":4,"shown":"relative"}}"#);
    assert_eq!(sma.len(), 37);
    near(sma[36], close[39] / (close[36..].iter().sum::<f64>() / 4.0) - 1.0);
    let log = found(r#"{"name":"f","compute":{"kind":"return","bars":3,"log":true}}"#);
    near(log[0], (close[3] / close[0]).ln());
    let range = found(r#"{"name":"f","compute":{"kind":"atr","bars":1,"shown":"relative"}}"#);
    let (b, last) = (&bars[1], close[0]);
    near(range[0], (b.high.unwrap().max(last) - b.low.unwrap().min(last)) / b.close);
    let low = found(r#"{"name":"f","compute":{"kind":"lowest","input":"low","bars":2}}"#);
    near(low[0], bars[0].low.unwrap().min(bars[1].low.unwrap()));
}

#[test]
fn an_observation_is_carried_forward_until_it_is_too_old_and_a_late_report_of_an_older_one_does_not_replace_it() {
    let bars = bars("X", 6, 1);
    let observations = [
        observation("X", "o", STEP / 2, STEP / 2, 1.0),
        // Measured before the first one, known after it.
        observation("X", "o", 0, STEP + 1, 9.0),
        // Known a second after the third bar: not for that bar.
        observation("X", "o", 3 * STEP, 3 * STEP + 1, 2.0),
    ];
    let context = Context::new("X", &[], &observations).unwrap();
    let json = r#"{"name":"f","compute":{"kind":"value","input":{"observation":"o","max_age_seconds":7200}}}"#;
    let found: Vec<_> = values(&one(json), &bars, &context)
        .iter()
        .map(|o| ((o.event_at.micros() - at(0).micros()) / (STEP * 1_000_000), o.value))
        .collect();
    assert_eq!(found, [(0, 1.0), (1, 1.0), (3, 2.0), (4, 2.0)]);
}

#[test]
fn mood_and_news_count_halve_in_their_half_life() {
    let bars = bars("X", 2, 1);
    let (mut news, _) = texts("X", 2, 1);
    for item in &mut news {
        (item.event_at, item.available_at) = (at(STEP), at(STEP));
    }
    news[1].source = "other".into();
    let observations = [observation("X", "mood", STEP, STEP, 1.0), observation("X", "other", STEP, STEP, -1.0)];
    let context = Context::new("X", &news, &observations).unwrap();
    let last = |json: &str| values(&one(json), &bars, &context).last().unwrap().value;
    assert_eq!(last(r#"{"name":"f","compute":{"kind":"news-count","half_life_seconds":3600}}"#), 1.0);
    assert_eq!(
        last(r#"{"name":"f","compute":{"kind":"news-count","sources":["other"],"half_life_seconds":3600}}"#),
        0.5
    );
    let mood = |rest: &str| {
        last(&format!(
            r#"{{"name":"f","compute":{{"kind":"mood","observation":"mood","half_life_seconds":3600{rest}}}}}"#
        ))
    };
    assert_eq!((mood(""), mood(r#","output":"sum""#)), (1.0, 0.5));
    assert_eq!(mood(r#","prior":0.5"#), 0.5);
}

#[test]
fn a_market_folder_becomes_values_definitions_partitions_and_a_report_and_nothing_is_done_twice() {
    let (market, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (market, out) = (market.path(), out.path());
    let (a, b) = (bars("A", 900, 1), bars("B", 60, 2));
    let (news, observations) = texts("A", 100, 7);
    write_market(market, &[a, b].concat(), &news, &observations);
    let config = FeaturesConfig::default();
    let manifest = run(&config, market, out, false);
    let values: Vec<Observation> = read_all(&out.join("features.parquet")).unwrap();
    let definitions: Vec<FeatureDefinition> = read_all(&out.join("definitions.parquet")).unwrap();
    let partitions: Vec<FeaturePartition> = read_all(&out.join("partitions.parquet")).unwrap();
    assert_eq!(manifest.facts["values"], values.len());
    assert_eq!(definitions.len(), config.definitions.len());
    assert_eq!(partitions.iter().map(|p| p.values).sum::<u64>(), values.len() as u64);
    // 900 hours are 37.5 days: two months; the second symbol has one.
    assert_eq!(partitions.iter().map(|p| p.symbol.as_str()).collect::<String>(), "AAB");
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for value in values.iter().filter(|v| v.symbol == "B") {
        *rows.entry(&value.name).or_default() += 1;
    }
    assert_eq!((rows["sma_50"], rows["rsi_14"]), (11, 46));
    let reads_mood = |d: &Definition| matches!(d.compute, Compute::Mood { .. });
    assert!(!builtin::definitions().iter().any(reads_mood), "no source writes moods: the feature would have no values");
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("rsi_14") && page.contains("<svg"));
    let stamp = std::fs::metadata(out.join("features.parquet")).unwrap().modified().unwrap();
    run(&config, market, out, false);
    assert_eq!(std::fs::metadata(out.join("features.parquet")).unwrap().modified().unwrap(), stamp);
}

#[test]
fn definitions_come_from_settings_and_what_has_no_meaning_is_named() {
    let config: FeaturesConfig = cli::resolve(
        &FeaturesConfig::default(),
        &[],
        &[r#"definitions=[{name="fast", compute={kind="sma", bars=3, input="open"}}]"#.into(), "partition=day".into()],
    )
    .unwrap();
    assert_eq!(config.definitions.len(), 1);
    assert_eq!(config.definitions[0].inputs(), ["bar.open"]);
    let wrong = |json: &str| Fold::new(&one(json)).unwrap_err().to_string();
    assert_eq!(
        wrong(r#"{"name":"f","compute":{"kind":"rsi","bars":0}}"#),
        "feature `f`: period is 0; give a number of 1 or more"
    );
    assert!(serde_json::from_str::<Definition>(r#"{"name":"f","compute":{"kind":"rsi","bars":2,"perod":3}}"#).is_err());
    let twice = [
        one(r#"{"name":"f","compute":{"kind":"rsi","bars":2}}"#),
        one(r#"{"name":"f","compute":{"kind":"atr","bars":2}}"#),
    ];
    assert!(Fold::new(&twice.concat()).unwrap_err().to_string().contains("`f` is defined twice"));
    let (market, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_market(market.path(), &bars("X", 3, 1), &[], &[observation("X", "fast", 0, 0, 1.0)]);
    let error = features::run(&config, &Inputs::of_folder(market.path()), out.path(), &options(false)).unwrap_err();
    assert!(matches!(error, Error::UnknownPlot { .. } | Error::Clash { .. }), "{error}");
    assert!(error.to_string().contains("observations.parquet"), "{error}");
}

#[test]
fn a_hash_changes_with_every_part_of_a_definition_and_with_nothing_else() {
    let base = Definition::new("f", Compute::Rsi { input: features::Input::default(), bars: 14 });
    assert_eq!(base.hash(), base.clone().hash());
    let written: Definition = serde_json::from_str(r#"{"name":"f","compute":{"bars":14,"kind":"rsi"}}"#).unwrap();
    assert_eq!(written.hash(), base.hash(), "defaults and the order of keys do not count");
    let others = [
        Definition { version: 2, ..base.clone() },
        Definition { name: "g".into(), ..base.clone() },
        Definition::new("f", Compute::Rsi { input: features::Input::default(), bars: 15 }),
        Definition::new("f", Compute::Rsi { input: features::Input::Bar(features::BarColumn::Open), bars: 14 }),
    ];
    assert!(others.iter().all(|o| o.hash() != base.hash()));
}

#[test]
fn bars_out_of_order_are_refused_with_their_times() {
    let bars = bars("X", 2, 1);
    let fold = Fold::new(&builtin::definitions()).unwrap();
    let (mut state, mut out) = (fold.start("X").unwrap(), Vec::new());
    let context = Context::new("X", &[], &[]).unwrap();
    fold.step(&mut state, &context, &bars[1], &mut out).unwrap();
    let error = fold.step(&mut state, &context, &bars[0], &mut out).unwrap_err().to_string();
    assert!(error.contains("2022-01-01T00:00:00Z") && error.contains("X:"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn cutting_off_or_poisoning_the_future_changes_no_earlier_value(seed in 0..u64::MAX, n in 60..90_usize, cut in 5..55_usize) {
        let bars = bars("X", n, seed);
        let (news, observations) = texts("X", n, seed);
        let whole = values(&builtin::definitions(), &bars, &Context::new("X", &news, &observations).unwrap());
        let t = bars[cut].available_at;
        let past: Vec<_> = whole.iter().filter(|v| v.available_at <= t).cloned().collect();
        let cut_news: Vec<_> = news.iter().filter(|n| n.available_at <= t).cloned().collect();
        let cut_observations: Vec<_> = observations.iter().filter(|o| o.available_at <= t).cloned().collect();
        let context = Context::new("X", &cut_news, &cut_observations).unwrap();
        prop_assert_eq!(&values(&builtin::definitions(), &bars[..=cut], &context), &past);

        let poison: Vec<_> = observations.iter().map(|o| Observation { value: if o.available_at > t { 1e9 } else { o.value }, ..o.clone() }).collect();
        let poisoned_bars: Vec<_> = bars.iter().map(|b| if b.available_at > t { Bar { close: 1e6, high: Some(2e6), ..b.clone() } } else { b.clone() }).collect();
        let poisoned = values(&builtin::definitions(), &poisoned_bars, &Context::new("X", &news, &poison).unwrap());
        prop_assert_eq!(&poisoned[..past.len()], &past[..]);
        prop_assert!(poisoned[past.len()..] != whole[past.len()..], "the poison would have been seen");
    }
}

#[test]
fn periods_and_half_lives_that_nobody_can_mean_are_refused_by_name() {
    for (compute, words) in [
        (r#"{"kind":"sma","bars":4000000}"#, "periods of 1000000 at most"),
        (r#"{"kind":"sma","bars":0}"#, "period is 0"),
        (r#"{"kind":"macd","fast":12,"slow":18446744073709551615,"signal":9,"output":"line"}"#, "1000000 at most"),
        (r#"{"kind":"bollinger","bars":20,"deviations":1e300,"output":"upper"}"#, "deviations is"),
        (r#"{"kind":"news-count","half_life_seconds":1e300}"#, "half_life_seconds is"),
        (r#"{"kind":"news-count","half_life_seconds":0}"#, "half_life_seconds is 0; give seconds from 0.001"),
        (r#"{"kind":"mood","observation":"m","half_life_seconds":60,"prior":-1}"#, "prior is -1; give a weight"),
    ] {
        let definition = one(&format!(r#"{{"name":"a\nb","compute":{compute}}}"#));
        let message = Fold::new(&definition).unwrap_err().to_string();
        assert!(message.contains(words) && message.starts_with(r"feature `a\nb`: "), "{message}");
    }
}
