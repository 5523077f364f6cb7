//! What binaries take from the system for [`crate::serve`].

use std::time::{SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{SignalKind, signal};

/// The system's clock, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the clock is read here, at the edge")]
pub fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Ready when somebody presses Ctrl-C or the process is asked to end (SIGTERM, as containers are).
pub async fn asked_to_stop() {
    let interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        interrupt.await.ok();
        return;
    };
    let terminate = std::pin::pin!(terminate.recv());
    futures_util::future::select(interrupt, terminate).await;
}
