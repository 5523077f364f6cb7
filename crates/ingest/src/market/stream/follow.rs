use super::assemble::{Assembler, From};
use super::trades::TradeFold;
use super::{End, EventLog};
use crate::Error;
use crate::market::exchange::{Event, Patience, RestKlines, Shape, parse, without_query};
use artifacts::Timestamp;
use artifacts::rows::Bar;
use artifacts::runtime::Stopwatch;
use serde::{Deserialize, Serialize};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// Settings of [`follow`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowConfig {
    /// The stream: `ws://…` or `wss://…`.
    pub url: String,
    /// The symbol of the rows.
    pub symbol: String,
    /// The symbol in the stream and over REST, such as `BTCUSDT`; where it is not given, that of the first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_symbol: Option<String>,
    /// Sent after each connection, such as `{"method":"SUBSCRIBE","params":["btcusdt@kline_1m"],"id":1}`.
    pub subscribe: Vec<String>,
    /// Where lost bars are asked for: the address of the candles, up to the question mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
    /// How that endpoint asks and answers.
    pub rest_shape: Shape,
    /// How patiently it is asked.
    pub patience: Patience,
    /// Length of a bar.
    pub interval_seconds: i64,
    /// How far a bar may come behind the stream's clock and still be put in its place; five intervals where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lateness_seconds: Option<i64>,
    /// The first bar; earlier ones are refused, missing ones are fetched. Where it is not given, the first of the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// End with the last bar before this time; where it is not given, when the stream says `end of stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Bars of a full segment.
    pub segment_bars: usize,
    /// A segment that is not full is written after so many seconds.
    pub flush_seconds: f64,
    /// A connection without a message for so many seconds counts as broken.
    pub idle_seconds: f64,
    /// How often in a row a connection is tried.
    pub connects: u32,
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            symbol: String::new(),
            remote_symbol: None,
            subscribe: Vec::new(),
            rest: None,
            rest_shape: Shape::Binance,
            patience: Patience::default(),
            interval_seconds: 60,
            lateness_seconds: None,
            start: None,
            until: None,
            segment_bars: 500,
            flush_seconds: 60.0,
            idle_seconds: 60.0,
            connects: 20,
        }
    }
}

/// A year of seconds: more is a mistake of unit.
const LONGEST: f64 = 366.0 * 86_400.0;

impl FollowConfig {
    /// Whether it can be followed at all: said before anything is asked for.
    fn check(&self) -> Result<(), Error> {
        if self.symbol.is_empty() || self.url.is_empty() || self.interval_seconds <= 0 {
            return Err(Error::BadConfig("a stream needs `url`, `symbol` and an `interval_seconds` above 0".into()));
        }
        artifacts::settings::within(&[
            ("interval_seconds", self.interval_seconds as f64, 1.0..=LONGEST),
            ("lateness_seconds", self.lateness_seconds.unwrap_or(0) as f64, 0.0..=LONGEST),
            ("segment_bars", self.segment_bars as f64, 1.0..=1e6),
            ("flush_seconds", self.flush_seconds, 0.001..=86_400.0),
            ("idle_seconds", self.idle_seconds, 0.001..=86_400.0),
            ("connects", f64::from(self.connects), 0.0..=1e6),
        ])?;
        self.patience.check()?;
        if self.rest.is_some() { self.rest_shape.check(self.interval_seconds) } else { Ok(()) }
    }
}

/// How following ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// The log is complete.
    Ended(End),
    /// It was complete before; nothing was asked for.
    AlreadyComplete(End),
}

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// How often a socket that says nothing is left to write what is due.
const TICK: Duration = Duration::from_secs(1);
/// So many intervals ahead of the stream's clock a time is believed only when it is repeated.
const FAR_INTERVALS: i64 = 10_000;
/// The close reason of a stream that has nothing more to say. Exchanges close connections for other reasons, which end nothing.
pub(super) const END_OF_STREAM: &str = "end of stream";

/// Follows a stream into the log in `folder` until it ends. Killed at any moment, it goes on with the next call: what was not written
/// comes again or is asked for over REST.
///
/// # Errors
/// The stream cannot be reached, or the log or the REST endpoint fails in the end. What was written stays; call again.
pub fn follow(config: &FollowConfig, folder: &Path) -> Result<Followed, Error> {
    config.check()?;
    if let Some(end) = EventLog::ended(folder)? {
        return Ok(Followed::AlreadyComplete(end));
    }
    std::fs::create_dir_all(folder)
        .map_err(|e| crate::error::unreadable(folder, &e, "give a folder that can be written"))?;
    let lateness = config.lateness_seconds.unwrap_or(config.interval_seconds.saturating_mul(5)).max(0);
    let (log, logged) = EventLog::open(folder, &config.symbol, config.interval_seconds, config.segment_bars)?;
    let mut bars = Assembler::new(&config.symbol, config.interval_seconds, lateness, config.start);
    bars.resume(&logged);
    if let Some(last) = logged.last() {
        tracing::info!("{} bars in the log, the last of {}", logged.len(), last.event_at);
    }
    let mut follower = Follower {
        config,
        trades: TradeFold::new(&config.symbol, config.interval_seconds, lateness),
        log,
        bars,
        remote: config.remote_symbol.clone(),
        rest: None,
        // The first bars after a start may follow a time without a connection.
        broken_at: Some(0),
        sequence: None,
        far_ahead: 0,
        failed_rest: None,
        since_flush: Stopwatch::start(),
    };
    follower.run()
}

struct Follower<'a> {
    config: &'a FollowConfig,
    log: EventLog,
    bars: Assembler,
    trades: TradeFold,
    remote: Option<String>,
    rest: Option<RestKlines>,
    /// A connection broke after so many finished bars: what is missing now will not come late, so it is fetched without waiting.
    broken_at: Option<u64>,
    /// How many messages in a row had a time far ahead.
    far_ahead: u32,
    /// The number of the last message, where the stream counts them.
    sequence: Option<u64>,
    /// After a failure of REST it is left alone until so many more bars wait.
    failed_rest: Option<usize>,
    since_flush: Stopwatch,
}

/// Why reading a connection stopped.
enum Stop {
    End,
    Broken(String),
}

impl Follower<'_> {
    fn run(&mut self) -> Result<Followed, Error> {
        let mut tries = 0;
        let mut wait = Duration::from_millis(50);
        let longest = Duration::from_secs(30);
        loop {
            let before = self.bars.counts.messages;
            let stop = match self.connect() {
                Ok(mut socket) => self.read(&mut socket)?,
                Err(message) => Stop::Broken(message),
            };
            let message = match stop {
                Stop::End => break,
                Stop::Broken(message) => message,
            };
            if self.bars.counts.messages > before {
                (tries, wait) = (0, Duration::from_millis(50));
            }
            tries += 1;
            if tries > self.config.connects {
                self.write()?;
                self.log.flush()?;
                return Err(Error::Stream { url: without_query(&self.config.url), tries, message });
            }
            tracing::info!("{}: {message}; again in {:.2} s", without_query(&self.config.url), wait.as_secs_f64());
            self.bars.counts.reconnects += 1;
            self.broken_at = Some(self.bars.arrived());
            self.sequence = None;
            self.bars.distrust();
            std::thread::sleep(wait);
            wait = (wait * 2).min(longest);
        }
        self.finish()
    }

    fn connect(&self) -> Result<Socket, String> {
        let (mut socket, _) = tungstenite::connect(self.config.url.as_str()).map_err(|e| match e {
            // It tells the whole address, which may hold a key.
            tungstenite::Error::Url(_) => "it cannot be connected to".to_owned(),
            e => e.to_string(),
        })?;
        let stream = match socket.get_ref() {
            MaybeTlsStream::Plain(stream) => Some(stream),
            MaybeTlsStream::Rustls(stream) => Some(stream.get_ref()),
            _ => None,
        };
        if let Some(stream) = stream {
            stream.set_read_timeout(Some(TICK)).map_err(|e| e.to_string())?;
        }
        for message in &self.config.subscribe {
            socket.send(Message::text(message.clone())).map_err(|e| e.to_string())?;
        }
        Ok(socket)
    }

    /// Reads until the stream ends or breaks.
    fn read(&mut self, socket: &mut Socket) -> Result<Stop, Error> {
        let mut quiet = Stopwatch::start();
        loop {
            match socket.read() {
                Ok(Message::Text(text)) => {
                    quiet = Stopwatch::start();
                    self.message(text.as_str());
                    self.advance()?;
                    if self.config.until.is_some_and(|until| self.bars.next().is_some_and(|next| next >= until)) {
                        socket.close(None).ok();
                        return Ok(Stop::End);
                    }
                }
                Ok(Message::Binary(_)) => {
                    self.bars.counts.messages += 1;
                    self.bars.counts.refused += 1;
                }
                Ok(Message::Close(frame)) => {
                    let reason = frame.map(|f| f.reason.to_string()).unwrap_or_default();
                    if reason == END_OF_STREAM {
                        return Ok(Stop::End);
                    }
                    return Ok(Stop::Broken(format!("closed by the server `{reason}`")));
                }
                Ok(_) => quiet = Stopwatch::start(),
                Err(tungstenite::Error::Io(e))
                    if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
                {
                    if quiet.seconds() > self.config.idle_seconds {
                        return Ok(Stop::Broken(format!("nothing came for {:.0} s", quiet.seconds())));
                    }
                }
                Err(e) => return Ok(Stop::Broken(e.to_string())),
            }
            if self.since_flush.seconds() > self.config.flush_seconds {
                self.log.flush()?;
                self.since_flush = Stopwatch::start();
            }
        }
    }

    fn message(&mut self, text: &str) {
        self.bars.counts.messages += 1;
        let events = match parse(text) {
            Ok(events) => events,
            Err(reason) => {
                self.bars.counts.refused += 1;
                let shown: String = text.chars().take(120).collect();
                tracing::debug!("refused: {reason}: {shown}");
                return;
            }
        };
        for event in events {
            self.event(event);
        }
    }

    fn event(&mut self, event: Event) {
        let symbol = match &event {
            Event::Kline(k) => &k.symbol,
            Event::Trade(t) => &t.symbol,
            Event::Control => {
                self.bars.counts.control += 1;
                return;
            }
        };
        let at = match &event {
            Event::Kline(k) => k.candle.event_at,
            Event::Trade(t) => t.at,
            Event::Control => return,
        };
        let remote = self.remote.get_or_insert_with(|| symbol.clone());
        if !remote.eq_ignore_ascii_case(symbol) {
            self.bars.counts.refused += 1;
            return;
        }
        if !self.believable(at) {
            let detail = "its time is far from that of the messages around it";
            self.bars.reject_text(at, &format!("{event:?}"), "far-ahead", detail);
            return;
        }
        match event {
            Event::Kline(k) if k.interval.is_some_and(|i| i != self.config.interval_seconds) => {
                self.bars.counts.refused += 1;
            }
            Event::Kline(k) => {
                // A lost message may have been the last word on a candle.
                if let (Some(number), Some(last)) = (k.sequence, self.sequence)
                    && number > last + 1
                {
                    self.bars.distrust();
                }
                self.sequence = self.sequence.max(k.sequence);
                let bar = k.candle.bar(&self.config.symbol, self.config.interval_seconds);
                match k.closed {
                    Some(true) => self.bars.finished(bar, From::Stream),
                    Some(false) => self.bars.forming(bar, k.at),
                    None => {
                        self.bars.settles();
                        self.bars.forming(bar, k.at);
                        self.bars.settle(false);
                    }
                }
            }
            Event::Trade(trade) => self.trades.trade(trade, &mut self.bars),
            Event::Control => {}
        }
    }

    /// One message with a time far ahead would make a hole of all that comes before it: it is believed when others agree.
    fn believable(&mut self, at: Timestamp) -> bool {
        let far = self.bars.clock().plus_seconds(self.config.interval_seconds.saturating_mul(FAR_INTERVALS));
        if !self.bars.knows_time() || at <= far {
            self.far_ahead = 0;
            return true;
        }
        self.far_ahead += 1;
        self.far_ahead > 2
    }

    /// Fetches what is overdue and writes what is final.
    fn advance(&mut self) -> Result<(), Error> {
        self.bars.begin(false);
        while let Some(hole) = self.bars.missing(self.broken_at.is_some()) {
            let before = self.bars.next();
            self.fill(hole)?;
            if self.bars.next() == before {
                break;
            }
        }
        // Nothing missing in front of a waiting bar: the break is mended. (Before the first bar after it, nobody can tell.)
        if self.broken_at.is_some_and(|n| self.bars.arrived() > n) && self.bars.waiting() == 0 {
            self.broken_at = None;
        }
        self.write()
    }

    fn write(&mut self) -> Result<(), Error> {
        self.log.append(self.bars.take())?;
        self.log.refuse(self.bars.take_rejected());
        Ok(())
    }

    fn fill(&mut self, (from, until): (Timestamp, Timestamp)) -> Result<(), Error> {
        if self.config.rest.is_none() {
            self.bars.give_up(until, false);
            return Ok(());
        }
        if self.failed_rest.is_some_and(|waiting| self.bars.waiting() < waiting) {
            return Ok(());
        }
        match self.fetch(from, until) {
            Ok(found) => {
                for bar in found {
                    self.bars.finished(bar, From::Rest);
                }
                self.failed_rest = None;
                self.broken_at = None;
                self.bars.give_up(until, false);
                Ok(())
            }
            Err(e) => {
                // A stream of years must not end because REST is away for an hour; bars wait meanwhile.
                let waiting = self.bars.waiting();
                if waiting > 100_000 {
                    return Err(e);
                }
                tracing::warn!("{e}; {waiting} bars wait");
                self.failed_rest = Some(waiting + 100);
                Ok(())
            }
        }
    }

    fn fetch(&mut self, from: Timestamp, until: Timestamp) -> Result<Vec<Bar>, Error> {
        let config = self.config;
        let Some(url) = &config.rest else { return Ok(Vec::new()) };
        if self.rest.is_none() {
            let symbol = self.remote.clone().unwrap_or_else(|| config.symbol.clone());
            self.rest =
                Some(RestKlines::new(url, config.rest_shape, &symbol, config.interval_seconds, config.patience)?);
        }
        let candles = self.rest.as_ref().map_or_else(|| Ok(Vec::new()), |rest| rest.range(from, until))?;
        Ok(candles.iter().map(|c| c.bar(&config.symbol, config.interval_seconds)).collect())
    }

    /// Nothing more will come: asks REST for the tail, gives up what nobody has, writes everything.
    fn finish(&mut self) -> Result<Followed, Error> {
        self.bars.begin(true);
        self.trades.fold(&mut self.bars, true);
        self.bars.settle(true);
        if let Some(next) = self.bars.next()
            && self.config.rest.is_some()
        {
            // Up to now by the server's clock: the candle that still forms is left out by `range`.
            let clock = self.bars.clock().plus_seconds(self.config.interval_seconds.saturating_mul(1000));
            let until = self.config.until.unwrap_or(clock);
            if until > next {
                for bar in self.fetch(next, until)? {
                    self.bars.finished(bar, From::Rest);
                }
            }
        }
        while let Some((_, until)) = self.bars.missing(true) {
            self.bars.give_up(until, true);
        }
        self.write()?;
        self.log.end(self.bars.counts).map(Followed::Ended)
    }
}
