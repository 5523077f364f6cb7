use super::{Candle, Fetched, Http, Patience, milliseconds, number};
use crate::Error;
use artifacts::rows::Bar;
use artifacts::{Checks, Seed, Timestamp, read_all, write_all};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whose JSON a REST endpoint speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// `GET url?symbol=…&interval=1m&startTime=…&endTime=…&limit=1000` gives `[[open time in ms, "open", "high", "low", "close",
    /// "volume", close time in ms, …], …]`, oldest first.
    #[default]
    Binance,
    /// `GET url?granularity=60&start=…&end=…` (the product is in the address) gives `[[time in s, low, high, open, close, volume],
    /// …]`, newest first, 300 at most.
    Coinbase,
}

/// Bars from the REST endpoint of an exchange.
///
/// A candle is available at the end of its interval. One whose interval was not over by the server's own clock (its `Date` header) is
/// left out: its close is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestSource {
    /// For messages, and the name of the cached rows.
    pub name: String,
    /// The address, up to the question mark.
    pub url: String,
    /// How it asks and answers.
    #[serde(default)]
    pub shape: Shape,
    /// The symbol of the rows.
    pub symbol: String,
    /// The symbol there, such as `BTCUSDT`; where it is not given, `symbol`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_symbol: Option<String>,
    /// Length of a candle.
    pub interval_seconds: i64,
    /// Beginning of the first candle.
    pub start: Timestamp,
    /// No candle that begins at this time or later.
    pub end: Timestamp,
    /// How patiently to ask.
    #[serde(default)]
    pub patience: Patience,
}

impl RestSource {
    /// The file that keeps the fetched rows, below the stage's folder: other settings, another file.
    fn cache(&self, folder: &Path) -> PathBuf {
        let asked = format!(
            "{} {:?} {} {:?} {} {} {}",
            self.url, self.shape, self.symbol, self.remote_symbol, self.interval_seconds, self.start, self.end
        );
        folder.join("cache").join(format!("{}-{}.parquet", file_name(&self.name), fingerprint(&asked)))
    }
}

/// Sixteen hexadecimal digits that tell settings apart.
pub(crate) fn fingerprint(settings: &str) -> String {
    format!("{:016x}", Seed(0).derive(settings).0)
}

/// A name as part of a file's name.
pub(crate) fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).take(60).collect()
}

/// The cached rows of a source; asks the exchange only where there are none. To ask again, delete the file.
pub(crate) fn fetch(source: &RestSource, folder: &Path) -> Result<PathBuf, Error> {
    let path = source.cache(folder);
    if path.is_file() {
        return Ok(path);
    }
    let remote = source.remote_symbol.clone().unwrap_or_else(|| source.symbol.clone());
    let klines = RestKlines::new(&source.url, source.shape, &remote, source.interval_seconds, source.patience)?;
    let candles = klines.range(source.start, source.end)?;
    let bars: Vec<Bar> = candles.iter().map(|c| c.bar(&source.symbol, source.interval_seconds)).collect();
    if bars.is_empty() {
        let message = format!(
            "no candle of {remote} from {} to {}; correct `start`, `end` or `remote_symbol`",
            source.start, source.end
        );
        return Err(Error::BadAnswer { url: super::http::without_query(&source.url), status: 200, tries: 1, message });
    }
    write_all(&path, &bars)?;
    Ok(path)
}

/// The rows that [`fetch`] keeps.
pub(crate) fn cached(path: &Path) -> Result<Vec<Bar>, Error> {
    Ok(read_all(path)?)
}

impl Shape {
    /// Whether such an endpoint has candles of so many seconds.
    pub(crate) fn check(self, interval: i64) -> Result<(), Error> {
        if interval <= 0 {
            return Err(Error::BadConfig(format!("interval_seconds is {interval}; it is above 0")));
        }
        if self == Self::Binance && interval_name(interval).is_none() {
            return Err(Error::BadConfig(format!(
                "{interval} seconds is no interval of this exchange; give one of {}",
                INTERVALS.map(|(s, _)| s.to_string()).join(", ")
            )));
        }
        Ok(())
    }
}

/// Asks one endpoint for candles.
pub(crate) struct RestKlines {
    http: Http,
    url: String,
    shape: Shape,
    symbol: String,
    interval: i64,
}

impl RestKlines {
    pub(crate) fn new(url: &str, shape: Shape, symbol: &str, interval: i64, patience: Patience) -> Result<Self, Error> {
        shape.check(interval)?;
        Ok(Self { http: Http::new(patience)?, url: url.to_owned(), shape, symbol: symbol.to_owned(), interval })
    }

    /// All finished candles that begin at `start` or later and before `end`, oldest first, each once.
    ///
    /// # Errors
    /// The server cannot be reached or keeps answering nonsense; a candle breaks the rules of a bar.
    pub(crate) fn range(&self, start: Timestamp, end: Timestamp) -> Result<Vec<Candle>, Error> {
        let per_page = if self.shape == Shape::Binance { 1000 } else { 300 };
        let mut found: BTreeMap<Timestamp, Candle> = BTreeMap::new();
        let mut from = start;
        while from < end {
            let until = from.plus_seconds(self.interval.saturating_mul(per_page)).min(end);
            let (candles, date) = self.http.get(&self.page(from, until, per_page), &|f| self.read(f))?;
            let inside = |c: &&Candle| c.event_at >= from && c.event_at < end;
            let over = |c: &&Candle| date.is_none_or(|d| c.event_at.plus_seconds(self.interval) <= d);
            let newest = candles.iter().filter(inside).map(|c| c.event_at).max();
            for candle in candles.iter().filter(inside).filter(over) {
                let bar = candle.bar(&self.symbol, self.interval);
                bar.check().map_err(|message| Error::BadAnswer {
                    url: super::http::without_query(&self.url),
                    status: 200,
                    tries: 1,
                    message: format!("the candle at {}: {message}", candle.event_at),
                })?;
                found.insert(candle.event_at, *candle);
            }
            from = newest.map_or(until, |n| n.plus_seconds(self.interval));
        }
        Ok(found.into_values().collect())
    }

    fn page(&self, from: Timestamp, until: Timestamp, limit: i64) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        match self.shape {
            Shape::Binance => format!(
                "{}{separator}symbol={}&interval={}&startTime={}&endTime={}&limit={limit}",
                self.url,
                self.symbol,
                interval_name(self.interval).unwrap_or_default(),
                from.micros().div_euclid(1000),
                until.micros().div_euclid(1000) - 1,
            ),
            // Both ends are part of the answer.
            Shape::Coinbase => format!(
                "{}{separator}granularity={}&start={from}&end={}",
                self.url,
                self.interval,
                until.plus_seconds(-self.interval),
            ),
        }
    }

    fn read(&self, fetched: &Fetched) -> Result<Vec<Candle>, String> {
        let value: Value = serde_json::from_slice(&fetched.bytes).map_err(|e| format!("not JSON: {e}"))?;
        let Some(rows) = value.as_array() else {
            let said: String = value.to_string().chars().take(200).collect();
            return Err(format!("not a list of candles: {said}"));
        };
        rows.iter().enumerate().map(|(i, row)| self.candle(row).map_err(|m| format!("candle {i}: {m}"))).collect()
    }

    fn candle(&self, row: &Value) -> Result<Candle, String> {
        let row = row.as_array().ok_or("not a list")?;
        let at = |i: usize, name: &str| number(row.get(i), name);
        Ok(match self.shape {
            Shape::Binance => Candle {
                event_at: milliseconds(row.first(), "open time")?,
                open: at(1, "open")?,
                high: at(2, "high")?,
                low: at(3, "low")?,
                close: at(4, "close")?,
                volume: at(5, "volume")?,
            },
            Shape::Coinbase => Candle {
                event_at: Timestamp::from_seconds(at(0, "time")? as i64),
                low: at(1, "low")?,
                high: at(2, "high")?,
                open: at(3, "open")?,
                close: at(4, "close")?,
                volume: at(5, "volume")?,
            },
        })
    }
}

const INTERVALS: [(i64, &str); 14] = [
    (1, "1s"),
    (60, "1m"),
    (180, "3m"),
    (300, "5m"),
    (900, "15m"),
    (1800, "30m"),
    (3600, "1h"),
    (7200, "2h"),
    (14_400, "4h"),
    (21_600, "6h"),
    (28_800, "8h"),
    (43_200, "12h"),
    (86_400, "1d"),
    (604_800, "1w"),
];

/// What Binance calls an interval.
pub(crate) fn interval_name(seconds: i64) -> Option<&'static str> {
    INTERVALS.iter().find(|(s, _)| *s == seconds).map(|(_, name)| *name)
}
