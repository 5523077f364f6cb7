//! The trial registry: one file in a project folder that counts every variant ever run there. A Sharpe ratio can only be
//! judged by someone who knows how many were tried.
//!
//! The registry grows from run to run, so it is no stage's output: what is computed from it names its hash as an input.
//! Any number of processes may write it at once. A writer holds the lock of a file beside it (the system frees the lock of
//! a process that is killed), reads the whole registry, adds what is new, and puts the new file in place in one step.

use crate::Error;
use crate::measure::interval_seconds;
use crate::significance::{About, read_returns};
use artifacts::rows::{Bar, Decision, Trial};
use artifacts::{Timestamp, read_all, write_all};
use serde::Serialize;
use stats::distribution::{mean, std};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often, and how long after each other, a writer tries for the lock: one minute in all.
const TRIES: u32 = 3000;
const PAUSE: Duration = Duration::from_millis(20);

/// Settings that decide how figures are reported and not what a variant earns.
const NOT_RULES: [&str; 5] = ["symbol", "portfolio", "missing_decisions", "periods_per_year", "random_shifts"];

/// What [`register`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// Trials that were not there yet.
    pub added: usize,
    /// Trials now in the registry, of all markets.
    pub total: usize,
}

/// The identity of a variant: a hash of its target positions and when they were decided, of the prices, and of the rules.
/// Rationales, sources and names do not count, so the same variant run again, or under another name, has the same key.
pub fn key(bars: &[Bar], decisions: &[Decision], rules: &impl Serialize) -> String {
    let mut hash = Hash(blake3::Hasher::new());
    let mut rules = serde_json::to_value(rules).unwrap_or_default();
    if let Some(rules) = rules.as_object_mut() {
        rules.retain(|name, _| !NOT_RULES.contains(&name.as_str()));
    }
    hash.text(&rules.to_string());
    for bar in bars {
        hash.text(&bar.symbol);
        hash.times([bar.event_at, bar.available_at]);
        hash.numbers([bar.open, bar.high, bar.low, Some(bar.close), bar.volume]);
    }
    for decision in decisions {
        hash.text(&decision.symbol);
        hash.times([decision.bar_at, decision.decided_at]);
        hash.numbers([Some(decision.position)]);
    }
    hash.0.finalize().to_hex().to_string()
}

struct Hash(blake3::Hasher);

impl Hash {
    /// With its length, so that no two lists of texts run together.
    fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn times<const N: usize>(&mut self, times: [Timestamp; N]) {
        for time in times {
            self.0.update(&time.micros().to_le_bytes());
        }
    }

    fn numbers<const N: usize>(&mut self, numbers: [Option<f64>; N]) {
        for number in numbers {
            self.0.update(&[u8::from(number.is_some())]);
            self.0.update(&number.unwrap_or(0.0).to_le_bytes());
        }
    }
}

/// What trials on these bars are about: instruments, period and the length of a bar. Only trials of the same market are
/// counted together.
pub fn market(bars: &[Bar]) -> String {
    let symbols: BTreeSet<&str> = bars.iter().map(|b| b.symbol.as_str()).collect();
    let symbols = symbols.into_iter().collect::<Vec<_>>().join("+");
    let first = bars.iter().map(|b| b.event_at).min().unwrap_or_default();
    let last = bars.iter().map(|b| b.event_at).max().unwrap_or_default();
    let one = bars.iter().position(|b| bars.first().is_some_and(|f| f.symbol != b.symbol)).unwrap_or(bars.len());
    let seconds = interval_seconds(&bars[..one]).unwrap_or(0.0);
    format!("{symbols} {first}/{last} {seconds}s")
}

/// A trial from what a variant earned per bar.
pub fn trial(key: String, market: String, origin: &str, name: String, returns: &[f64]) -> Trial {
    let sharpe = mean(returns).zip(std(returns, 1)).filter(|(_, s)| *s > 0.0).map(|(m, s)| m / s);
    Trial {
        key,
        market,
        origin: origin.to_owned(),
        name,
        returns: returns.len() as u64,
        sharpe_per_bar: sharpe.filter(|s| s.is_finite()),
        total_return: stats::trading::total_return(returns).unwrap_or(0.0),
    }
}

/// The trial that the backtest in `folder` was. Registered again, it changes nothing.
///
/// # Errors
/// A folder without a backtest.
pub fn of_backtest(folder: &Path, origin: &str, name: &str) -> Result<Trial, Error> {
    let about = About::read(&folder.join("metrics.json"))?;
    let path = folder.join("returns.parquet");
    let returns = read_returns(&path)?;
    let own = returns.names.iter().position(|n| n == "strategy").and_then(|i| returns.series.get(i));
    let missing = || Error::Unreadable { message: "no returns of `strategy`; run the backtest again".to_owned() };
    let own = own.ok_or_else(|| missing().within(&path))?;
    Ok(trial(about.key, about.market, origin, name.to_owned(), own))
}

/// Adds trials to the registry `file`; those it has already change nothing. Makes the file, and its folder, where needed.
///
/// # Errors
/// A registry that cannot be read or written; a lock that another process holds for a minute.
pub fn register(file: &Path, trials: &[Trial]) -> Result<Registered, Error> {
    let _lock = lock(file)?;
    remove_leftovers(file);
    let mut all: BTreeMap<(String, String), Trial> =
        read(file)?.into_iter().map(|t| ((t.market.clone(), t.key.clone()), t)).collect();
    let before = all.len();
    for trial in trials {
        all.entry((trial.market.clone(), trial.key.clone())).or_insert_with(|| trial.clone());
    }
    let registered = Registered { added: all.len() - before, total: all.len() };
    if registered.added > 0 || !file.is_file() {
        write_all(file, &all.into_values().collect::<Vec<_>>())?;
    }
    Ok(registered)
}

/// The trials in the registry `file`, by market and key; none where there is no such file.
///
/// # Errors
/// A file that is not a registry.
pub fn read(file: &Path) -> Result<Vec<Trial>, Error> {
    if file.exists() { Ok(read_all(file)?) } else { Ok(Vec::new()) }
}

/// Where a project keeps its registry: beside the folder of the run that `stage_folder` belongs to.
///
/// ```
/// use std::path::Path;
/// let file = backtester::trials::of_project(Path::new("runs/first/backtester"));
/// assert_eq!(file, Path::new("runs/trials.parquet"));
/// ```
pub fn of_project(stage_folder: &Path) -> PathBuf {
    let project = stage_folder.parent().and_then(Path::parent).unwrap_or(Path::new(""));
    project.join("trials.parquet")
}

/// The lock is the file's own until it is dropped, and the system's to free when its process is gone.
pub(crate) fn lock(file: &Path) -> Result<File, Error> {
    let path = beside(file, ".lock");
    let io = |action, source| artifacts::Error::Io { path: path.clone(), action, source };
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| io("make folder", e))?;
    }
    let handle = File::options().create(true).append(true).open(&path).map_err(|e| io("open", e))?;
    for _ in 0..TRIES {
        match handle.try_lock() {
            Ok(()) => return Ok(handle),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(e)) => return Err(io("lock", e).into()),
        }
    }
    Err(Error::Locked { path, seconds: (PAUSE * TRIES).as_secs() })
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    file.with_file_name(format!("{name}{end}"))
}

/// What a killed writer left: nobody else writes while the lock is held.
fn remove_leftovers(file: &Path) {
    let begins = beside(file, ".").file_name().map(|n| format!(".{}", n.to_string_lossy())).unwrap_or_default();
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&begins) && name.ends_with(".seafin.tmp") {
            std::fs::remove_file(entry.path()).ok();
        }
    }
}
