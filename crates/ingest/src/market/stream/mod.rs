//! A live stream of prices: followed into an append-only log of finished bars, and replayed from one for tests.
//!
//! The same rows come out, whether a market is read from a file (`ingest market`) or followed here: a bar is written once, when it is
//! final, in order of time. Messages may come twice, late, out of order, torn or not at all; connections may break. What a stream
//! lost is asked for over REST; what nobody has is written down as a hole; what comes too late is kept in `rejected-*.parquet`.

mod assemble;
mod counts;
mod event_log;
mod follow;
mod replay;
mod script;
mod trades;

pub use counts::Counts;
pub(super) use event_log::read_segments;
pub use event_log::{End, EventLog, read_log, segments};
pub use follow::{FollowConfig, Followed, follow};
pub use replay::{ReplayServer, serve};
pub use script::{Faults, ReplayConfig, Speaks};
