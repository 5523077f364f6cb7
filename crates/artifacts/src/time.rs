use crate::Error;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z (the unit of Arrow's `Timestamp(Microsecond, "UTC")`).
///
/// ```
/// use artifacts::Timestamp;
/// let t: Timestamp = "2025-02-24 00:10".parse()?;
/// assert_eq!(t.to_string(), "2025-02-24T00:10:00Z");
/// # Ok::<(), artifacts::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This moment moved by `seconds` (negative: earlier), saturating.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Seconds from `earlier` to this moment.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1e6
    }

    /// Reads a time written without a zone as UTC, in a `chrono` format such as `%m/%d/%Y %H:%M`.
    pub fn parse_with(value: &str, format: &str) -> Result<Self, Error> {
        NaiveDateTime::parse_from_str(value, format)
            .or_else(|_| NaiveDate::parse_from_str(value, format).map(|d| d.and_time(chrono::NaiveTime::MIN)))
            .map(|t| Self(t.and_utc().timestamp_micros()))
            .map_err(|_| Error::BadTime { value: value.to_owned() })
    }
}

impl std::str::FromStr for Timestamp {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self, Error> {
        if let Ok(t) = DateTime::parse_from_rfc3339(value) {
            return Ok(Self(t.timestamp_micros()));
        }
        ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
            .iter()
            .find_map(|format| Self::parse_with(value, format).ok())
            .ok_or_else(|| Error::BadTime { value: value.to_owned() })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(t) => f.write_str(&t.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl From<Timestamp> for String {
    fn from(t: Timestamp) -> Self {
        t.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = Error;

    fn try_from(value: String) -> Result<Self, Error> {
        value.parse()
    }
}
