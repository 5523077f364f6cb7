//! Dates and times in a text, however they are written.

use super::token::{Kind, Token, tokens, without};
use artifacts::Timestamp;
use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

/// A date or a time as a text gives it: often only a part of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Moment {
    /// A day; the year may be left out.
    Day { year: Option<i32>, month: u32, day: u32 },
    /// A time of day. The minute may be left out (`5 am`).
    Clock { hour: u32, minute: Option<u32> },
    /// A day of the week, Monday 0.
    Weekday(u32),
    /// So many seconds before now, written in units of `unit` seconds.
    Ago { seconds: f64, unit: f64 },
    /// So many days before today: 0 today, 1 yesterday.
    DaysBack(i64),
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const UNITS: [(&[&str], f64); 5] = [
    (&["second", "seconds", "sec", "secs"], 1.0),
    (&["minute", "minutes", "min", "mins"], 60.0),
    (&["hour", "hours", "hr", "hrs", "h"], 3_600.0),
    (&["day", "days"], 86_400.0),
    (&["week", "weeks"], 604_800.0),
];
const AGO: [&str; 6] = ["ago", "earlier", "before", "prior", "back", "old"];

/// Every moment that a text names, and the text with them blanked out.
pub(crate) fn moments(text: &str) -> (Vec<Moment>, String) {
    let (mut found, mut ranges) = (Vec::new(), Vec::new());
    let iso = iso_dates(text, &mut found, &mut ranges);
    let list = tokens(&iso);
    let mut i = 0;
    while i < list.len() {
        let rest = &list[i..];
        let before = i.checked_sub(1).and_then(|p| list.get(p));
        let read = slashed(rest, before)
            .or_else(|| clock(rest))
            .or_else(|| month_first(rest))
            .or_else(|| day_first(rest))
            .or_else(|| ago(rest))
            .or_else(|| named(rest, before));
        if let Some((moment, taken)) = read {
            found.push(moment);
            if let (Some(first), Some(last)) = (rest.first(), rest.get(taken - 1)) {
                ranges.push((first.start, last.end()));
            }
            i += taken;
        } else {
            i += 1;
        }
    }
    (found, without(text, &ranges))
}

/// `2025-02-24`, alone or with a time behind `T` or a space; the text without them.
fn iso_dates(text: &str, found: &mut Vec<Moment>, ranges: &mut Vec<(usize, usize)>) -> String {
    let bytes = text.as_bytes();
    let digits = |from: usize, n: usize| -> Option<u32> {
        let part = bytes.get(from..from + n)?;
        part.iter().all(u8::is_ascii_digit).then(|| part.iter().fold(0, |v, d| v * 10 + u32::from(d - b'0')))
    };
    let mark = |at: usize, marks: &[u8]| bytes.get(at).is_some_and(|b| marks.contains(b));
    let mut i = 0;
    while i < bytes.len() {
        let begins = i == 0 || !bytes[i - 1].is_ascii_alphanumeric();
        let parts = (digits(i, 4), digits(i + 5, 2), digits(i + 8, 2));
        let (true, (Some(year), Some(month), Some(day))) = (begins && mark(i + 4, b"-/"), parts) else {
            i += 1;
            continue;
        };
        let ends = !bytes.get(i + 10).is_some_and(u8::is_ascii_digit);
        if !(mark(i + 7, b"-/") && ends && NaiveDate::from_ymd_opt(year.cast_signed(), month, day).is_some()) {
            i += 1;
            continue;
        }
        found.push(Moment::Day { year: Some(year.cast_signed()), month, day });
        let mut end = i + 10;
        if let (true, Some(hour), true, Some(minute)) =
            (mark(end, b"T "), digits(end + 1, 2), mark(end + 3, b":"), digits(end + 4, 2))
        {
            found.push(Moment::Clock { hour, minute: Some(minute) });
            end += 6;
            if mark(end, b":") && digits(end + 1, 2).is_some() {
                end += 3;
            }
            if mark(end, b".") && digits(end + 1, 1).is_some() {
                end += 1;
                while digits(end, 1).is_some() {
                    end += 1;
                }
            }
            if mark(end, b"Z") {
                end += 1;
            }
        }
        ranges.push((i, end));
        i = end;
    }
    without(text, ranges)
}

fn whole(token: Option<&Token<'_>>) -> Option<u32> {
    let token = token.filter(|t| t.kind == Kind::Number && t.text.len() <= 4)?;
    token.text.parse().ok()
}

/// `2/24/2025`, `24.2.2025`; `2/24` only after `on`.
fn slashed(rest: &[Token<'_>], before: Option<&Token<'_>>) -> Option<(Moment, usize)> {
    let first = rest.first()?;
    if first.kind == Kind::Number && first.text.matches('.').count() == 2 {
        let mut parts = first.text.split('.').map(str::parse::<u32>);
        let (day, month, year) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
        let year = if year < 100 { year + 2000 } else { year };
        return Some((day_of(Some(year), month, day)?, 1));
    }
    let (month, day) = (whole(Some(first))?, whole(rest.get(2))?);
    if !rest.get(1)?.is("/") {
        return None;
    }
    if rest.get(3).is_some_and(|t| t.is("/"))
        && let Some(year) = whole(rest.get(4))
    {
        let year = if year < 100 { year + 2000 } else { year };
        // Where the first number cannot be a month the order is the other one.
        return Some((day_of(Some(year), month, day).or_else(|| day_of(Some(year), day, month))?, 5));
    }
    let on = before.is_some_and(|b| matches!(b.lower().as_str(), "on" | "from" | "since"));
    if on { Some((day_of(None, month, day)?, 3)) } else { None }
}

fn day_of(year: Option<u32>, month: u32, day: u32) -> Option<Moment> {
    let year = year.map(u32::cast_signed);
    // 2024 is a leap year: without a year 29 February is a day.
    NaiveDate::from_ymd_opt(year.unwrap_or(2024), month, day)?;
    Some(Moment::Day { year, month, day })
}

/// `5:10`, `05:10:00`, `5:10 pm`, `5 am`, with a zone that must be UTC or none.
fn clock(rest: &[Token<'_>]) -> Option<(Moment, usize)> {
    let mut hour = whole(rest.first())?;
    let (mut minute, mut taken) = (None, 1);
    if rest.get(1).is_some_and(|t| t.is(":") && !t.spaced)
        && let Some(m) = rest.get(2).filter(|t| t.text.len() == 2 && !t.spaced).and_then(|t| whole(Some(t)))
    {
        (minute, taken) = (Some(m), 3);
        if rest.get(3).is_some_and(|t| t.is(":") && !t.spaced) && whole(rest.get(4)).is_some() {
            taken = 5;
        }
    }
    let half = rest.get(taken).map(Token::lower);
    let afternoon = match half.as_deref() {
        Some("am") => Some(false),
        Some("pm") => Some(true),
        Some(half @ ("a" | "p")) if rest.get(taken + 1).is_some_and(|t| t.is(".")) => {
            taken += 2 + usize::from(rest.get(taken + 3).is_some_and(|t| t.is(".")));
            Some(half == "p")
        }
        _ => None,
    };
    match (afternoon, half.as_deref()) {
        (Some(pm), Some("am" | "pm")) => {
            taken += 1;
            hour = hour % 12 + if pm { 12 } else { 0 };
        }
        (Some(pm), _) => hour = hour % 12 + if pm { 12 } else { 0 },
        (None, _) => {}
    }
    let zone = rest.get(taken).is_some_and(|t| matches!(t.text, "UTC" | "GMT" | "Z"));
    if minute.is_none() && zone && rest.first().is_some_and(|t| t.text.len() == 4) {
        (hour, minute) = (hour / 100, Some(hour % 100));
    }
    let given = minute.is_some() || afternoon.is_some();
    let clock = Moment::Clock { hour, minute };
    (given && hour < 24 && minute.is_none_or(|m| m < 60)).then_some((clock, taken + usize::from(zone)))
}

fn month(token: Option<&Token<'_>>) -> Option<u32> {
    let token = token.filter(|t| t.kind == Kind::Word && t.capital())?;
    let word = token.lower();
    let matches = |name: &&str| **name == word || (word.len() >= 3 && word.len() <= 4 && name.starts_with(&word));
    MONTHS.iter().position(matches).map(|m| m as u32 + 1)
}

/// `24`, `24th`: the day and how many tokens it takes.
fn day(rest: &[Token<'_>]) -> Option<(u32, usize)> {
    let day = whole(rest.first()).filter(|d| (1..=31).contains(d))?;
    let suffix = rest.get(1).is_some_and(|t| !t.spaced && matches!(t.text, "st" | "nd" | "rd" | "th"));
    let clock =
        rest.get(1).is_some_and(|t| t.is(":")) && rest.get(2).is_some_and(|t| t.kind == Kind::Number && !t.spaced);
    let part = clock || rest.get(1).is_some_and(|t| !t.spaced && t.is("%"));
    if part { None } else { Some((day, 1 + usize::from(suffix))) }
}

/// A year behind a day, with or without a comma: the year and how many tokens it takes.
fn year(rest: &[Token<'_>]) -> Option<(u32, usize)> {
    let comma = usize::from(rest.first().is_some_and(|t| t.is(",")));
    let year = whole(rest.get(comma)).filter(|y| (1900..2100).contains(y))?;
    Some((year, comma + 1))
}

/// `Feb 24`, `Feb. 24th, 2025`.
fn month_first(rest: &[Token<'_>]) -> Option<(Moment, usize)> {
    let month = month(rest.first())?;
    let dot = usize::from(rest.get(1).is_some_and(|t| t.is(".") && !t.spaced));
    let (day, taken) = day(rest.get(1 + dot..)?)?;
    let taken = 1 + dot + taken;
    let (year, more) = year(rest.get(taken..)?).map_or((None, 0), |(y, n)| (Some(y), n));
    Some((day_of(year, month, day)?, taken + more))
}

/// `24 Feb 2025`, `the 24th of February`.
fn day_first(rest: &[Token<'_>]) -> Option<(Moment, usize)> {
    let (day, mut taken) = day(rest)?;
    taken += usize::from(rest.get(taken).is_some_and(|t| t.is("of")));
    let month = month(rest.get(taken))?;
    taken += 1;
    let (year, more) = year(rest.get(taken..)?).map_or((None, 0), |(y, n)| (Some(y), n));
    Some((day_of(year, month, day)?, taken + more))
}

/// `two hours ago`, `30 minutes earlier`, `half an hour before`, `a day old`.
fn ago(rest: &[Token<'_>]) -> Option<(Moment, usize)> {
    let word = rest.first()?.lower();
    let (count, mut taken) = match word.as_str() {
        "half" => (0.5, 1 + usize::from(matches!(rest.get(1)?.lower().as_str(), "an" | "a"))),
        "a" | "an" => (1.0, 1),
        _ => (super::quantity::small_number(&word).or_else(|| word.parse().ok())?, 1),
    };
    taken += usize::from(rest.get(taken).is_some_and(|t| t.is("-")));
    let unit_word = rest.get(taken)?.lower();
    let (unit_word, joined) = unit_word.strip_suffix("-old").map_or((unit_word.as_str(), false), |u| (u, true));
    let unit = UNITS.iter().find(|(words, _)| words.contains(&unit_word))?.1;
    taken += 1;
    if !joined {
        taken += usize::from(rest.get(taken).is_some_and(|t| t.is("-")));
        let said = AGO.contains(&rest.get(taken)?.lower().as_str());
        if !said {
            return None;
        }
        taken += 1;
    }
    Some((Moment::Ago { seconds: count * unit, unit }, taken))
}

/// `Monday`, `yesterday`, `noon`.
fn named(rest: &[Token<'_>], before: Option<&Token<'_>>) -> Option<(Moment, usize)> {
    let token = rest.first().filter(|t| t.kind == Kind::Word)?;
    let word = token.lower();
    let word = word.strip_suffix("'s").unwrap_or(&word);
    let moment = match word {
        "today" => Moment::DaysBack(0),
        "yesterday" => Moment::DaysBack(1),
        "midnight" => Moment::Clock { hour: 0, minute: Some(0) },
        "noon" => Moment::Clock { hour: 12, minute: Some(0) },
        _ if !token.capital() => return None,
        _ => {
            let short = before.is_some() && matches!(word, "mon" | "tue" | "tues" | "wed" | "thu" | "thurs" | "fri");
            let day = WEEKDAYS.iter().position(|name| *name == word || (short && name.starts_with(word)))?;
            Moment::Weekday(day as u32)
        }
    };
    Some((moment, 1))
}

fn utc(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(at.micros())
}

impl Moment {
    /// Whether it names (a part of) the moment `at`, said at `now`. `slack` is how far `now` may be off, in seconds.
    pub(crate) fn names(self, at: Timestamp, now: Timestamp, slack: f64) -> bool {
        let (Some(at_utc), Some(now_utc)) = (utc(at), utc(now)) else { return false };
        match self {
            Self::Day { year, month, day } => {
                (at_utc.month(), at_utc.day()) == (month, day) && year.is_none_or(|y| y == at_utc.year())
            }
            Self::Clock { hour, minute } => at_utc.hour() == hour && minute.is_none_or(|m| m == at_utc.minute()),
            Self::Weekday(day) => at_utc.weekday().num_days_from_monday() == day,
            Self::Ago { seconds, unit } => {
                let age = now.seconds_since(at);
                (age - seconds).abs() <= (0.5 * unit).max(0.1 * seconds) + slack
            }
            Self::DaysBack(days) => (now_utc.date_naive() - at_utc.date_naive()).num_days() == days,
        }
    }

    /// Whether another text's moment says the same, as far as both say.
    pub(crate) fn agrees(self, other: Self) -> bool {
        match (self, other) {
            (Self::Day { year: a, month: m, day: d }, Self::Day { year: b, month: n, day: e }) => {
                (m, d) == (n, e) && (a.is_none() || b.is_none() || a == b)
            }
            (Self::Clock { hour: a, minute: m }, Self::Clock { hour: b, minute: n }) => {
                a == b && (m.is_none() || n.is_none() || m == n)
            }
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Moment {
        let (found, rest) = moments(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}, left {rest:?}");
        assert!(!rest.contains(|c: char| c.is_ascii_digit()), "{text}: {rest:?}");
        found[0]
    }

    #[test]
    fn a_day_is_read_in_every_usual_form() {
        let day = |year| Moment::Day { year, month: 2, day: 24 };
        for text in
            ["2025-02-24", "on 2/24/2025", "24.2.2025", "Feb 24, 2025", "February 24th 2025", "the 24th of Feb 2025"]
        {
            assert_eq!(only(text), day(Some(2025)));
        }
        assert_eq!((only("on 2/24"), only("Feb. 24"), only("24 February")), (day(None), day(None), day(None)));
        assert!(moments("a score of 8/10, may 5 percent fall").0.is_empty());
    }

    #[test]
    fn a_time_of_day_is_read_with_and_without_halves() {
        let at = |hour, minute| Moment::Clock { hour, minute };
        assert_eq!(
            (only("at 5:10"), only("05:10 UTC"), only("5:10 pm")),
            (at(5, Some(10)), at(5, Some(10)), at(17, Some(10)))
        );
        assert_eq!(
            (only("5 am"), only("5:10 p.m. sharp"), only("0510 UTC")),
            (at(5, None), at(17, Some(10)), at(5, Some(10)))
        );
        let (found, rest) = moments("2025-02-24T05:10:00Z");
        assert_eq!((found.len(), rest.trim()), (2, ""));
    }

    #[test]
    fn how_long_ago_counts_from_now_within_half_a_unit() {
        let (at, now): (Timestamp, Timestamp) =
            ("2025-02-24T03:20:00Z".parse().unwrap(), "2025-02-24T05:10:00Z".parse().unwrap());
        assert!(only("two hours ago").names(at, now, 0.0) && only("110 minutes earlier").names(at, now, 0.0));
        assert!(!only("an hour ago").names(at, now, 0.0) && !only("3 hours before").names(at, now, 0.0));
        assert!(only("today").names(at, now, 0.0) && !only("yesterday").names(at, now, 0.0));
        assert!(only("on Monday").names(at, now, 0.0) && !only("on Tuesday").names(at, now, 0.0));
    }
}
