//! Dates on an axis: round moments, and as much of the date as their distance needs. Times are seconds since 1970, UTC.

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Steps in seconds, then in months.
const STEPS: [i64; 17] = [
    1,
    5,
    15,
    30,
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    7 * DAY,
    14 * DAY,
];
const MONTH_STEPS: [i64; 9] = [1, 3, 6, 12, 24, 60, 120, 240, 600];
/// Years beyond this are not dates of any data set; an axis of them falls back to its two ends.
const FAR: f64 = 1e11;

/// At most `count` round moments within `low..=high`, with their texts.
pub(crate) fn ticks(low: f64, high: f64, count: u32) -> Vec<(f64, String)> {
    let (low, high) = (low.clamp(-FAR, FAR), high.clamp(-FAR, FAR));
    let count = count.max(2);
    for step in STEPS {
        if (high - low) / step as f64 <= f64::from(count) {
            let (first, last) = ((low / step as f64).ceil() as i64, (high / step as f64).floor() as i64);
            return (first..=last).map(|k| (k * step, step)).map(|(t, s)| (t as f64, text(t, s))).collect();
        }
    }
    let month = |t: f64| {
        let (year, month, _) = date((t as i64).div_euclid(DAY));
        year * 12 + month - 1
    };
    let (from, to) = (month(low), month(high) + 1);
    for step in MONTH_STEPS {
        if (to - from) / step < i64::from(count) {
            let firsts = (from.div_euclid(step)..=to.div_euclid(step)).map(|k| day_of_month(k * step) * DAY);
            let inside = firsts.filter(|t| (low..=high).contains(&(*t as f64)));
            return inside.map(|t| (t as f64, text(t, 31 * DAY * step))).collect();
        }
    }
    [low, high].iter().map(|t| (*t, text(*t as i64, 365 * DAY))).collect()
}

/// A moment, as precisely as `step` seconds need.
fn text(t: i64, step: i64) -> String {
    let (days, second) = (t.div_euclid(DAY), t.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let (h, m, s) = (second / HOUR, second / MINUTE % 60, second % 60);
    match step {
        s_ if s_ < MINUTE => format!("{h:02}:{m:02}:{s:02}"),
        s_ if s_ < DAY => format!("{month:02}-{day:02} {h:02}:{m:02}"),
        s_ if s_ < 28 * DAY => format!("{year}-{month:02}-{day:02}"),
        _ => format!("{year}-{month:02}"),
    }
}

/// Year, month and day of a day since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// The first day of a month counted from year 0 (same source).
fn day_of_month(months: i64) -> i64 {
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64, count: u32) -> Vec<String> {
        ticks(low, high, count).into_iter().map(|(_, t)| t).collect()
    }

    #[test]
    fn two_days_of_bars_get_hours_and_years_get_months() {
        let start = 1_740_355_200.0; // 2025-02-24
        assert_eq!(texts(start, start + 172_200.0, 5), ["02-24 00:00", "02-24 12:00", "02-25 00:00", "02-25 12:00"]);
        assert_eq!(texts(start, start + 3.0 * 31_536_000.0, 4), ["2026-01", "2027-01", "2028-01"]);
        assert_eq!(texts(start, start + 40.0 * 86_400.0, 4), ["2025-02-27", "2025-03-13", "2025-03-27"]);
    }

    #[test]
    fn a_day_and_its_date_belong_together() {
        for day in (-200_000..200_000).step_by(97) {
            let (year, month, of_month) = date(day);
            assert_eq!(day_of_month(year * 12 + month - 1) + of_month - 1, day);
        }
        assert_eq!(date(0), (1970, 1, 1));
    }
}
