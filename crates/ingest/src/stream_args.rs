//! The flags of `follow` and `serve-replay`.

use anyhow::{Context, bail};
use artifacts::Timestamp;
use artifacts::rows::Bar;
use ingest::market::stream::{Faults, FollowConfig, Followed, ReplayConfig, Speaks, follow, read_log, serve};
use std::path::PathBuf;
use std::time::Duration;

/// Flags of `follow`; each overrides the setting of its name.
#[derive(clap::Args)]
pub(crate) struct FollowArgs {
    /// The stream: ws:// or wss://
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The symbol of the rows
    #[arg(long)]
    symbol: Option<String>,
    /// The symbol in the stream and over REST [default: that of the first message]
    #[arg(long, value_name = "SYMBOL")]
    remote_symbol: Option<String>,
    /// Where lost bars are asked for: the address of the candles up to the question mark
    #[arg(long, value_name = "URL")]
    rest: Option<String>,
    /// How that address asks and answers
    #[arg(long, value_name = "SHAPE")]
    rest_shape: Option<ingest::market::exchange::Shape>,
    /// Length of a bar in seconds
    #[arg(long, value_name = "SECONDS")]
    interval: Option<i64>,
    /// How late a bar may come and still be put in its place [default: five intervals]
    #[arg(long, value_name = "SECONDS")]
    lateness: Option<i64>,
    /// The first bar [default: the first of the stream]
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// End before this time [default: when the stream ends]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Sent after each connection; may be repeated
    #[arg(long, value_name = "JSON")]
    subscribe: Vec<String>,
    /// The folder of the log
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
}

impl FollowArgs {
    pub(crate) fn run(&self, common: &cli::Common) -> anyhow::Result<()> {
        let Some(mut config) = common.load::<FollowConfig>()? else { return Ok(()) };
        let time = |text: &Option<String>| text.as_deref().map(str::parse::<Timestamp>).transpose();
        config.url = self.url.clone().unwrap_or(config.url);
        config.symbol = self.symbol.clone().unwrap_or(config.symbol);
        config.remote_symbol = self.remote_symbol.clone().or(config.remote_symbol);
        config.rest = self.rest.clone().or(config.rest);
        config.rest_shape = self.rest_shape.unwrap_or(config.rest_shape);
        config.interval_seconds = self.interval.unwrap_or(config.interval_seconds);
        config.lateness_seconds = self.lateness.or(config.lateness_seconds);
        config.start = time(&self.start)?.or(config.start);
        config.until = time(&self.until)?.or(config.until);
        config.subscribe.extend(self.subscribe.iter().cloned());
        let (word, end) = match follow(&config, &self.log)? {
            Followed::Ended(end) => ("complete", end),
            Followed::AlreadyComplete(end) => ("was complete before", end),
        };
        cli::say(&format!("{}: {word}, {} bars in {} segments", self.log.display(), end.bars, end.segments));
        cli::say(&serde_json::to_string(&end.counts).context("counts")?);
        Ok(())
    }
}

/// Flags of `serve-replay`.
#[derive(clap::Args)]
pub(crate) struct ReplayArgs {
    /// Bars: a bars.parquet of `ingest market`, or the folder of a log
    #[arg(long, value_name = "FILE")]
    bars: PathBuf,
    /// Which symbol of the file [default: its only one]
    #[arg(long)]
    symbol: Option<String>,
    /// Port on this machine; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// reconnects,duplicates,late,torn,gaps,rest, all or none
    #[arg(long, default_value = "none", value_name = "NAMES")]
    faults: String,
    /// In which messages
    #[arg(long, default_value = "klines")]
    speaks: Speaks,
    /// Wait before each message
    #[arg(long, default_value_t = 0, value_name = "MICROSECONDS")]
    delay: u64,
    /// Go on serving REST after the stream has ended, until killed
    #[arg(long)]
    stay: bool,
}

impl ReplayArgs {
    pub(crate) fn run(&self, common: &cli::Common) -> anyhow::Result<()> {
        let mut bars: Vec<Bar> =
            if self.bars.is_dir() { read_log(&self.bars)? } else { artifacts::read_all(&self.bars)? };
        let symbols: std::collections::BTreeSet<String> = bars.iter().map(|b| b.symbol.clone()).collect();
        let symbol = match (&self.symbol, symbols.len()) {
            (Some(symbol), _) => symbol.clone(),
            (None, 1) => symbols.iter().next().cloned().unwrap_or_default(),
            (None, _) => bail!("{} has {}; choose one with --symbol", self.bars.display(), join(&symbols)),
        };
        bars.retain(|b| b.symbol == symbol);
        let Some(first) = bars.first() else {
            bail!("{} has no {symbol}, but {}", self.bars.display(), join(&symbols));
        };
        let interval_seconds = first.available_at.seconds_since(first.event_at) as i64;
        let faults = Faults::parse(&self.faults).map_err(anyhow::Error::msg)?;
        let (speaks, seed, delay) = (self.speaks, common.seed(), Duration::from_micros(self.delay));
        let count = bars.len();
        let start = first.event_at;
        let server = serve(ReplayConfig { bars, symbol, interval_seconds, speaks, faults, seed, delay }, self.port)?;
        cli::say(&format!("{count} bars from {start}, every {interval_seconds} s"));
        cli::say(&format!("stream {}", server.url()));
        cli::say(&format!("REST   {}", server.rest_url()));
        loop {
            server.wait();
            if !self.stay {
                return Ok(());
            }
        }
    }
}

fn join(symbols: &std::collections::BTreeSet<String>) -> String {
    symbols.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
