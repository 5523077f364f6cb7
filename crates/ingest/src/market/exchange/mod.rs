//! What exchanges say: JSON of WebSockets and of REST, in the two shapes that most of them copy.

mod http;
mod klines;
mod messages;

pub use http::Patience;
pub(crate) use http::{Fetched, Http, without_query};
pub(crate) use klines::{RestKlines, cached, fetch, file_name, fingerprint};
pub use klines::{RestSource, Shape};
pub(crate) use messages::{Event, Trade, parse};

use artifacts::Timestamp;
use artifacts::rows::Bar;
use serde_json::Value;

/// A candle as an exchange tells it, before anyone knows whose it is and how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candle {
    pub(crate) event_at: Timestamp,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: f64,
}

impl Candle {
    /// The bar of this candle: available at the end of its interval.
    pub(crate) fn bar(&self, symbol: &str, interval: i64) -> Bar {
        Bar {
            symbol: symbol.to_owned(),
            event_at: self.event_at,
            available_at: self.event_at.plus_seconds(interval),
            open: Some(self.open),
            high: Some(self.high),
            low: Some(self.low),
            close: self.close,
            volume: Some(self.volume),
        }
    }
}

/// A number that may be written as a text, as exchanges do to keep its decimals.
fn number(value: Option<&Value>, name: &str) -> Result<f64, String> {
    let found = value.ok_or_else(|| format!("no {name}"))?;
    let number = match found {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    };
    number.filter(|n| n.is_finite()).ok_or_else(|| format!("{name} is {found}, not a number"))
}

/// A moment in milliseconds since 1970.
fn milliseconds(value: Option<&Value>, name: &str) -> Result<Timestamp, String> {
    let value = value.ok_or_else(|| format!("no {name}"))?;
    let whole = value.as_i64().ok_or_else(|| format!("{name} is {value}, not milliseconds since 1970"))?;
    Ok(Timestamp::from_micros(whole.saturating_mul(1000)))
}
