//! Prices, news and numbers, each row with the time it happened and the time it could be known.
//!
//! Prices are strict: one that is missing, not a number, not above 0, out of order or there twice is an error that names the
//! file and the row, because a backtest on a repaired series is a backtest of the repair (`bad_bars = "refuse"` refuses such rows
//! instead, with their reason). News are lenient: rows that cannot be used are refused with their reason. What is odd but may be right
//! is written to `quality.parquet` and shown in `report.html`.
//!
//! When a row is available, by source:
//!
//! | source | available |
//! |---|---|
//! | `bars`, `rest`, `logs` | at the end of the bar's interval; daily bars of New York (`us-session`) at 16:00 there |
//! | `annotated` | prices, texts, numbers and names at the end of the row's interval; `late_news`, which speak of what comes next, one interval later; `signal` when the next bar has closed |
//! | `news` | `news_delay_seconds` after publication; an epoch stamp wins over a written time |
//! | `feeds` | `news_delay_seconds` after publication or, if later, the last update |

mod annotated;
mod bars;
mod config;
pub mod exchange;
mod feeds;
mod html;
mod news;
mod page;
mod python;
mod quality;
mod session;
pub mod stream;
mod time;

pub use config::{
    AnnotatedSource, Availability, BadBars, BarColumns, BarSource, FeedSource, LogSource, MarketConfig, NewsColumns,
    NewsSource, TimeFormat,
};
pub use quality::QualityConfig;

use crate::locate::{Located, locate};
use crate::{Error, Options, table};
use artifacts::rows::{AlertLevel, Bar, News, Observation, QualityFinding, Rejected};
use artifacts::{Manifest, OpenStage, Outcome, StageSpec};
use news::Feed;
use page::SourceLine;
use quality::{Findings, Found};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Raised when the output changes for the same input.
const STAGE_VERSION: u32 = 4;

/// Brings the configured sources in. Writes `bars.parquet`, `news.parquet`, `observations.parquet`, `rejected.parquet`,
/// `quality.parquet` and a report into `out`.
///
/// # Errors
/// A source is missing, empty, unreachable or of the wrong form; a bar is wrong, out of order or there twice; a file cannot be written.
pub fn run(config: &MarketConfig, data: &Path, out: &Path, options: &Options<'_>) -> Result<Manifest, Error> {
    let files = Files::find(config, data, out, options)?;
    let spec = StageSpec {
        name: "ingest-market",
        version: STAGE_VERSION,
        folder: out.to_owned(),
        seed: options.seed,
        config: serde_json::to_value(config).map_err(|e| Error::BadConfig(e.to_string()))?,
        inputs: files.all(),
        force: options.force,
    };
    let open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let ticker = options.progress.start("ingest market", files.all().len() as u64);
    let mut done = 0;
    let mut step = |name: &str| {
        ticker.at(done, name);
        done += 1;
    };
    let mut market = Market::new(config);
    for (source, file) in pairs(&config.bars, &files.bars) {
        step(&source.name);
        let read = bars::read(source, file, config.bad_bars)?;
        market.intervals.insert(file.name.clone(), read.interval);
        market.read += read.rejected.len() as u64;
        market.refuse_bars(&source.name, read.rejected);
        market.add_bars(&source.name, "bars", read.bars, read.interval, source.availability.rule(read.interval));
    }
    for (source, path) in config.rest.iter().zip(&files.rest) {
        step(&source.name);
        let interval = source.interval_seconds;
        market.intervals.insert(source.name.clone(), interval);
        let rule = format!("{}; unfinished by the server's clock: left out", Availability::IntervalEnd.rule(interval));
        market.add_bars(&source.name, "REST", exchange::cached(path)?, interval, rule);
    }
    for (source, segments) in config.logs.iter().zip(&files.logs) {
        step(&source.name);
        let (bars, interval) = stream::read_segments(segments)?;
        market.intervals.insert(source.name.clone(), interval);
        market.add_bars(&source.name, "log", bars, interval, Availability::IntervalEnd.rule(interval));
    }
    for (source, file) in pairs(&config.annotated, &files.annotated) {
        step(&source.name);
        market.annotated(source, file)?;
    }
    for (source, file) in pairs(&config.news, &files.news) {
        step(&source.name);
        let before = market.feed.news.len();
        market.feed.read(source, file)?;
        let rule =
            format!("{} s after publication; an epoch stamp wins over a written time", source.news_delay_seconds);
        market.news_line(&source.name, "news", before, rule);
    }
    for (source, path) in config.feeds.iter().zip(&files.feeds) {
        step(&source.name);
        let before = market.feed.news.len();
        feeds::read(source, path, &mut market.feed)?;
        let rule = format!("{} s after publication or, if later, the last update", source.news_delay_seconds);
        market.news_line(&source.name, "feed", before, rule);
    }
    market.write(open)
}

/// Where the rows of each source lie, by now.
struct Files {
    bars: Vec<Vec<Located>>,
    annotated: Vec<Vec<Located>>,
    news: Vec<Vec<Located>>,
    logs: Vec<Vec<PathBuf>>,
    rest: Vec<PathBuf>,
    feeds: Vec<PathBuf>,
}

impl Files {
    /// Finds files, and fetches what is not here.
    fn find(config: &MarketConfig, data: &Path, out: &Path, options: &Options<'_>) -> Result<Self, Error> {
        config.check()?;
        let prices = config.annotated.iter().any(|s| s.has_prices);
        if !prices && config.bars.is_empty() && config.rest.is_empty() && config.logs.is_empty() {
            return Err(Error::BadConfig(
                "neither `bars`, `annotated`, `rest` nor `logs` names a source of prices; name at least one".into(),
            ));
        }
        let log = |source: &LogSource| match stream::segments(&data.join(&source.path))? {
            none if none.is_empty() => Err(Error::Empty { path: data.join(&source.path), name: source.name.clone() }),
            segments => Ok(segments),
        };
        let find = |path: &str, name: &str| locate(path, name, data, &options.hub, &table::ENDINGS);
        let feed = |source: &FeedSource| match feeds::is_remote(source) {
            true => feeds::fetch(source, out),
            false if data.join(&source.path).is_file() => Ok(data.join(&source.path)),
            false => Err(Error::Missing { path: data.join(&source.path), name: source.name.clone() }),
        };
        Ok(Self {
            bars: config.bars.iter().map(|s| find(&s.path, &s.name)).collect::<Result<_, _>>()?,
            annotated: config.annotated.iter().map(|s| find(&s.path, &s.name)).collect::<Result<_, _>>()?,
            news: config.news.iter().map(|s| find(&s.path, &s.name)).collect::<Result<_, _>>()?,
            logs: config.logs.iter().map(log).collect::<Result<_, _>>()?,
            rest: config.rest.iter().map(|s| exchange::fetch(s, out)).collect::<Result<_, _>>()?,
            feeds: config.feeds.iter().map(feed).collect::<Result<_, _>>()?,
        })
    }

    fn all(&self) -> Vec<PathBuf> {
        let located = [&self.bars, &self.annotated, &self.news].into_iter().flatten().flatten().map(|f| f.path.clone());
        let located = located.chain(self.logs.iter().flatten().cloned());
        located.chain(self.rest.iter().cloned()).chain(self.feeds.iter().cloned()).collect()
    }
}

fn pairs<'a, S>(sources: &'a [S], files: &'a [Vec<Located>]) -> impl Iterator<Item = (&'a S, &'a Located)> {
    sources.iter().zip(files).flat_map(|(source, files)| files.iter().map(move |file| (source, file)))
}

/// NFC, repaired, one line: the form in which texts are kept.
fn clean(text: &str) -> String {
    let text = text::unescape_entities(&text::repair_encoding(&text::nfc(text)));
    text::collapse_whitespace(&text::nfc(&text))
}

struct Market<'a> {
    config: &'a MarketConfig,
    bars: Vec<Bar>,
    observations: Vec<Observation>,
    feed: Feed,
    read: u64,
    intervals: BTreeMap<String, i64>,
    missing: BTreeMap<String, u64>,
    quality: Vec<QualityFinding>,
    lines: Vec<SourceLine>,
}

impl<'a> Market<'a> {
    fn new(config: &'a MarketConfig) -> Self {
        Self {
            config,
            bars: Vec::new(),
            observations: Vec::new(),
            feed: Feed::default(),
            read: 0,
            intervals: BTreeMap::new(),
            missing: BTreeMap::new(),
            quality: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Runs checks on one source.
    fn check(&mut self, source: &str, checks: impl FnOnce(&mut Findings<'_>)) {
        let mut findings = Findings::new(&self.config.quality, source);
        checks(&mut findings);
        self.quality.append(&mut findings.rows);
    }

    fn add_bars(&mut self, source: &str, kind: &'static str, mut bars: Vec<Bar>, interval: i64, rule: String) {
        self.read += bars.len() as u64;
        self.lines.push(SourceLine::bars(source, kind, &bars, interval, rule));
        self.check(source, |findings| {
            quality::gaps(&bars, interval, findings);
            quality::prices(&bars, interval, findings);
        });
        self.bars.append(&mut bars);
    }

    /// Refused bars, with a finding for each reason.
    fn refuse_bars(&mut self, source: &str, rejected: Vec<Rejected>) {
        let mut reasons: BTreeMap<String, (u64, String)> = BTreeMap::new();
        for row in rejected.iter().filter(|r| r.reason != "left-out") {
            let entry =
                reasons.entry(row.reason.clone()).or_insert_with(|| (0, format!("row {}: {}", row.row, row.detail)));
            entry.0 += 1;
        }
        self.check(source, |findings| {
            for (reason, (rows, first)) in reasons {
                let message = format!("{rows} bars were refused, the first: {first}; correct them at their source");
                let level = AlertLevel::Warning;
                let found = Found { level, event_at: None, rows, value: None, threshold: None, message };
                findings.add(&reason, "", vec![found]);
            }
        });
        self.feed.rejected.extend(rejected);
    }

    fn annotated(&mut self, source: &AnnotatedSource, file: &Located) -> Result<(), Error> {
        let mut found = annotated::read(source, file, self.config.bad_bars)?;
        self.intervals.insert(file.name.clone(), found.interval);
        let rule = format!(
            "the row at the end of its interval (stamp + {0} s); {1} one interval later; {2} when the next bar has closed",
            found.interval,
            named(&source.late_news),
            named(&source.signal)
        );
        let (rows, refused) = (found.rows, found.rejected.len() as u64);
        if source.has_prices {
            self.read += refused;
            self.add_bars(&source.name, "annotated", std::mem::take(&mut found.bars), found.interval, rule);
        } else {
            self.read += rows;
            self.lines.push(SourceLine::table(&source.name, rows, &found.observations, found.interval, rule));
        }
        self.refuse_bars(&source.name, std::mem::take(&mut found.rejected));
        self.check(&source.name, |findings| {
            for (column, spellings) in &found.spellings {
                quality::labels(column, spellings, findings);
            }
            for (column, cells) in &found.missing {
                let share = *cells as f64 / rows.max(1) as f64;
                let level = if *cells == rows { AlertLevel::Warning } else { AlertLevel::Note };
                let message = format!(
                    "{column} is empty in {cells} of {rows} rows; those rows give no observation or text of it"
                );
                let one = Found { level, event_at: None, rows: *cells, value: Some(share), threshold: None, message };
                findings.add("missing-cells", column, vec![one]);
            }
            quality::observations(&found.observations, findings);
        });
        self.missing.extend(found.missing.into_iter().map(|(column, n)| (format!("{}:{column}", source.name), n)));
        self.feed.news.append(&mut found.news);
        self.observations.append(&mut found.observations);
        Ok(())
    }

    fn news_line(&mut self, source: &str, kind: &'static str, before: usize, rule: String) {
        let news = self.feed.news.get(before..).unwrap_or_default();
        self.lines.push(SourceLine::news(source, kind, news, rule));
        let mut findings = Findings::new(&self.config.quality, source);
        quality::repeated_texts(news, &mut findings);
        let offsets = self.feed.offsets.get(source).map(Vec::as_slice).unwrap_or_default();
        quality::shifts(offsets, &mut findings);
        let repeated = self.feed.rejected.iter().filter(|r| r.source == source && r.reason == "duplicate-id").count();
        if repeated > 0 {
            let message = format!("{repeated} rows repeat an id for the same symbol and were refused");
            let (level, rows) = (AlertLevel::Note, repeated as u64);
            findings.add(
                "duplicate-id",
                "",
                vec![Found { level, event_at: None, rows, value: None, threshold: None, message }],
            );
        }
        self.quality.append(&mut findings.rows);
    }

    /// The same symbol in two spellings, over all sources: rows of one would not find those of the other.
    fn check_symbols(&mut self) {
        let mut spellings: BTreeMap<String, u64> = BTreeMap::new();
        let of_bars = self.bars.iter().map(|b| &b.symbol);
        for symbol in of_bars.chain(self.feed.news.iter().map(|n| &n.symbol)) {
            *spellings.entry(symbol.clone()).or_default() += 1;
        }
        self.check("all sources", |findings| quality::labels("symbol", &spellings, findings));
    }

    fn write(mut self, mut open: OpenStage) -> Result<Manifest, Error> {
        self.check_symbols();
        let Self { config, mut bars, mut observations, feed, read, intervals, missing, mut quality, lines } = self;
        let Feed { mut news, mut rejected, read: news_read, .. } = feed;
        let symbols: BTreeSet<String> = bars.iter().map(|b| b.symbol.clone()).collect();
        if config.only_symbols_with_bars {
            let (kept, others): (Vec<_>, Vec<_>) = news.into_iter().partition(|n: &News| symbols.contains(&n.symbol));
            news = kept;
            rejected.extend(others.iter().enumerate().map(|(i, n)| {
                Rejected::new(
                    &n.source,
                    i as u64,
                    &n.text,
                    "",
                    "symbol-without-bars",
                    &format!("{} (item {})", n.symbol, n.id),
                )
            }));
        }
        bars.sort_by(|a, b| (&a.symbol, a.event_at).cmp(&(&b.symbol, b.event_at)));
        news.sort_by(|a, b| {
            (&a.symbol, a.available_at, a.event_at, &a.id).cmp(&(&b.symbol, b.available_at, b.event_at, &b.id))
        });
        observations.sort_by(|a, b| {
            (&a.symbol, a.available_at, a.event_at, &a.name).cmp(&(&b.symbol, b.available_at, b.event_at, &b.name))
        });
        rejected.sort_by(|a, b| (&a.source, a.row, &a.reason).cmp(&(&b.source, b.row, &b.reason)));
        // Within a check the worst stays first.
        quality.sort_by(|a, b| (&a.source, &a.check_name, &a.symbol).cmp(&(&b.source, &b.check_name, &b.symbol)));
        open.count(read + news_read, (bars.len() + news.len()) as u64);
        for row in &rejected {
            open.reject(&row.reason, 1);
        }
        open.fact("symbols", symbols.len());
        open.fact("bars", bars.len());
        open.fact("news", news.len());
        open.fact("observations", observations.len());
        open.fact("quality_findings", quality.len());
        open.fact("interval_seconds", serde_json::json!(intervals));
        open.fact("missing_cells", serde_json::json!(missing));
        if let (Some(first), Some(last)) =
            (bars.iter().map(|b| b.event_at).min(), bars.iter().map(|b| b.event_at).max())
        {
            open.fact("first_bar", first.to_string());
            open.fact("last_bar", last.to_string());
        }
        let document = page::document(&lines, &quality, &rejected);
        open.write_bytes("report.html", document.to_html().as_bytes())?;
        open.write_bytes("report.md", document.to_markdown().as_bytes())?;
        open.write_rows("bars.parquet", bars)?;
        open.write_rows("news.parquet", news)?;
        open.write_rows("observations.parquet", observations)?;
        open.write_rows("quality.parquet", quality)?;
        open.write_rows("rejected.parquet", rejected)?;
        Ok(open.finish()?)
    }
}

fn named(columns: &[String]) -> String {
    if columns.is_empty() { "nothing".to_owned() } else { columns.join(", ") }
}
