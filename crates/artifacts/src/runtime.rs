//! What a run cost: kept apart from the manifest, because it differs between runs that are otherwise equal.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// Wall time and memory of one stage run (`runtime.json`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Runtime {
    /// From the first input hashed to the last output renamed.
    pub wall_seconds: f64,
    /// Highest resident set of the whole process so far, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// Threads available to the process.
    pub threads: usize,
    /// What the stage itself measured, such as tokens a second.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<String, f64>,
}

/// A running clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    /// Everything measured since the start.
    pub fn runtime(&self) -> Runtime {
        Runtime {
            wall_seconds: self.seconds(),
            peak_memory_bytes: peak_memory_bytes(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            measured: BTreeMap::new(),
        }
    }
}

/// Highest resident set of this process, from `/proc/self/status`.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
