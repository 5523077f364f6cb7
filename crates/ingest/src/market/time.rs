use super::config::TimeFormat;
use crate::table::Cell;
use artifacts::Timestamp;

/// Reads a stamp. Nothing where the cell is empty.
///
/// # Errors
/// What is wrong with it, for a message.
pub(super) fn stamp(cell: &Cell, format: &TimeFormat) -> Result<Option<Timestamp>, String> {
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
}
