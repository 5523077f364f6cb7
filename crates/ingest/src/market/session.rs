use artifacts::Timestamp;

/// Open and close of the session of New York's exchanges on the date that `stamp` falls on, in UTC: 9:30 and 16:00 there.
pub(super) fn us_session(stamp: Timestamp) -> (Timestamp, Timestamp) {
    const DAY: i64 = 86_400_000_000;
    let midnight = Timestamp::from_micros(stamp.micros().div_euclid(DAY) * DAY);
    // The clock changes on Sundays, when there is no session: the date alone decides.
    let behind = if summer_time(midnight) { 4 } else { 5 };
    (midnight.plus_seconds(behind * 3600 + 34_200), midnight.plus_seconds(behind * 3600 + 57_600))
}

/// Whether New York has summer time on a date: since 2007 from the second Sunday of March to the first of November; from 1987 on from the
/// first Sunday of April to the last of October, before that from the last of April.
fn summer_time(date: Timestamp) -> bool {
    let text = date.to_string();
    let year: i64 = text.get(..4).and_then(|y| y.parse().ok()).unwrap_or(1970);
    let (from, until) = match year {
        2007.. => (sunday(year, 3, 8), sunday(year, 11, 1)),
        1987.. => (sunday(year, 4, 1), sunday(year, 10, 25)),
        _ => (sunday(year, 4, 24), sunday(year, 10, 25)),
    };
    from.zip(until).is_some_and(|(from, until)| date >= from && date < until)
}

/// The first Sunday on or after a day of a month.
fn sunday(year: i64, month: u32, day: u32) -> Option<Timestamp> {
    let first: Timestamp = format!("{year:04}-{month:02}-{day:02}").parse().ok()?;
    // 1970-01-01 was a Thursday.
    let days = first.micros().div_euclid(86_400_000_000);
    let weekday = (days + 4).rem_euclid(7);
    Some(first.plus_seconds((7 - weekday) % 7 * 86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_at_four_in_new_york_in_summer_and_in_winter() {
        let cases = [
            ("2025-03-07", "2025-03-07T14:30:00Z", "2025-03-07T21:00:00Z"),
            ("2025-03-10", "2025-03-10T13:30:00Z", "2025-03-10T20:00:00Z"),
            ("2025-10-31 12:00", "2025-10-31T13:30:00Z", "2025-10-31T20:00:00Z"),
            ("2025-11-03", "2025-11-03T14:30:00Z", "2025-11-03T21:00:00Z"),
            // The rule before 2007.
            ("2006-03-31", "2006-03-31T14:30:00Z", "2006-03-31T21:00:00Z"),
            ("2006-04-03", "2006-04-03T13:30:00Z", "2006-04-03T20:00:00Z"),
            ("2006-10-30", "2006-10-30T14:30:00Z", "2006-10-30T21:00:00Z"),
            ("1986-04-25", "1986-04-25T14:30:00Z", "1986-04-25T21:00:00Z"),
            ("1986-04-28", "1986-04-28T13:30:00Z", "1986-04-28T20:00:00Z"),
        ];
        for (date, open, close) in cases {
            let (o, c) = us_session(date.parse().unwrap());
            assert_eq!((o.to_string().as_str(), c.to_string().as_str()), (open, close), "{date}");
        }
    }
}
