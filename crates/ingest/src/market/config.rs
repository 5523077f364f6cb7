use serde::{Deserialize, Serialize};

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
}

impl Default for MarketConfig {
    fn default() -> Self {
        Self {
            only_symbols_with_bars: false,
            bars: Vec::new(),
            annotated: vec![AnnotatedSource::default()],
            news: Vec::new(),
        }
    }
}

/// A file of bars (open, high, low, close, volume).
///
/// A bar's stamp is the beginning of its interval; it is available one interval later, when its close is known.
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
    /// Where the prices are.
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
    /// Columns of names known with the row; each name, in lower case, becomes an observation `column=name` of value 1.
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
