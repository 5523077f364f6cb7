use serde::{Deserialize, Serialize};

/// What happened while a stream was followed. Every finished bar, trade and message that came is in one of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Messages, of any kind.
    pub messages: u64,
    /// Messages that are not readable: torn, not JSON, of an unknown kind.
    pub refused: u64,
    /// Answers to subscriptions, heartbeats.
    pub control: u64,
    /// States of candles whose interval was not over.
    pub unfinished: u64,
    /// Trades folded into bars.
    pub trades: u64,
    /// Bars or trades that had come before.
    pub duplicates: u64,
    /// Bars that came after a later one and were put in their place.
    pub reordered: u64,
    /// Bars that the stream lost and REST had.
    pub backfilled: u64,
    /// Bars that nobody had: the log has a hole there.
    pub holes: u64,
    /// Bars and trades written to `rejected-*.parquet` with their reason.
    pub rejected: u64,
    /// Connections that broke and were made again.
    pub reconnects: u64,
    /// Bars written.
    pub written: u64,
}
