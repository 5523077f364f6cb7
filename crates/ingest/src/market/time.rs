use super::config::TimeFormat;
use crate::table::Cell;
use artifacts::Timestamp;

/// Seconds since 1970 at the end of the year 9999: a number beyond it is no time, and distances between times stay small enough.
const LAST: i64 = 253_402_300_799;

/// Whether a moment is one that a source can mean: between the years 1 and 9999.
pub(super) fn plausible(time: Timestamp) -> bool {
    (-62_135_596_800_000_000..=LAST * 1_000_000).contains(&time.micros())
}

/// Reads a stamp. Nothing where the cell is empty.
///
/// # Errors
/// What is wrong with it, for a message.
pub(super) fn stamp(cell: &Cell, format: &TimeFormat) -> Result<Option<Timestamp>, String> {
    match read(cell, format)? {
        Some(time) if !plausible(time) => {
            Err(format!("`{}` lies outside of the years 1 to 9999", cell.text().unwrap_or_else(|| time.to_string())))
        }
        time => Ok(time),
    }
}

fn read(cell: &Cell, format: &TimeFormat) -> Result<Option<Timestamp>, String> {
    let shift = -(format.utc_offset_hours * 3600.0).round() as i64;
    match cell {
        Cell::Time(t) => return Ok(Some(t.plus_seconds(shift))),
        Cell::Integer(i) => return Ok(Some(since_1970(*i))),
        _ => {}
    }
    let Some(text) = cell.text() else { return Ok(None) };
    let text = text.trim();
    if let Some(pattern) = &format.pattern {
        let time = Timestamp::parse_with(text, pattern)
            .map_err(|_| format!("`{text}` is not a time in the form {pattern}"))?;
        return Ok(Some(time.plus_seconds(shift)));
    }
    if text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map(|i| Some(since_1970(i))).map_err(|_| format!("`{text}` is not a time"));
    }
    let has_zone = text.ends_with(['Z', 'z']) || text.get(10..).is_some_and(|t| t.contains(['+', '-']));
    let read = text.parse().ok().or_else(|| {
        ["%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y"].iter().find_map(|p| Timestamp::parse_with(text, p).ok())
    });
    match read {
        Some(time) => Ok(Some(time.plus_seconds(if has_zone { 0 } else { shift }))),
        None => Err(format!("`{text}` is not a time")),
    }
}

/// Seconds, milliseconds or microseconds: each covers the years 1973 to 5138 in a range of its own.
fn since_1970(value: i64) -> Timestamp {
    match value.unsigned_abs() {
        0..100_000_000_000 => Timestamp::from_seconds(value),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_micros(value.saturating_mul(1000)),
        _ => Timestamp::from_micros(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_one_moment_is_the_same() {
        let utc = TimeFormat::default();
        let est = TimeFormat { pattern: None, utc_offset_hours: -5.0 };
        let expected = "2025-02-24T05:00:00Z".parse().unwrap();
        let read = |text: &str, format| stamp(&Cell::Text(text.to_owned()), format).unwrap().unwrap();
        assert_eq!(read("2/24/2025 0:00", &est), expected);
        assert_eq!(read("2025-02-24 00:00:00.000000", &est), expected);
        assert_eq!(read("2025-02-24T05:00:00Z", &est), expected, "a zone in the stamp wins");
        assert_eq!(read("1740373200", &utc), expected);
        assert_eq!(stamp(&Cell::Integer(1_740_373_200_000), &utc).unwrap(), Some(expected));
        assert_eq!(stamp(&Cell::Text("  ".into()), &utc), Ok(None));
        assert!(stamp(&Cell::Text("yesterday".into()), &utc).is_err());
    }

    #[test]
    fn a_number_beyond_the_year_9999_is_no_time() {
        let utc = TimeFormat::default();
        for number in [i64::MAX, i64::MIN, LAST * 1_000_000 + 1] {
            let message = stamp(&Cell::Integer(number), &utc).unwrap_err();
            assert!(message.contains(&number.to_string()) && message.contains("9999"), "{message}");
        }
        let far = Timestamp::from_micros(i64::MAX);
        assert!(stamp(&Cell::Time(far), &utc).is_err());
        assert!(stamp(&Cell::Integer(LAST), &utc).unwrap().is_some());
    }
}
