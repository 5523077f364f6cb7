use artifacts::rows::Bar;
use artifacts::{Seed, Timestamp};
use rand::Rng;
use std::collections::BTreeMap;

/// What goes wrong in a replay.
#[expect(clippy::struct_excessive_bools, reason = "each fault is on or off by itself")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Connections break, and some bars pass while there is none.
    pub reconnects: bool,
    /// Messages come twice, at once or later.
    pub duplicates: bool,
    /// Messages come late, out of order: some within five bars, some beyond.
    pub late: bool,
    /// Messages are cut off, and connections break in the middle of a frame.
    pub torn: bool,
    /// Messages never come.
    pub gaps: bool,
    /// REST answers 429, 503, HTML or half an answer, and lists the candle that is not finished.
    pub rest: bool,
}

impl Faults {
    /// Everything at once.
    pub const ALL: Self = Self { reconnects: true, duplicates: true, late: true, torn: true, gaps: true, rest: true };

    /// Reads `reconnects,duplicates,late,torn,gaps,rest`, `all` or `none`.
    ///
    /// # Errors
    /// The unknown name, and those that are known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut faults = Self::default();
        for name in text.split(',').map(str::trim).filter(|n| !n.is_empty() && *n != "none") {
            match name {
                "all" => faults = Self::ALL,
                "reconnects" => faults.reconnects = true,
                "duplicates" => faults.duplicates = true,
                "late" => faults.late = true,
                "torn" => faults.torn = true,
                "gaps" => faults.gaps = true,
                "rest" => faults.rest = true,
                other => {
                    return Err(format!(
                        "unknown fault `{other}`; known are reconnects, duplicates, late, torn, gaps, rest, all, none"
                    ));
                }
            }
        }
        Ok(faults)
    }
}

/// How a replay tells its bars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Speaks {
    /// Binance's klines, with unfinished states and the word that one is closed.
    #[default]
    Klines,
    /// Binance's trades: four a bar, which fold to it exactly.
    Trades,
    /// Coinbase's matches.
    Matches,
    /// Coinbase's candles: numbered states, and no word that one is finished.
    Candles,
}

/// What to replay and how.
#[derive(Debug, Clone)]
pub struct ReplayConfig {
    /// Finished bars of one symbol, in order.
    pub bars: Vec<Bar>,
    /// The symbol in the messages.
    pub symbol: String,
    /// Length of a bar.
    pub interval_seconds: i64,
    /// In which messages.
    pub speaks: Speaks,
    /// What goes wrong.
    pub faults: Faults,
    /// Everything random comes from it.
    pub seed: Seed,
    /// Waited before each message.
    pub delay: std::time::Duration,
}

/// One thing the server does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Act {
    /// A state of bar `.0` before its end.
    Forming(usize),
    Finished(usize),
    /// Trade `.1` of the four of bar `.0`.
    Trade(usize, u64),
    /// The message of an act, cut off.
    Cut(usize),
    /// Half a frame, then the connection is gone.
    HalfFrame(usize),
    Hangup,
}

/// An act, and how many bars are over when it happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) over: usize,
    pub(super) act: Act,
}

/// The whole replay, step by step: the same seed gives the same.
pub(super) fn script(config: &ReplayConfig) -> Vec<Step> {
    let mut rng = config.seed.derive("ingest/replay").rng();
    let faults = config.faults;
    let mut steps = Vec::new();
    let mut later: BTreeMap<usize, Vec<Act>> = BTreeMap::new();
    let mut away_until = 0;
    for i in 0..config.bars.len() {
        let over = i + 1;
        let mut chance = |on: bool, p: f64| rng.random_bool(p) && on;
        let (gap, cut, half, hangup) = (
            chance(faults.gaps, 0.01),
            chance(faults.torn, 0.005),
            chance(faults.torn, 0.001),
            chance(faults.reconnects, 0.002),
        );
        let (late, twice, twice_later) =
            (chance(faults.late, 0.02), chance(faults.duplicates, 0.02), chance(faults.duplicates, 0.01));
        let forming = chance(true, 0.2) || config.speaks == Speaks::Candles;
        let (late_by, again_in, away, part) =
            (rng.random_range(1..=8), rng.random_range(1..=20), rng.random_range(0..=6), rng.random_range(0..4));
        let due: Vec<Act> = {
            let rest = later.split_off(&(i + 1));
            std::mem::replace(&mut later, rest).into_values().flatten().collect()
        };
        if i < away_until {
            continue;
        }
        let acts: Vec<Act> = match config.speaks {
            Speaks::Klines | Speaks::Candles => vec![Act::Finished(i)],
            Speaks::Trades | Speaks::Matches => (0..4).map(|k| Act::Trade(i, k)).collect(),
        };
        let chosen = acts.get(part % acts.len()).copied().unwrap_or(Act::Finished(i));
        if forming && matches!(config.speaks, Speaks::Klines | Speaks::Candles) {
            steps.push(Step { over: i, act: Act::Forming(i) });
        }
        for act in acts {
            let mut say = |act| steps.push(Step { over, act });
            if act != chosen {
                say(act);
            } else if gap {
            } else if cut {
                say(Act::Cut(i));
            } else if half {
                say(Act::HalfFrame(i));
            } else if late {
                later.entry(i + late_by).or_default().push(act);
            } else {
                say(act);
                if twice {
                    say(act);
                }
                if twice_later {
                    later.entry(i + again_in).or_default().push(act);
                }
            }
        }
        steps.extend(due.into_iter().map(|act| Step { over, act }));
        if hangup {
            steps.push(Step { over, act: Act::Hangup });
            away_until = over + away;
        }
    }
    let over = config.bars.len();
    steps.extend(later.into_values().flatten().map(|act| Step { over, act }));
    steps
}

impl ReplayConfig {
    /// The text of an act's message.
    pub(super) fn text(&self, act: Act) -> Option<String> {
        match act {
            Act::Forming(i) => self.candle(i, false),
            Act::Finished(i) => self.candle(i, true),
            Act::Trade(i, k) => self.trade(i, k),
            Act::Cut(i) | Act::HalfFrame(i) => {
                let whole = match self.speaks {
                    Speaks::Klines | Speaks::Candles => self.candle(i, true),
                    Speaks::Trades | Speaks::Matches => self.trade(i, 3),
                }?;
                let half = whole.len() / 2;
                Some(whole.chars().take(half).collect())
            }
            Act::Hangup => None,
        }
    }

    fn candle(&self, i: usize, finished: bool) -> Option<String> {
        let bar = self.bars.get(i)?;
        let (open, high, low) =
            (bar.open.unwrap_or(bar.close), bar.high.unwrap_or(bar.close), bar.low.unwrap_or(bar.close));
        let volume = bar.volume.unwrap_or(0.0);
        // Before the end: as if only the first trades had happened.
        let (high, low, close, volume) =
            if finished { (high, low, bar.close, volume) } else { (open, low.min(open), open, volume / 2.0) };
        let (start, end) = (bar.event_at.micros() / 1000, bar.event_at.micros() / 1000 + self.interval_seconds * 1000);
        let told = if finished { end } else { start + self.interval_seconds * 500 };
        let symbol = &self.symbol;
        Some(if self.speaks == Speaks::Candles {
            let (sequence, told) = (2 * i + usize::from(finished), Timestamp::from_micros(told * 1000 - 1000));
            format!(
                r#"{{"channel":"candles","timestamp":"{told}","sequence_num":{sequence},"events":[{{"type":"update","candles":[{{"start":"{}","high":"{high}","low":"{low}","open":"{open}","close":"{close}","volume":"{volume}","product_id":"{symbol}"}}]}}]}}"#,
                start / 1000
            )
        } else {
            format!(
                r#"{{"e":"kline","E":{told},"s":"{symbol}","k":{{"t":{start},"T":{},"s":"{symbol}","o":"{open}","c":"{close}","h":"{high}","l":"{low}","v":"{volume}","x":{finished}}}}}"#,
                end - 1
            )
        })
    }

    /// Open, high, low and close as four trades; their sizes, eighths, eighths, a quarter and a half, add up to the volume without rounding.
    fn trade(&self, i: usize, k: u64) -> Option<String> {
        let bar = self.bars.get(i)?;
        let volume = bar.volume.unwrap_or(0.0);
        let (price, size) = match k {
            0 => (bar.open.unwrap_or(bar.close), volume / 8.0),
            1 => (bar.high.unwrap_or(bar.close), volume / 8.0),
            2 => (bar.low.unwrap_or(bar.close), volume / 4.0),
            _ => (bar.close, volume / 2.0),
        };
        let at = bar.event_at.micros() + self.interval_seconds * 1_000_000 * k.cast_signed() / 4;
        let (id, symbol) = (4 * i as u64 + k + 1, &self.symbol);
        Some(if self.speaks == Speaks::Matches {
            let at = Timestamp::from_micros(at);
            format!(
                r#"{{"type":"match","trade_id":{id},"sequence":{id},"time":"{at}","product_id":"{symbol}","size":"{size}","price":"{price}","side":"sell"}}"#
            )
        } else {
            let at = at / 1000;
            format!(r#"{{"e":"trade","E":{at},"s":"{symbol}","t":{id},"p":"{price}","q":"{size}","T":{at},"m":true}}"#)
        })
    }

    /// Both shapes of REST: the finished candles that begin in `from..=until`, and perhaps the one that forms.
    pub(super) fn rest(&self, over: usize, from: Timestamp, until: Timestamp, limit: usize, coinbase: bool) -> String {
        let forming = usize::from(self.faults.rest);
        let known = self.bars.get(..(over + forming).min(self.bars.len())).unwrap_or_default();
        let inside = known.iter().enumerate().filter(|(_, b)| (from..=until).contains(&b.event_at));
        let row = |(i, bar): (usize, &Bar)| {
            let (open, high, low) =
                (bar.open.unwrap_or(bar.close), bar.high.unwrap_or(bar.close), bar.low.unwrap_or(bar.close));
            let volume = bar.volume.unwrap_or(0.0);
            let (high, low, close, volume) =
                if i < over { (high, low, bar.close, volume) } else { (open, open, open, volume / 3.0) };
            let start = bar.event_at.micros() / 1000;
            if coinbase {
                format!("[{},{low},{high},{open},{close},{volume}]", start / 1000)
            } else {
                let end = start + self.interval_seconds * 1000 - 1;
                format!(r#"[{start},"{open}","{high}","{low}","{close}","{volume}",{end},"0",1,"0","0","0"]"#)
            }
        };
        let rows: Vec<String> = if coinbase {
            let rows: Vec<String> = inside.map(row).collect();
            rows.into_iter().rev().take(limit).collect()
        } else {
            inside.map(row).take(limit).collect()
        };
        format!("[{}]", rows.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_and_an_unknown_one_tells_the_known() {
        assert_eq!(Faults::parse("all"), Ok(Faults::ALL));
        assert_eq!(Faults::parse("none"), Ok(Faults::default()));
        assert_eq!(Faults::parse("late, gaps"), Ok(Faults { late: true, gaps: true, ..Faults::default() }));
        assert!(Faults::parse("lates").unwrap_err().contains("reconnects, duplicates"));
    }
}
