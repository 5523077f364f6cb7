use super::exchange::{Patience, RestSource};
use super::quality::QualityConfig;
use crate::Error;
use artifacts::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of [`super::run`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarketConfig {
    /// Keep news only about symbols that have bars.
    pub only_symbols_with_bars: bool,
    /// Price series.
    pub bars: Vec<BarSource>,
    /// Price series whose rows also carry news and numbers, as `gold.csv`.
    pub annotated: Vec<AnnotatedSource>,
    /// News.
    pub news: Vec<NewsSource>,
    /// Logs that `follow` wrote.
    pub logs: Vec<LogSource>,
    /// Price series from the REST endpoint of an exchange; the rows are kept in `cache/` below the output folder.
    pub rest: Vec<RestSource>,
    /// News from RSS, Atom or JSON feeds.
    pub feeds: Vec<FeedSource>,
    /// What to do about a bar that is wrong in itself, there twice or out of order.
    pub bad_bars: BadBars,
    /// Which oddities are reported.
    pub quality: QualityConfig,
}

/// A year of seconds: more is a mistake of unit.
const LONGEST: f64 = 366.0 * 86_400.0;

impl MarketConfig {
    /// Refuses numbers that no source can have.
    pub(super) fn check(&self) -> Result<(), Error> {
        let time = |time: &TimeFormat| ("time.utc_offset_hours", time.utc_offset_hours, -26.0..=26.0);
        let interval = |seconds: Option<i64>| ("bar_interval_seconds", seconds.unwrap_or(1) as f64, 1.0..=LONGEST);
        let delay = |seconds: i64| ("news_delay_seconds", seconds as f64, 0.0..=LONGEST);
        let mut all = Vec::new();
        all.extend(self.bars.iter().map(|s| (&s.name, vec![time(&s.time), interval(s.bar_interval_seconds)])));
        all.extend(self.annotated.iter().map(|s| (&s.name, vec![time(&s.time), interval(s.bar_interval_seconds)])));
        all.extend(self.news.iter().map(|s| (&s.name, vec![time(&s.time), delay(s.news_delay_seconds)])));
        all.extend(self.feeds.iter().map(|s| (&s.name, vec![delay(s.news_delay_seconds)])));
        all.extend(self.rest.iter().map(|s| (&s.name, vec![interval(Some(s.interval_seconds))])));
        for (name, numbers) in all {
            artifacts::settings::within(&numbers)
                .map_err(|e| Error::BadConfig(format!("source `{}`: {e}", artifacts::one_line(name))))?;
        }
        self.quality.check()
    }
}

/// What happens to a bar that cannot be right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadBars {
    /// The run ends with an error that names the row: a backtest on a repaired series is a backtest of the repair.
    #[default]
    Error,
    /// It goes to `rejected.parquet`, with a finding.
    Refuse,
}

/// When a bar can be known, by the rule of its source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    /// At the end of its interval: stamp plus length.
    #[default]
    IntervalEnd,
    /// A daily bar whose stamp is a date of the exchanges in New York: it begins at 9:30 and is available at 16:00 there, that is at
    /// 21:00 UTC in winter and 20:00 in summer. Days that close early are available at 16:00 as well, which is late, never early.
    UsSession,
}

impl Availability {
    /// The rule in words.
    pub(super) fn rule(self, interval: i64) -> String {
        match self {
            Self::IntervalEnd => format!("a bar at the end of its interval: stamp + {interval} s"),
            Self::UsSession => {
                "a daily bar at 16:00 New York of its date (20:00 or 21:00 UTC); it begins at 9:30".to_owned()
            }
        }
    }
}

impl Default for MarketConfig {
    fn default() -> Self {
        Self {
            only_symbols_with_bars: false,
            bars: Vec::new(),
            annotated: vec![AnnotatedSource::default()],
            news: Vec::new(),
            logs: Vec::new(),
            rest: Vec::new(),
            feeds: Vec::new(),
            bad_bars: BadBars::default(),
            quality: QualityConfig::default(),
        }
    }
}

/// A file of bars (open, high, low, close, volume).
///
/// A bar's stamp is the beginning of its interval; when its close is known, `availability` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarSource {
    /// For messages.
    pub name: String,
    /// File or folder below the data folder, or `hf://…`.
    pub path: String,
    /// The symbol of every row, for files without a symbol column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Where what is.
    #[serde(default)]
    pub columns: BarColumns,
    /// How stamps are written.
    #[serde(default)]
    pub time: TimeFormat,
    /// Length of a bar in seconds; where it is not given, the median distance between the stamps of a symbol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bar_interval_seconds: Option<i64>,
    /// When a bar can be known.
    #[serde(default)]
    pub availability: Availability,
    /// When the file was taken from its source: a bar whose interval was not over by then is refused. Where it is not given, the last
    /// bar is only reported if it looks unfinished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Timestamp>,
    /// Symbols whose rows are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave_out: Vec<String>,
}

impl BarSource {
    /// A file with the usual columns.
    pub fn new(name: &str, path: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            symbol: None,
            columns: BarColumns::default(),
            time: TimeFormat::default(),
            bar_interval_seconds: None,
            availability: Availability::default(),
            taken_at: None,
            leave_out: Vec::new(),
        }
    }
}

/// A log of finished bars that a stream was followed into; read as far as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSource {
    /// For messages.
    pub name: String,
    /// The folder of the log, below the data folder.
    pub path: String,
}

/// Names of the columns of bars, the preferred one first; case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BarColumns {
    /// The stamp. The last default is a column without a name, as pandas writes its index.
    pub timestamp: Vec<String>,
    /// The instrument.
    pub symbol: Vec<String>,
    /// First price.
    pub open: Vec<String>,
    /// Highest price.
    pub high: Vec<String>,
    /// Lowest price.
    pub low: Vec<String>,
    /// Last price.
    pub close: Vec<String>,
    /// Traded volume.
    pub volume: Vec<String>,
}

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

impl Default for BarColumns {
    fn default() -> Self {
        Self {
            timestamp: names(["timestamp", "datetime", "date", "time", ""]),
            symbol: names(["symbol", "ticker"]),
            open: names(["open"]),
            high: names(["high"]),
            low: names(["low"]),
            close: names(["close"]),
            volume: names(["volume"]),
        }
    }
}

/// How a source writes times.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeFormat {
    /// A `strftime` pattern; where it is not given: RFC 3339, ISO 8601 without a zone, `M/D/YYYY H:MM`, or seconds, milliseconds
    /// or microseconds since 1970 by their size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// How far the clock of stamps without a zone is ahead of UTC (New York in winter: -5).
    pub utc_offset_hours: f64,
}

/// Rows that hold a close, news about it and numbers about it, with the shape of `gold.csv`.
///
/// When what can be known: the close, the news columns and the numbers at the end of the row's interval (stamp plus interval);
/// the columns of `late_news` one interval later still, because they speak of what comes next; the `signal` column only when the
/// NEXT bar has closed, because it may have been made from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnnotatedSource {
    /// Names the rows' source, such as `gold.csv:summary`.
    pub name: String,
    /// File below the data folder, or `hf://…`.
    pub path: String,
    /// The symbol of every row.
    pub symbol: String,
    /// Whether the rows have a close; without one, no bars are made of them.
    pub has_prices: bool,
    /// Where the stamps and prices are.
    pub columns: BarColumns,
    /// How stamps are written. `gold.csv` has no zone; its sibling table calls the same stamps EST.
    pub time: TimeFormat,
    /// Length of a bar in seconds; where it is not given, the median distance between stamps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar_interval_seconds: Option<i64>,
    /// Columns of text known with the row.
    pub news: Vec<String>,
    /// Columns of text about what comes next.
    pub late_news: Vec<String>,
    /// Columns of numbers known with the row.
    pub observations: Vec<String>,
    /// Columns of names known with the row; each name (or each of a list), in lower case, becomes an observation `column=name` of value
    /// 1.
    pub categories: Vec<String>,
    /// A column of numbers that may have been made from the next bar.
    pub signal: Vec<String>,
}

impl Default for AnnotatedSource {
    fn default() -> Self {
        Self {
            name: "gold.csv".into(),
            path: "gold/gold.csv".into(),
            symbol: "BTC".into(),
            has_prices: true,
            columns: BarColumns::default(),
            time: TimeFormat { pattern: None, utc_offset_hours: -5.0 },
            bar_interval_seconds: None,
            news: names(["summary", "key_factors", "psychology_explanation"]),
            late_news: names(["next_news_prediction"]),
            observations: names(["mvrv_btc_momentum", "spot_volume_daily_sum", "index", "intensity"]),
            categories: names(["dominant_sentiment"]),
            signal: names(["Signal"]),
        }
    }
}

impl AnnotatedSource {
    /// The full table beside `gold.csv`: no close, no signal; lists as Python writes them, stamps in EST.
    pub fn gold_full_table() -> Self {
        Self {
            name: "gold_full_table.csv".into(),
            path: "gold/gold_full_table.csv".into(),
            has_prices: false,
            columns: BarColumns { timestamp: names(["datetime_est"]), ..BarColumns::default() },
            bar_interval_seconds: Some(600),
            news: names(["news_batch_summary", "news_sentiment_explanation", "fg_key_factors"]),
            late_news: names(["next_news_prediction"]),
            observations: names([
                "news_batch_size",
                "news_sentiment_intensity",
                "fg_score",
                "price_change",
                "price_change_pct",
                "volume_zscore",
                "volume_percentile",
                "volatility_10",
                "volatility_30",
                "volatility_60",
                "rsi",
                "ema_7",
                "ema_14",
                "ema_50",
                "ema_200",
                "macd",
                "macd_signal",
                "bollinger_upper",
                "bollinger_lower",
                "atr_14",
            ]),
            categories: names(["news_dominant_sentiment", "fg_label", "news_sentiment"]),
            signal: Vec::new(),
            ..Self::default()
        }
    }
}

/// A feed of news: RSS, Atom or JSON Feed.
///
/// An item happened when it was published; it is available `news_delay_seconds` after it was published or, if later, updated, because
/// the text at hand is the updated one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedSource {
    /// Names the rows' source.
    pub name: String,
    /// File below the data folder, or `http(s)://…`; what came is kept in `cache/` below the output folder.
    pub path: String,
    /// The symbol of every item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Words that make an item one about a symbol, such as `BTC = ["bitcoin", "btc"]`; an item about none is refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keywords: BTreeMap<String, Vec<String>>,
    /// How long after publication a reader has the text, in seconds.
    #[serde(default = "default_delay")]
    pub news_delay_seconds: i64,
    /// How patiently to ask.
    #[serde(default)]
    pub patience: Patience,
}

/// A file of news. Several columns may give the time; a stamp in seconds since 1970 wins, since it cannot be in the wrong zone
/// (in one collection the written time is eight hours late against it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewsSource {
    /// Names the rows' source.
    pub name: String,
    /// File or folder below the data folder, or `hf://…`.
    pub path: String,
    /// The symbol of every row, for files without a symbol column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Where what is.
    #[serde(default)]
    pub columns: NewsColumns,
    /// How times are written.
    #[serde(default)]
    pub time: TimeFormat,
    /// How long after publication a reader has the text, in seconds.
    #[serde(default = "default_delay")]
    pub news_delay_seconds: i64,
}

fn default_delay() -> i64 {
    60
}

/// Names of the columns of news, the preferred one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewsColumns {
    /// The item's id; the row's number where there is none.
    pub id: Vec<String>,
    /// One symbol or a list; of a list, each symbol gets a row.
    pub symbol: Vec<String>,
    /// When it was published, written out.
    pub published_at: Vec<String>,
    /// When it was published, in seconds since 1970.
    pub epoch_seconds: Vec<String>,
    /// The parts of the text, which are joined; a part that repeats another is left out.
    pub text: Vec<String>,
}

impl Default for NewsColumns {
    fn default() -> Self {
        Self {
            id: names(["id"]),
            symbol: names(["symbol", "related_symbols", "tickers", "ticker"]),
            published_at: names(["published_at", "published_utc", "date"]),
            epoch_seconds: names(["epoch", "datetime"]),
            text: names(["text", "title", "description"]),
        }
    }
}
