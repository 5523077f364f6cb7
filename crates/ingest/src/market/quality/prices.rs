use super::{Findings, Found, median};
use artifacts::Timestamp;
use artifacts::rows::{AlertLevel, Bar, Observation};
use std::collections::BTreeMap;

/// Scales the median absolute deviation to the standard deviation of a normal distribution.
const MAD_TO_SIGMA: f64 = 1.4826;

/// Everything that can be odd about the bars of one source, symbol by symbol.
pub(in super::super) fn check(bars: &[Bar], interval: i64, findings: &mut Findings<'_>) {
    let mut series: BTreeMap<&str, Vec<&Bar>> = BTreeMap::new();
    for bar in bars {
        series.entry(&bar.symbol).or_default().push(bar);
    }
    for (symbol, bars) in &series {
        zero_volume(symbol, bars, findings);
        flat(symbol, bars, findings);
        outliers(symbol, bars, interval, findings);
        let closes: Vec<(Timestamp, f64)> = bars.iter().map(|b| (b.event_at, b.close)).collect();
        let factor = findings.config.level_factor;
        shifts(symbol, "close", &closes, factor, findings);
        unfinished(symbol, bars, findings);
    }
}

/// Shifts of level of numbers that are no prices, by name.
pub(in super::super) fn observations(rows: &[Observation], findings: &mut Findings<'_>) {
    let mut series: BTreeMap<(&str, &str), Vec<(Timestamp, f64)>> = BTreeMap::new();
    for row in rows.iter().filter(|r| !r.name.contains('=') && r.value > 0.0) {
        series.entry((&row.symbol, &row.name)).or_default().push((row.event_at, row.value));
    }
    let factor = findings.config.observation_factor;
    for ((symbol, name), values) in &series {
        shifts(symbol, name, values, factor, findings);
    }
}

/// The stretches of bars for which `odd` holds, at least `shortest` long.
fn stretches<'a>(bars: &[&'a Bar], shortest: usize, odd: impl Fn(usize) -> bool) -> Vec<(&'a Bar, &'a Bar, u64)> {
    let mut found = Vec::new();
    let mut from = 0;
    for i in 0..=bars.len() {
        if i < bars.len() && odd(i) {
            continue;
        }
        if i - from >= shortest
            && let (Some(first), Some(last)) = (bars.get(from), bars.get(i.wrapping_sub(1)))
        {
            found.push((*first, *last, (i - from) as u64));
        }
        from = i + 1;
    }
    found
}

fn zero_volume(symbol: &str, bars: &[&Bar], findings: &mut Findings<'_>) {
    let mut found: Vec<Found> = stretches(bars, 1, |i| bars.get(i).is_some_and(|b| b.volume == Some(0.0)))
        .into_iter()
        .map(|(first, last, n)| Found {
            level: if n == 1 { AlertLevel::Note } else { AlertLevel::Warning },
            event_at: Some(first.event_at),
            rows: n,
            value: Some(0.0),
            threshold: None,
            message: format!(
                "nothing was traded from {} to {}; an order there would not have been filled",
                first.event_at, last.event_at
            ),
        })
        .collect();
    found.sort_by(|a, b| b.rows.cmp(&a.rows).then(a.event_at.cmp(&b.event_at)));
    findings.add("zero-volume", symbol, found);
}

fn flat(symbol: &str, bars: &[&Bar], findings: &mut Findings<'_>) {
    let still = |i: usize| {
        let (Some(bar), Some(before)) = (bars.get(i), i.checked_sub(1).and_then(|i| bars.get(i))) else { return false };
        let same = |a: f64, b: f64| a.total_cmp(&b).is_eq();
        same(bar.close, before.close) && bar.high.zip(bar.low).is_none_or(|(high, low)| same(high, low))
    };
    let shortest = findings.config.flat_bars.max(2);
    let mut found: Vec<Found> = stretches(bars, shortest, still)
        .into_iter()
        .map(|(first, last, n)| Found {
            level: AlertLevel::Warning,
            event_at: Some(first.event_at),
            rows: n,
            value: Some(n as f64),
            threshold: Some(shortest as f64),
            message: format!(
                "the price stands still at {} from {} to {}: a halted or frozen feed",
                first.close, first.event_at, last.event_at
            ),
        })
        .collect();
    found.sort_by(|a, b| b.rows.cmp(&a.rows).then(a.event_at.cmp(&b.event_at)));
    findings.add("flat", symbol, found);
}

fn outliers(symbol: &str, bars: &[&Bar], interval: i64, findings: &mut Findings<'_>) {
    // A return across a gap spans more than one interval (weekends excepted) and is not compared with the others.
    let longest = if interval >= 86_400 { 4 * interval } else { interval };
    let returns: Vec<(usize, f64)> = bars
        .windows(2)
        .enumerate()
        .filter_map(|(i, w)| Some((i + 1, w.first()?, w.get(1)?)))
        .filter(|(_, a, b)| {
            b.event_at.seconds_since(a.event_at) <= longest as f64 + 3600.0 * f64::from(u8::from(interval >= 86_400))
        })
        .map(|(i, a, b)| (i, (b.close / a.close).ln()))
        .collect();
    // Half of the returns may be 0 where little is traded; the spread is that of those that moved.
    let mut moved: Vec<f64> = returns.iter().map(|(_, r)| *r).filter(|r| *r != 0.0).collect();
    if moved.len() < 20 {
        return;
    }
    let Some(centre) = median(&mut moved) else { return };
    let mut deviations: Vec<f64> = moved.iter().map(|r| (r - centre).abs()).collect();
    let Some(spread) = median(&mut deviations).map(|m| m * MAD_TO_SIGMA).filter(|s| *s > 0.0) else { return };
    let limit = findings.config.outlier_z;
    let z = |r: f64| (r - centre) / spread;
    let mut found: Vec<(f64, Found)> = Vec::new();
    let mut taken_back = None;
    for (k, (i, r)) in returns.iter().enumerate() {
        if z(*r).abs() < limit || taken_back == Some(*i) {
            continue;
        }
        let Some(bar) = bars.get(*i) else { continue };
        // Taken back by the next bar, but for a quarter: a bad tick rather than a move.
        let next = returns.get(k + 1).filter(|(j, _)| *j == i + 1).map(|(_, r)| *r);
        let spike = next.is_some_and(|n| z(n).abs() >= limit / 2.0 && (n + r).abs() < 0.25 * r.abs());
        if spike {
            taken_back = Some(i + 1);
        }
        let (level, what) = if spike {
            (AlertLevel::Warning, "the next bar takes it back: a bad tick, by its looks; compare with another source")
        } else {
            (AlertLevel::Note, "it stays: a move, by its looks")
        };
        let message = format!("return {:+.2} % at {}; {what}", (r.exp() - 1.0) * 100.0, bar.event_at);
        let found_one =
            Found { level, event_at: Some(bar.event_at), rows: 1, value: Some(z(*r)), threshold: Some(limit), message };
        found.push((z(*r).abs(), found_one));
    }
    found.sort_by(|a, b| b.1.level.cmp(&a.1.level).then(b.0.total_cmp(&a.0)));
    findings.add("outlier", symbol, found.into_iter().map(|(_, f)| f).collect());
}

fn shifts(symbol: &str, name: &str, values: &[(Timestamp, f64)], factor: f64, findings: &mut Findings<'_>) {
    let window = findings.config.level_window.max(1);
    let middle = |range: std::ops::Range<usize>| {
        let mut part: Vec<f64> = values.get(range)?.iter().map(|(_, v)| *v).collect();
        median(&mut part)
    };
    let mut found = Vec::new();
    for i in window..values.len().saturating_sub(window - 1) {
        let (Some((_, before)), Some((at, now))) = (values.get(i - 1), values.get(i)) else { continue };
        let ratio = now / before;
        if ratio < factor && ratio > 1.0 / factor {
            continue;
        }
        let (Some(old), Some(new)) = (middle(i - window..i), middle(i..i + window)) else { continue };
        let stays = new / old;
        // A step within the window on either side would give the same medians: only a step as large as the shift counts.
        if (stays < factor && stays > 1.0 / factor) || (ratio > 1.0) != (stays > 1.0) {
            continue;
        }
        found.push(Found {
            level: AlertLevel::Critical,
            event_at: Some(*at),
            rows: 1,
            value: Some(stays),
            threshold: Some(factor),
            message: format!(
                "{name} jumps by a factor of {stays:.4} at {at} and stays{}; adjust what came before",
                simple(stays)
            ),
        });
    }
    findings.add("level-shift", symbol, found);
}

/// Which split or change of unit a factor looks like.
fn simple(factor: f64) -> String {
    let (large, up) = if factor >= 1.0 { (factor, true) } else { (1.0 / factor, false) };
    let near = [2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0, 1000.0, 1e6, 1e8]
        .into_iter()
        .find(|n| (large / n).ln().abs() < 0.08);
    near.map_or_else(String::new, |n| {
        if up {
            format!(" (about {n}: another unit or currency, or shares merged)")
        } else {
            format!(" (about 1/{n}: a split, or another unit or currency)")
        }
    })
}

fn unfinished(symbol: &str, bars: &[&Bar], findings: &mut Findings<'_>) {
    let Some((last, before)) = bars.split_last() else { return };
    let before = before.get(before.len().saturating_sub(100)..).unwrap_or_default();
    if before.len() < 20 {
        return;
    }
    let share = findings.config.unfinished_share;
    let range = |b: &Bar| b.high.zip(b.low).map(|(high, low)| high - low);
    let below = |now: Option<f64>, mut usual: Vec<f64>| {
        let middle = median(&mut usual).filter(|m| *m > 0.0)?;
        Some(now? / middle).filter(|r| *r < share)
    };
    let volume = below(last.volume, before.iter().filter_map(|b| b.volume).collect());
    let moved = below(range(last), before.iter().filter_map(|b| range(b)).collect());
    if let (Some(volume), Some(_)) = (volume, moved) {
        findings.add(
            "unfinished-last",
            symbol,
            vec![Found {
                level: AlertLevel::Warning,
                event_at: Some(last.event_at),
                rows: 1,
                value: Some(volume),
                threshold: Some(share),
                message: format!(
                    "the last bar, of {}, has {:.1} % of the usual volume: taken before its end, by its looks; give `taken_at`, or leave it out",
                    last.event_at,
                    volume * 100.0
                ),
            }],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::QualityConfig;
    use super::*;
    use artifacts::rows::QualityFinding;

    /// Two hundred hours of small, uneven moves.
    fn clean() -> Vec<Bar> {
        let start: Timestamp = "2025-03-01".parse().unwrap();
        let mut close: f64 = 100.0;
        (0..200_i64)
            .map(|h| {
                let open = close;
                close *= 1.0 + ((h * 7919 % 101) as f64 - 50.0) / 20_000.0;
                let event_at = start.plus_seconds(h * 3600);
                Bar {
                    symbol: "X".into(),
                    event_at,
                    available_at: event_at.plus_seconds(3600),
                    open: Some(open),
                    high: Some(open.max(close) * 1.001),
                    low: Some(open.min(close) * 0.999),
                    close,
                    volume: Some(50.0 + (h * 31 % 17) as f64),
                }
            })
            .collect()
    }

    fn run(change: impl Fn(&mut Vec<Bar>)) -> Vec<QualityFinding> {
        let mut bars = clean();
        change(&mut bars);
        let config = QualityConfig::default();
        let mut findings = Findings::new(&config, "x");
        check(&bars, 3600, &mut findings);
        findings.rows
    }

    fn names(found: &[QualityFinding]) -> Vec<(&str, AlertLevel, u64)> {
        found.iter().map(|f| (f.check_name.as_str(), f.level, f.rows)).collect()
    }

    #[test]
    fn clean_bars_give_no_finding() {
        assert_eq!(names(&run(|_| {})), []);
    }

    #[test]
    fn bars_without_trades_are_counted_by_stretch() {
        let found = run(|b| [10, 50, 51, 52].into_iter().for_each(|i| b[i].volume = Some(0.0)));
        assert_eq!(names(&found), [("zero-volume", AlertLevel::Warning, 3), ("zero-volume", AlertLevel::Note, 1)]);
    }

    #[test]
    fn a_frozen_price_is_found_from_ten_bars_on() {
        let freeze = |n: usize| {
            move |b: &mut Vec<Bar>| {
                for i in 60..60 + n {
                    let close = b[59].close;
                    b[i] = Bar { open: Some(close), high: Some(close), low: Some(close), close, ..b[i].clone() };
                }
            }
        };
        assert_eq!(names(&run(freeze(9))), []);
        assert_eq!(names(&run(freeze(10))), [("flat", AlertLevel::Warning, 10)]);
    }

    #[test]
    fn a_bad_tick_is_told_from_a_move() {
        let tick = run(|b| b[70].close *= 1.2);
        assert_eq!(names(&tick), [("outlier", AlertLevel::Warning, 1)]);
        assert!(tick[0].value.unwrap() > 20.0 && tick[0].message.contains("bad tick"));
        let moved = run(|b| b.iter_mut().skip(70).for_each(|b| b.close *= 1.2));
        assert_eq!(names(&moved), [("outlier", AlertLevel::Note, 1)]);
    }

    #[test]
    fn a_split_is_found_and_named_by_its_factor() {
        let found = run(|b| b.iter_mut().skip(70).for_each(|b| b.close /= 10.0));
        let split = found.iter().find(|f| f.check_name == "level-shift").unwrap();
        assert!((split.value.unwrap() - 0.1).abs() < 0.002 && split.message.contains("about 1/10"), "{split:?}");
        assert_eq!((split.level, split.event_at), (AlertLevel::Critical, Some(clean()[70].event_at)));
        let spike = run(|b| b[70].close *= 10.0);
        assert!(spike.iter().all(|f| f.check_name != "level-shift"), "what goes back is no shift");
    }

    #[test]
    fn a_last_bar_with_little_volume_and_range_looks_unfinished() {
        let cut = |volume: f64, range: f64| {
            move |b: &mut Vec<Bar>| {
                let last = b.last_mut().unwrap();
                let close = last.close;
                *last = Bar { high: Some(close + range), low: Some(close), volume: Some(volume), ..last.clone() };
            }
        };
        assert_eq!(names(&run(cut(1.0, 0.01))), [("unfinished-last", AlertLevel::Warning, 1)]);
        assert_eq!(names(&run(cut(50.0, 0.01))), [], "a quiet bar with the usual volume is finished");
    }

    #[test]
    fn a_number_in_another_unit_is_found() {
        let at = |i: i64| Timestamp::from_seconds(i * 60);
        let row = |i: i64, value| Observation {
            symbol: "X".into(),
            name: "index".into(),
            event_at: at(i),
            available_at: at(i),
            value,
        };
        let config = QualityConfig::default();
        let run = |after: f64| {
            let rows: Vec<Observation> = (0..40).map(|i| row(i, if i < 20 { 0.4 } else { after })).collect();
            let mut findings = Findings::new(&config, "x");
            observations(&rows, &mut findings);
            findings.rows.len()
        };
        assert_eq!((run(0.5), run(40.0)), (0, 1));
    }
}
