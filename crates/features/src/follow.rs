//! Features of a stream: the tail of an event log, with the fold of the batch.
//!
//! A log is a folder of immutable segments `bars-000001.parquet`, `bars-000002.parquet`, … of one symbol's bars in order, and `end.json`
//! once it is over, which says how many there are. A missing number is an error, never a jump. After each segment its values and the
//! state behind it are on disk (`.progress/`), so a killed reader goes on where it was; a segment whose values were written but not
//! recorded is read again and gives the same bytes.

use crate::coverage::Coverage;
use crate::partition::json;
use crate::stage::{FEATURES, finish, read_context, spec};
use crate::{Context, Error, FeaturesConfig, Fold, Inputs, State};
use artifacts::rows::{Bar, Observation};
use artifacts::runtime::Stopwatch;
use artifacts::{Manifest, Outcome, Reader, RunOptions, hash_path, read_all, write_all, write_bytes};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FOLDER: &str = ".progress";
const END: &str = "end.json";

/// How far a reader is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    /// Hash of the definitions.
    definitions: String,
    /// Segments read.
    segments: u64,
    /// Hash over names and contents of the segments read, in order.
    log: String,
    /// Bars read.
    bars: u64,
    /// Behind the last bar; none before the first.
    state: Option<State>,
}

/// A reader of one log.
pub struct Follower {
    fold: Fold,
    log: PathBuf,
    out: PathBuf,
    texts: (Vec<artifacts::rows::News>, Vec<Observation>),
    context: Option<Context>,
    progress: Progress,
}

/// Follows `log` until it is over, then writes the files of [`crate::run`] (but `partitions.parquet`) into `out`. `market` may name a folder with
/// texts and observations that go in as of each bar. `idle_seconds` without anything new end it with an error; 0: it waits for ever.
///
/// # Errors
/// Definitions without meaning, a log that is not one, or files that cannot be read or written.
pub fn follow(
    config: &FeaturesConfig,
    log: &Path,
    market: Option<&Path>,
    out: &Path,
    wait: (Duration, u64),
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    let (poll, idle_seconds) = wait;
    let mut follower = Follower::resume(config, log, market, out, options)?;
    let mut quiet = Stopwatch::start();
    loop {
        let before = follower.progress.segments;
        if follower.poll()? {
            return follower.finish(config, market, options);
        }
        if follower.progress.segments != before {
            quiet = Stopwatch::start();
        } else if idle_seconds > 0 && quiet.seconds() >= idle_seconds as f64 {
            return Err(Error::Idle { path: log.into(), seconds: idle_seconds });
        }
        std::thread::sleep(poll.max(Duration::from_millis(1)));
    }
}

fn context_files(market: Option<&Path>) -> (Option<PathBuf>, Option<PathBuf>) {
    market.map(Inputs::of_folder).map_or((None, None), |i| (i.news, i.observations))
}

/// What `end.json` says of a log that is over.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct End {
    segments: Option<u64>,
    bars: Option<u64>,
}

impl End {
    fn read(log: &Path) -> Result<Option<Self>, Error> {
        let path = log.join(END);
        match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).map_err(|e| broken(path, format!("not readable ({e})")))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(broken(path, e.to_string())),
        }
    }
}

fn broken(path: PathBuf, message: String) -> Error {
    Error::BrokenLog { path, message }
}

/// The segments of a log: numbers 1, 2, … as far as they go.
fn segments(log: &Path) -> Result<Vec<PathBuf>, Error> {
    let unlisted = |e: std::io::Error| Error::NoLog { path: log.into(), message: e.to_string() };
    let mut last = None;
    for entry in std::fs::read_dir(log).map_err(unlisted)? {
        let name = entry.map_err(unlisted)?.file_name().to_string_lossy().into_owned();
        if name.starts_with("bars-") && name.ends_with(".parquet") {
            last = last.max(Some(name));
        }
    }
    // Looked up after the listing: a writer adds segments in order, so all before the last one listed are there.
    let named = (1_u64..).map(|number| log.join(format!("bars-{number:06}.parquet")));
    let found: Vec<PathBuf> = named.take_while(|path| path.exists()).collect();
    match last.map(|name| log.join(name)).filter(|last| !found.contains(last)) {
        Some(last) => Err(broken(last, format!("the segment of number {} is missing before it", found.len() + 1))),
        None => Ok(found),
    }
}

fn chained(before: &str, segment: &Path) -> Result<String, Error> {
    let name = segment.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut hasher = blake3::Hasher::new();
    hasher.update(before.as_bytes()).update(name.as_bytes()).update(hash_path(segment)?.as_bytes());
    Ok(hasher.finalize().to_hex().to_string())
}

impl Follower {
    /// A reader that goes on where the last one in `out` stopped, or begins.
    ///
    /// # Errors
    /// As [`follow`]; also where the definitions, or segments already read, changed since.
    pub fn resume(
        config: &FeaturesConfig,
        log: &Path,
        market: Option<&Path>,
        out: &Path,
        options: &RunOptions<'_>,
    ) -> Result<Self, Error> {
        let fold = config.fold()?;
        config.plots(&fold)?;
        let (news, observations) = context_files(market);
        let texts = read_context(&fold, news.as_ref(), observations.as_ref())?;
        let folder = out.join(FOLDER);
        let path = folder.join("state.json");
        let bad = |message: String| Error::Progress { path: folder.clone(), message };
        let mut progress = match std::fs::read(&path) {
            Ok(bytes) if !options.force => {
                serde_json::from_slice(&bytes).map_err(|e| bad(format!("its state.json cannot be read ({e})")))?
            }
            _ => Progress::default(),
        };
        if progress.segments == 0 {
            progress = Progress { definitions: fold.hash().to_owned(), ..Progress::default() };
        }
        if progress.definitions != fold.hash() {
            return Err(bad("it was made with other definitions".into()));
        }
        let read = segments(log)?.into_iter().take(progress.segments as usize);
        let hash = read.into_iter().try_fold(String::new(), |before, segment| chained(&before, &segment))?;
        if hash != progress.log {
            return Err(bad(format!("{} changed where it was read already", log.display())));
        }
        let symbol = progress.state.as_ref().map(|s| s.symbol().to_owned());
        let context = symbol.map(|s| Context::new(&s, &texts.0, &texts.1)).transpose()?;
        if progress.segments > 0 {
            tracing::info!("goes on after {} segments, {} bars", progress.segments, progress.bars);
        }
        Ok(Self { fold, log: log.into(), out: out.into(), texts, context, progress })
    }

    fn values(&self, segment: u64) -> PathBuf {
        self.out.join(FOLDER).join(format!("values-{segment:06}.parquet"))
    }

    /// Bars read so far.
    pub fn bars(&self) -> u64 {
        self.progress.bars
    }

    /// Reads every segment that is new. Returns whether the log is over and read to its end.
    ///
    /// # Errors
    /// As [`follow`].
    pub fn poll(&mut self) -> Result<bool, Error> {
        // Looked for before the segments: what is written after it is not missed.
        let end = End::read(&self.log)?;
        for segment in segments(&self.log)?.into_iter().skip(self.progress.segments as usize) {
            self.read(&segment)?;
        }
        let Some(end) = end else { return Ok(false) };
        let counts = [("segments", end.segments, self.progress.segments), ("bars", end.bars, self.progress.bars)];
        for (what, said, found) in counts {
            if said.is_some_and(|said| said != found) {
                let message = format!("it ends with {} {what}, there are {found}", said.unwrap_or_default());
                return Err(broken(self.log.join(END), message));
            }
        }
        Ok(true)
    }

    fn read(&mut self, segment: &Path) -> Result<(), Error> {
        let bars: Vec<Bar> = read_all(segment)?;
        let mut progress = self.progress.clone();
        let mut values = Vec::new();
        for bar in &bars {
            let mut state = match progress.state.take() {
                Some(state) => state,
                None => self.fold.start(&bar.symbol)?,
            };
            if state.symbol() != bar.symbol {
                let (expected, found) = (state.symbol().to_owned(), bar.symbol.clone());
                return Err(Error::OtherSymbol { path: segment.into(), expected, found });
            }
            if self.context.is_none() {
                self.context = Some(Context::new(&bar.symbol, &self.texts.0, &self.texts.1)?);
            }
            if let Some(context) = &self.context {
                let at = |source| Error::InFile { path: segment.into(), source: Box::new(source) };
                self.fold.step(&mut state, context, bar, &mut values).map_err(at)?;
            }
            progress.state = Some(state);
        }
        progress.segments += 1;
        progress.bars += bars.len() as u64;
        progress.log = chained(&progress.log, segment)?;
        // First the values, then the state that counts them.
        write_all(&self.values(progress.segments), &values)?;
        write_bytes(&self.out.join(FOLDER).join("state.json"), &json(&progress)?)?;
        self.progress = progress;
        Ok(())
    }

    /// Writes the files of the stage from everything read.
    ///
    /// # Errors
    /// The log had no bars, or a file cannot be read or written.
    pub fn finish(
        self,
        config: &FeaturesConfig,
        market: Option<&Path>,
        options: &RunOptions<'_>,
    ) -> Result<Manifest, Error> {
        if self.progress.bars == 0 {
            return Err(Error::EmptyLog { path: self.log });
        }
        let (news, observations) = context_files(market);
        let inputs = [Some(self.log.clone()), news, observations].into_iter().flatten().collect();
        let mut open = match spec(config, inputs, &self.out, options)?.begin()? {
            Outcome::Unchanged(manifest) => return Ok(manifest),
            Outcome::Run(open) => open,
        };
        let mut coverage = Coverage::new(config.plots(&self.fold)?);
        coverage.bars = self.progress.bars;
        let mut writer = open.writer::<Observation>(FEATURES)?;
        for segment in 1..=self.progress.segments {
            for batch in Reader::<Observation>::open(&self.values(segment))? {
                for value in batch? {
                    coverage.add(&value);
                    writer.push(value)?;
                }
            }
        }
        open.add_rows(FEATURES, writer)?;
        open.fact("segments", self.progress.segments);
        finish(open, &self.fold, &coverage)
    }
}
