//! The service over real sockets, with a tiny random model.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod completions;
mod decisions;
mod operations;
mod page;
mod sentiment;
mod server;
