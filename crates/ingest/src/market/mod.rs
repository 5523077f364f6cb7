//! Prices, news and numbers, each row with the time it happened and the time it could be known.
//!
//! Prices are strict: one that is missing, not a number, not above 0, out of order or there twice is an error that names the
//! file and the row, because a backtest on a repaired series is a backtest of the repair. News are lenient: rows that
//! cannot be used are refused with their reason.

mod annotated;
mod bars;
mod config;
mod news;
mod time;

pub use config::{AnnotatedSource, BarColumns, BarSource, MarketConfig, NewsColumns, NewsSource, TimeFormat};

use crate::locate::{Located, locate};
use crate::{Error, Options, STAGE_VERSION, table};
use artifacts::rows::{Bar, News, Observation, Rejected};
use artifacts::{Manifest, OpenStage, Outcome, StageSpec};
use news::Feed;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Brings the configured sources in. Writes `bars.parquet`, `news.parquet`, `observations.parquet` and `rejected.parquet`
/// into `out`.
///
/// # Errors
/// A source is missing, empty or of the wrong form; a bar is wrong, out of order or there twice; a file cannot be written.
pub fn run(config: &MarketConfig, data: &Path, out: &Path, options: &Options<'_>) -> Result<Manifest, Error> {
    if config.bars.is_empty() && config.annotated.is_empty() {
        return Err(Error::BadConfig(
            "neither `bars` nor `annotated` names a source of prices; name at least one".into(),
        ));
    }
    let find = |path: &str, name: &str| locate(path, name, data, &options.hub, &table::ENDINGS);
    let bars = config.bars.iter().map(|s| find(&s.path, &s.name)).collect::<Result<Vec<_>, _>>()?;
    let annotated = config.annotated.iter().map(|s| find(&s.path, &s.name)).collect::<Result<Vec<_>, _>>()?;
    let news = config.news.iter().map(|s| find(&s.path, &s.name)).collect::<Result<Vec<_>, _>>()?;
    let files: Vec<&Located> = [&bars, &annotated, &news].into_iter().flatten().flatten().collect();
    let spec = StageSpec {
        name: "ingest-market",
        version: STAGE_VERSION,
        folder: out.to_owned(),
        seed: options.seed,
        config: serde_json::to_value(config).map_err(|e| Error::BadConfig(e.to_string()))?,
        inputs: files.iter().map(|f| f.path.clone()).collect(),
        force: options.force,
    };
    let open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let ticker = options.progress.start("ingest market", files.len() as u64);
    let mut done = 0;
    let mut step = |name: &str| {
        ticker.at(done, name);
        done += 1;
    };
    let mut market = Market::default();
    for (source, file) in pairs(&config.bars, &bars) {
        step(&source.name);
        let (bars, interval) = bars::read(source, file)?;
        market.read += bars.len() as u64;
        market.intervals.insert(file.name.clone(), interval);
        market.bars.extend(bars);
    }
    for (source, file) in pairs(&config.annotated, &annotated) {
        step(&source.name);
        let mut found = annotated::read(source, file)?;
        market.read += found.bars.len() as u64;
        market.intervals.insert(file.name.clone(), found.interval);
        market.missing.extend(found.missing.into_iter().map(|(column, n)| (format!("{}:{column}", source.name), n)));
        market.bars.append(&mut found.bars);
        market.feed.news.append(&mut found.news);
        market.observations.append(&mut found.observations);
    }
    for (source, file) in pairs(&config.news, &news) {
        step(&source.name);
        market.feed.read(source, file)?;
    }
    market.write(open, config)
}

fn pairs<'a, S>(sources: &'a [S], files: &'a [Vec<Located>]) -> impl Iterator<Item = (&'a S, &'a Located)> {
    sources.iter().zip(files).flat_map(|(source, files)| files.iter().map(move |file| (source, file)))
}

/// NFC, repaired, one line: the form in which texts are kept.
fn clean(text: &str) -> String {
    let text = text::unescape_entities(&text::repair_encoding(&text::nfc(text)));
    text::collapse_whitespace(&text::nfc(&text))
}

#[derive(Default)]
struct Market {
    bars: Vec<Bar>,
    observations: Vec<Observation>,
    feed: Feed,
    read: u64,
    intervals: BTreeMap<String, i64>,
    missing: BTreeMap<String, u64>,
}

impl Market {
    fn write(self, mut open: OpenStage, config: &MarketConfig) -> Result<Manifest, Error> {
        let Self { mut bars, mut observations, feed, read, intervals, missing } = self;
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
        open.count(read + news_read, (bars.len() + news.len()) as u64);
        for row in &rejected {
            open.reject(&row.reason, 1);
        }
        open.fact("symbols", symbols.len());
        open.fact("bars", bars.len());
        open.fact("news", news.len());
        open.fact("observations", observations.len());
        open.fact("interval_seconds", serde_json::json!(intervals));
        open.fact("missing_cells", serde_json::json!(missing));
        if let (Some(first), Some(last)) =
            (bars.iter().map(|b| b.event_at).min(), bars.iter().map(|b| b.event_at).max())
        {
            open.fact("first_bar", first.to_string());
            open.fact("last_bar", last.to_string());
        }
        open.write_rows("bars.parquet", bars)?;
        open.write_rows("news.parquet", news)?;
        open.write_rows("observations.parquet", observations)?;
        open.write_rows("rejected.parquet", rejected)?;
        Ok(open.finish()?)
    }
}
