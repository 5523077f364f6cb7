//! The indicators against TA-Lib, ta and pandas (`goldens/make_indicators.py` made the numbers) and against slow twins.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stats::indicators::*;

/// Running sums there, two passes here: both round, in another order.
const TOLERANCE: f64 = 1e-9;

fn golden() -> Value {
    serde_json::from_str(include_str!("../goldens/indicators.json")).unwrap()
}

fn series(golden: &Value, group: &str, name: &str) -> Vec<Option<f64>> {
    let list = golden[group][name].as_array().unwrap_or_else(|| panic!("no {group}/{name}"));
    list.iter().map(Value::as_f64).collect()
}

fn column(golden: &Value, name: &str) -> Vec<f64> {
    series(golden, "bars", name).into_iter().map(Option::unwrap).collect()
}

/// Found values agree where the golden has one, relative to its size; `more` allows values where the golden has none.
fn agrees(golden: &Value, name: &str, found: &[Option<f64>], more: bool) {
    let expected = series(golden, "values", name);
    assert_eq!(found.len(), expected.len());
    let mut compared = 0;
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        match (found, expected) {
            (Some(f), Some(e)) => {
                assert!((f - e).abs() <= TOLERANCE * e.abs().max(1.0), "{name}[{i}]: {f}, expected {e}");
                compared += 1;
            }
            (Some(_), None) if more => {}
            (None, None) => {}
            _ => panic!("{name}[{i}]: {found:?}, expected {expected:?}"),
        }
    }
    assert!(compared > 100, "{name}: only {compared} values compared");
}

fn fold(values: &[f64], mut update: impl FnMut(f64) -> Option<f64>) -> Vec<Option<f64>> {
    values.iter().map(|x| update(*x)).collect()
}

#[test]
fn returns_averages_and_deviations_are_those_of_ta_lib_and_pandas() {
    let golden = golden();
    let (close, volume) = (column(&golden, "close"), column(&golden, "volume"));
    let mut simple = SimpleReturn::new(1).unwrap();
    agrees(&golden, "pandas simple_return", &fold(&close, |x| simple.update(x)), false);
    let mut log = LogReturn::new(1).unwrap();
    let returns = fold(&close, |x| log.update(x));
    agrees(&golden, "pandas log_return", &returns, false);
    let mut sd = RollingStd::new(20, Spread::Sample).unwrap();
    let volatility: Vec<_> = returns.iter().map(|r| r.and_then(|r| sd.update(r))).collect();
    agrees(&golden, "pandas volatility_20", &volatility, false);
    let mut sd = RollingStd::new(10, Spread::Population).unwrap();
    agrees(&golden, "talib std_10", &fold(&close, |x| sd.update(x)), false);
    let mut sma = Sma::new(20).unwrap();
    agrees(&golden, "talib sma_20", &fold(&close, |x| sma.update(x)), false);
    for (name, seeding) in [("talib ema_12", Seeding::Mean), ("pandas ema_12", Seeding::First)] {
        let mut ema = Ema::new(12, seeding).unwrap();
        agrees(&golden, name, &fold(&close, |x| ema.update(x)), false);
    }
    let mut z = ZScore::new(20).unwrap();
    agrees(&golden, "pandas volume_z_20", &fold(&volume, |x| z.update(x)), false);
}

#[test]
fn rsi_atr_extremes_and_momentum_are_those_of_ta_lib() {
    let golden = golden();
    let close = column(&golden, "close");
    let mut rsi = Rsi::new(14).unwrap();
    agrees(&golden, "talib rsi_14", &fold(&close, |x| rsi.update(x)), false);
    let (high, low) = (column(&golden, "high"), column(&golden, "low"));
    let mut atr = Atr::new(14).unwrap();
    let found: Vec<_> = (0..close.len()).map(|i| atr.update(high[i], low[i], close[i])).collect();
    agrees(&golden, "talib atr_14", &found, false);
    let (mut min, mut max) = (RollingMin::new(15).unwrap(), RollingMax::new(15).unwrap());
    agrees(&golden, "talib min_15", &fold(&close, |x| min.update(x)), false);
    agrees(&golden, "talib max_15", &fold(&close, |x| max.update(x)), false);
    let (mut momentum, mut rate) = (Momentum::new(10).unwrap(), RateOfChange::new(10).unwrap());
    agrees(&golden, "talib momentum_10", &fold(&close, |x| momentum.update(x)), false);
    agrees(&golden, "talib rate_of_change_10", &fold(&close, |x| rate.update(x)), false);
}

#[test]
fn macd_and_bollinger_are_those_of_ta_lib_and_under_the_other_seeding_those_of_ta() {
    let golden = golden();
    let close = column(&golden, "close");
    for (maker, seeding) in [("talib", Seeding::Mean), ("ta", Seeding::First)] {
        let mut macd = Macd::new(12, 26, 9, seeding).unwrap();
        let found: Vec<_> = close.iter().map(|x| macd.update(*x)).collect();
        let of = |f: fn(MacdValue) -> Option<f64>| found.iter().map(|v| v.and_then(f)).collect::<Vec<_>>();
        // TA-Lib holds the line back until it has a signal.
        agrees(&golden, &format!("{maker} macd_line"), &of(|v| Some(v.line)), maker == "talib");
        agrees(&golden, &format!("{maker} macd_signal"), &of(|v| v.signal), false);
        if maker == "talib" {
            agrees(&golden, "talib macd_histogram", &of(|v| v.histogram()), false);
        }
    }
    let mut bands = Bollinger::new(20, 2.0).unwrap();
    let found: Vec<_> = close.iter().map(|x| bands.update(*x)).collect();
    let of = |f: fn(Band) -> Option<f64>| found.iter().map(|b| b.and_then(f)).collect::<Vec<_>>();
    agrees(&golden, "talib bollinger_upper", &of(|b| Some(b.upper)), false);
    agrees(&golden, "talib bollinger_middle", &of(|b| Some(b.middle)), false);
    agrees(&golden, "talib bollinger_lower", &of(|b| Some(b.lower)), false);
    agrees(&golden, "ta bollinger_percent", &of(|b| b.percent()), false);
    agrees(&golden, "ta bollinger_width_percent", &of(|b| b.width().map(|w| w * 100.0)), false);
}

/// Stores and restores the state: what comes back must be the same.
fn stored<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(state: &T) -> T {
    let back = serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap();
    assert_eq!(&back, state);
    back
}

/// Wilder's average and the exponential one, written as one formula over the whole past.
fn smoothed(values: &[f64], period: usize, weight: f64) -> Option<f64> {
    let seed = values.get(..period)?.iter().sum::<f64>() / period as f64;
    Some(values[period..].iter().fold(seed, |y, x| y + weight * (x - y)))
}

fn near(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(f), Some(e)) => (f - e).abs() <= 1e-9 * e.abs().max(1.0),
        (f, e) => f.is_none() && e.is_none(),
    }
}

proptest! {
    #[test]
    fn every_fold_gives_what_its_formula_over_the_whole_past_gives_even_when_stored_in_between(
        values in prop::collection::vec(1.0..1e5_f64, 1..60),
        n in 2..12_usize,
        cut in 0..60_usize,
    ) {
        let (mut sma, mut sd, mut ema, mut rsi, mut max, mut z, mut momentum) = (
            Sma::new(n).unwrap(), RollingStd::new(n, Spread::Sample).unwrap(), Ema::new(n, Seeding::Mean).unwrap(),
            Rsi::new(n).unwrap(), RollingMax::new(n).unwrap(), ZScore::new(n).unwrap(), Momentum::new(n).unwrap(),
        );
        let mut macd = Macd::new(n, n + 3, 2, Seeding::Mean).unwrap();
        for i in 0..values.len() {
            if i == cut {
                (sma, sd, ema, rsi) = (stored(&sma), stored(&sd), stored(&ema), stored(&rsi));
                (max, z, momentum, macd) = (stored(&max), stored(&z), stored(&momentum), stored(&macd));
            }
            let (x, past) = (values[i], &values[..=i]);
            let last = past.len().checked_sub(n).map(|from| &past[from..]);
            let mean = last.map(|w| w.iter().sum::<f64>() / n as f64);
            let deviation = last.map(|w| (w.iter().map(|v| (v - mean.unwrap()).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt());
            prop_assert!(near(sma.update(x), mean));
            prop_assert!(near(sd.update(x), deviation));
            prop_assert!(near(max.update(x), last.map(|w| w.iter().copied().fold(0.0, f64::max))));
            prop_assert!(near(z.update(x), deviation.filter(|d| *d > 0.0).map(|d| (x - mean.unwrap()) / d)));
            prop_assert!(near(momentum.update(x), i.checked_sub(n).map(|from| x - values[from])));
            let average = |end: usize, from: usize, n: usize| smoothed(values.get(from..end).unwrap_or(&[]), n, 2.0 / (n as f64 + 1.0));
            prop_assert!(near(ema.update(x), average(i + 1, 0, n)));
            let changes: Vec<f64> = past.windows(2).map(|w| w[1] - w[0]).collect();
            let sides = |sign: f64| smoothed(&changes.iter().map(|c| (c * sign).max(0.0)).collect::<Vec<_>>(), n, 1.0 / n as f64);
            let expected = sides(1.0).zip(sides(-1.0)).filter(|(g, l)| g + l > 0.0).map(|(g, l)| 100.0 * g / (g + l));
            prop_assert!(near(rsi.update(x), expected));
            let line = |end| Some(average(end, 3, n)? - average(end, 0, n + 3)?);
            let found = macd.update(x);
            prop_assert!(near(found.map(|v| v.line), line(i + 1)), "{found:?} {:?}", line(i + 1));
            let lines: Vec<f64> = (1..=i + 1).filter_map(line).collect();
            prop_assert!(near(found.and_then(|v| v.signal), smoothed(&lines, 2, 2.0 / 3.0)));
        }
    }

    #[test]
    fn decay_in_constant_memory_is_the_weighted_sum_over_all_values(
        gaps in prop::collection::vec((0.0..100.0_f64, -1.0..1.0_f64), 1..30),
        half_life in 1.0..50.0_f64,
        wait in 0.0..100.0_f64,
    ) {
        let (mut decayed, mut now, mut seen) = (Decayed::new(half_life).unwrap(), 0.0, Vec::new());
        for (gap, value) in gaps {
            now += gap;
            decayed = stored(&decayed);
            decayed.add(now, value);
            seen.push((now, value));
        }
        now += wait;
        let weight = |at: f64| 0.5_f64.powf((now - at) / half_life);
        let (sum, weights) = seen.iter().fold((0.0, 0.0), |(s, w), (at, v)| (s + weight(*at) * v, w + weight(*at)));
        prop_assert!((decayed.sum(now).unwrap() - sum).abs() < 1e-9);
        prop_assert!((decayed.weight(now).unwrap() - weights).abs() < 1e-9);
        prop_assert!((decayed.mean(now, 0.5).unwrap() - sum / (weights + 0.5)).abs() < 1e-9);
    }
}

#[test]
fn a_value_that_is_not_a_number_changes_nothing_and_a_period_without_meaning_is_refused() {
    let mut sma = Sma::new(2).unwrap();
    sma.update(1.0);
    let before = sma.clone();
    assert_eq!(sma.update(f64::NAN), None);
    assert_eq!(sma, before);
    let mut atr = Atr::new(1).unwrap();
    assert_eq!((atr.update(2.0, 1.0, f64::INFINITY), atr.update(2.0, 1.0, 1.5)), (None, None));
    assert_eq!(Rsi::new(0).unwrap_err().to_string(), "period is 0; give a number of 1 or more");
    assert_eq!(ZScore::new(1).unwrap_err().to_string(), "period is 1; give a number of 2 or more");
    assert!(Macd::new(26, 12, 9, Seeding::Mean).is_err());
    assert!(Bollinger::new(20, f64::NAN).is_err());
    assert!(Decayed::new(0.0).is_err());
}

#[test]
fn what_is_not_defined_is_none_and_not_a_number_that_looks_like_one() {
    let mut rsi = Rsi::new(2).unwrap();
    assert!([5.0; 6].into_iter().all(|x| rsi.update(x).is_none()), "nothing moved");
    let mut z = ZScore::new(2).unwrap();
    assert!([5.0; 4].into_iter().all(|x| z.update(x).is_none()), "no spread");
    let mut bands = Bollinger::new(2, 2.0).unwrap();
    bands.update(5.0);
    assert_eq!(bands.update(5.0).unwrap().percent(), None, "the bands meet");
    let mut log = LogReturn::new(1).unwrap();
    log.update(0.0);
    assert_eq!(log.update(1.0), None, "a return from nothing");
}
