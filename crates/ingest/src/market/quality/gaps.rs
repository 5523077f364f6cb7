use super::{Findings, Found};
use artifacts::Timestamp;
use artifacts::rows::{AlertLevel, Bar};
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400;

/// Which moments a series should have a bar at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calendar {
    /// Every interval.
    Continuous,
    /// One bar every weekday.
    BusinessDays,
    /// Bars within the day, on weekdays; what lies between two days is no gap.
    Sessions,
}

impl Calendar {
    /// What the data themselves show: a series of two weeks without a Saturday or Sunday has none.
    fn guess(bars: &[&Bar], interval: i64) -> Self {
        let days: BTreeSet<i64> = bars.iter().map(|b| day(b.event_at)).collect();
        let long = days.first().zip(days.last()).is_some_and(|(a, b)| b - a >= 13);
        if !long || days.iter().any(|d| weekend(*d)) {
            Self::Continuous
        } else if interval >= DAY {
            if interval < 2 * DAY { Self::BusinessDays } else { Self::Continuous }
        } else {
            Self::Sessions
        }
    }
}

fn day(at: Timestamp) -> i64 {
    at.micros().div_euclid(DAY * 1_000_000)
}

/// 1970-01-01 was a Thursday.
fn weekend(day: i64) -> bool {
    matches!((day + 4).rem_euclid(7), 0 | 6)
}

/// Gaps of every symbol of a source, and symbols with far fewer bars than others.
pub(in super::super) fn check(bars: &[Bar], interval: i64, findings: &mut Findings<'_>) {
    let mut series: BTreeMap<&str, Vec<&Bar>> = BTreeMap::new();
    for bar in bars {
        series.entry(&bar.symbol).or_default().push(bar);
    }
    let all_days: BTreeSet<i64> = bars.iter().map(|b| day(b.event_at)).collect();
    let longest = series.values().map(Vec::len).max().unwrap_or(0);
    let mut gaps: Vec<(&str, Found)> = Vec::new();
    for (symbol, bars) in &series {
        let share = findings.config.short_share;
        if (bars.len() as f64) < share * longest as f64 {
            let message = format!(
                "{} bars, another symbol of this source has {longest}; leave the symbol out, or fetch the rest",
                bars.len()
            );
            findings.add(
                "short-series",
                symbol,
                vec![Found {
                    level: AlertLevel::Warning,
                    event_at: bars.first().map(|b| b.event_at),
                    rows: bars.len() as u64,
                    value: Some(bars.len() as f64 / longest as f64),
                    threshold: Some(share),
                    message,
                }],
            );
        }
        let calendar = Calendar::guess(bars, interval);
        let others = (series.len() > 1).then_some(&all_days);
        let found: Vec<Found> =
            bars.windows(2).filter_map(|w| gap(w.first()?, w.get(1)?, interval, calendar, others)).collect();
        gaps.extend(found.into_iter().map(|f| (*symbol, f)));
    }
    let (shared, mut own) = shared(gaps, series.len());
    findings.add("gap", "", sorted(shared));
    for symbol in series.keys() {
        let (of, others): (Vec<_>, Vec<_>) = own.into_iter().partition(|(s, _)| s == symbol);
        own = others;
        findings.add("gap", symbol, sorted(of.into_iter().map(|(_, f)| f).collect()));
    }
}

/// The longest first.
fn sorted(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.level.cmp(&a.level).then(b.rows.cmp(&a.rows)).then(a.event_at.cmp(&b.event_at)));
    found
}

/// Gaps that most symbols of a source have at the same time become one finding each; the rest stay with their symbol.
fn shared(gaps: Vec<(&str, Found)>, symbols: usize) -> (Vec<Found>, Vec<(&str, Found)>) {
    let mut at = BTreeMap::new();
    for (symbol, found) in gaps {
        at.entry((found.event_at, found.rows)).or_insert_with(Vec::new).push((symbol, found));
    }
    let (mut of_most, mut own) = (Vec::new(), Vec::new());
    for group in at.into_values() {
        let have = group.len();
        if symbols > 2 && have * 5 >= symbols * 4 {
            let level = group.iter().map(|(_, f)| f.level).min();
            let first = group.into_iter().next().map(|(_, f)| f);
            of_most.extend(first.zip(level).map(|(f, level)| Found {
                level,
                message: format!("{}; so for {have} of {symbols} symbols", f.message),
                rows: f.rows * have as u64,
                ..f
            }));
        } else {
            own.extend(group);
        }
    }
    (of_most, own)
}

fn bars_are(n: usize) -> String {
    if n == 1 { "1 bar is".to_owned() } else { format!("{n} bars are") }
}

fn gap(before: &Bar, after: &Bar, interval: i64, calendar: Calendar, others: Option<&BTreeSet<i64>>) -> Option<Found> {
    let seconds = after.event_at.seconds_since(before.event_at);
    let found = |level, missing: usize, message: String| Found {
        level,
        event_at: Some(before.event_at),
        rows: missing as u64,
        value: Some(seconds),
        threshold: Some(interval as f64),
        message,
    };
    let expected = ((seconds / interval as f64).round() as usize).saturating_sub(1);
    let plain = |missing: usize| {
        let message = format!(
            "{} missing between {} and {}; fetch them, or do not trade across",
            bars_are(missing),
            before.event_at,
            after.event_at
        );
        Some(found(AlertLevel::Warning, missing, message))
    };
    match calendar {
        Calendar::Continuous => (expected > 0).then(|| plain(expected)).flatten(),
        Calendar::Sessions => {
            (expected > 0 && day(before.event_at) == day(after.event_at)).then(|| plain(expected)).flatten()
        }
        Calendar::BusinessDays => {
            let missing: Vec<i64> = (day(before.event_at) + 1..day(after.event_at)).filter(|d| !weekend(*d)).collect();
            let theirs = missing.iter().filter(|d| others.is_some_and(|all| all.contains(d))).count();
            match missing.len() {
                0 => None,
                n if theirs > 0 => {
                    let message = format!(
                        "{} missing after {}; other symbols have {theirs} of them",
                        bars_are(n),
                        before.event_at
                    );
                    Some(found(AlertLevel::Warning, n, message))
                }
                n if n == 1 || (others.is_some() && n <= 2) => {
                    let message =
                        format!("no bar on the business day after {}: a holiday, by its looks", before.event_at);
                    Some(found(AlertLevel::Note, n, message))
                }
                n => plain(n),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::QualityConfig;
    use super::*;
    use artifacts::rows::QualityFinding;

    fn bar(symbol: &str, at: &str) -> Bar {
        let event_at: Timestamp = at.parse().unwrap();
        let (symbol, available_at) = (symbol.to_owned(), event_at);
        Bar { symbol, event_at, available_at, open: None, high: None, low: None, close: 1.0, volume: None }
    }

    fn run(bars: &[Bar], interval: i64) -> Vec<QualityFinding> {
        let config = QualityConfig::default();
        let mut findings = Findings::new(&config, "x");
        check(bars, interval, &mut findings);
        findings.rows
    }

    /// Weekdays of four weeks from Monday 2025-03-03 on, without `left_out`.
    fn weekdays(symbol: &str, left_out: &[i64]) -> Vec<Bar> {
        let days = (0..28).filter(|d| d % 7 < 5 && !left_out.contains(d));
        days.map(|d| bar(symbol, &format!("2025-03-{:02}", d + 3))).collect()
    }

    #[test]
    fn hours_without_a_gap_are_clean_and_a_planted_gap_is_counted() {
        let hours = |skip: &[i64]| -> Vec<Bar> {
            let start: Timestamp = "2025-03-01".parse().unwrap();
            (0..100)
                .filter(|h| !skip.contains(h))
                .map(|h| bar("X", &start.plus_seconds(h * 3600).to_string()))
                .collect()
        };
        assert!(run(&hours(&[]), 3600).is_empty());
        let found = run(&hours(&[10, 11, 50]), 3600);
        assert_eq!(
            found.iter().map(|f| (f.rows, f.value)).collect::<Vec<_>>(),
            [(2, Some(10_800.0)), (1, Some(7200.0))]
        );
        assert_eq!(found[0].event_at, "2025-03-01T09:00:00Z".parse().ok());
    }

    #[test]
    fn weekends_are_no_gaps_and_one_missing_weekday_may_be_a_holiday() {
        assert!(run(&weekdays("X", &[]), 86_400).is_empty());
        let holiday = run(&weekdays("X", &[9]), 86_400);
        assert_eq!((holiday.len(), holiday[0].level, holiday[0].rows), (1, AlertLevel::Note, 1));
        let week = run(&weekdays("X", &[7, 8, 9, 10, 11]), 86_400);
        assert_eq!((week.len(), week[0].level, week[0].rows), (1, AlertLevel::Warning, 5));
    }

    #[test]
    fn a_day_that_other_symbols_have_is_no_holiday() {
        let both = [weekdays("A", &[9]), weekdays("B", &[9])].concat();
        assert!(run(&both, 86_400).iter().all(|f| f.level == AlertLevel::Note));
        let one = [weekdays("A", &[9]), weekdays("B", &[])].concat();
        let found = run(&one, 86_400);
        assert_eq!((found.len(), found[0].level, found[0].symbol.as_str()), (1, AlertLevel::Warning, "A"));
    }

    #[test]
    fn a_gap_that_most_symbols_share_is_one_finding() {
        let all: Vec<Bar> = ["A", "B", "C", "D", "E"].iter().flat_map(|s| weekdays(s, &[7, 8, 9, 10, 11])).collect();
        let found = run(&all, 86_400);
        assert_eq!(
            (found.len(), found[0].symbol.as_str(), found[0].rows, found[0].level),
            (1, "", 25, AlertLevel::Warning)
        );
        assert!(found[0].message.contains("5 bars are missing") && found[0].message.ends_with("5 of 5 symbols"));
    }

    #[test]
    fn a_symbol_with_few_bars_is_named() {
        let found = run(&[weekdays("A", &[]), weekdays("SPY", &[])[..5].to_vec()].concat(), 86_400);
        assert_eq!((found.len(), found[0].check_name.as_str(), found[0].symbol.as_str()), (1, "short-series", "SPY"));
    }
}
