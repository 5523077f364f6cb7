//! Running a stage: skip it when nothing changed, otherwise write its files and, last, its manifest.

use crate::manifest::{FileRecord, MANIFEST, Manifest, RUNTIME, RowsRecord};
use crate::runtime::{Runtime, Stopwatch};
use crate::{Error, Progress, Result, Row, Seed, Writer, hash_path, remove_stale_temporaries, write_bytes};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What a stage is about to do.
#[derive(Debug, Clone)]
pub struct StageSpec {
    /// The stage's name.
    pub name: &'static str,
    /// Raised by its author when its output changes for the same input: old folders are then made again.
    pub version: u32,
    /// The folder it writes.
    pub folder: PathBuf,
    /// The run's seed.
    pub seed: Seed,
    /// All settings, resolved.
    pub config: serde_json::Value,
    /// Every file or folder it reads.
    pub inputs: Vec<PathBuf>,
    /// Run even if nothing changed.
    pub force: bool,
}

/// How a stage is run: what every stage is told beside its settings and inputs.
#[derive(Clone, Copy)]
pub struct RunOptions<'a> {
    /// The run's seed.
    pub seed: Seed,
    /// Run even if nothing changed.
    pub force: bool,
    /// Whom to tell how far it is.
    pub progress: &'a dyn Progress,
}

/// What [`StageSpec::begin`] found.
#[derive(Debug)]
pub enum Outcome {
    /// The folder already holds what this stage would write.
    Unchanged(Manifest),
    /// There is work to do.
    Run(OpenStage),
}

impl StageSpec {
    /// The usual one: all settings decide about the output, and the options are those given.
    ///
    /// # Errors
    /// Settings that JSON cannot hold.
    pub fn new(
        (name, version): (&'static str, u32),
        folder: &Path,
        config: &impl serde::Serialize,
        inputs: Vec<PathBuf>,
        options: &RunOptions<'_>,
    ) -> Result<Self> {
        let config =
            serde_json::to_value(config).map_err(|e| Error::BadSettings { stage: name, message: e.to_string() })?;
        Ok(Self { name, version, folder: folder.into(), seed: options.seed, config, inputs, force: options.force })
    }

    /// Hashes the inputs, checks them against the manifests beside them, and compares everything with the stage's own
    /// manifest, if it has one.
    ///
    /// # Errors
    /// An input is missing, or is not what the manifest beside it recorded.
    pub fn begin(self) -> Result<Outcome> {
        let clock = Stopwatch::start();
        let inputs = self.inputs.iter().map(|p| self.record_input(p)).collect::<Result<Vec<_>>>()?;
        let manifest = Manifest {
            stage: self.name.to_owned(),
            stage_version: self.version,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.seed,
            config: self.config.clone(),
            inputs,
            outputs: Vec::new(),
            rows_in: 0,
            rows_kept: 0,
            rows_rejected: BTreeMap::new(),
            facts: BTreeMap::new(),
        };
        let previous = Manifest::read(&self.folder).unwrap_or_else(|e| {
            tracing::warn!("{e}");
            None
        });
        let mut outputs = Vec::new();
        if let Some(previous) = previous {
            match self.what_changed(&manifest, &previous) {
                _ if self.force => tracing::info!(stage = self.name, "runs again: forced"),
                Some(reason) => tracing::info!(stage = self.name, "runs again: {reason}"),
                None => {
                    tracing::info!(stage = self.name, "unchanged, skipped");
                    return Ok(Outcome::Unchanged(previous));
                }
            }
            outputs = previous.outputs;
        } else {
            tracing::info!(stage = self.name, "runs");
        }
        std::fs::create_dir_all(&self.folder).map_err(|source| Error::Io {
            path: self.folder.clone(),
            action: "make folder",
            source,
        })?;
        remove_stale_temporaries(&self.folder)?;
        // From here on the folder is in the making: without a manifest nobody takes it for complete, and a file that this
        // run does not write must not stay beside the next one.
        for name in std::iter::once(MANIFEST).chain(outputs.iter().map(|o| o.path.as_str())) {
            remove_inside(&self.folder, name)?;
        }
        Ok(Outcome::Run(OpenStage { folder: self.folder, manifest, clock, measured: BTreeMap::new() }))
    }

    fn record_input(&self, path: &Path) -> Result<FileRecord> {
        let blake3 = hash_path(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        if let (Some(beside), Some(name)) = (Manifest::read(folder).ok().flatten(), path.file_name())
            && let Some(record) = beside.output(&name.to_string_lossy())
            && record.blake3 != blake3
        {
            let short = |hash: &str| hash.chars().take(8).collect();
            return Err(Error::InputChanged {
                path: path.into(),
                manifest: folder.join(MANIFEST),
                stage: beside.stage.clone(),
                recorded: short(&record.blake3),
                found: short(&blake3),
            });
        }
        Ok(FileRecord { path: self.name_of(path), blake3, rows: None })
    }

    /// Inputs of the same run are named relative to this stage, so that moving a run changes nothing. A run's folders are
    /// `run/stage` and `run/group/stage`, so the run is one or two folders up.
    fn name_of(&self, path: &Path) -> String {
        let clean = |p: &Path| {
            let parts = p.components().filter(|c| *c != Component::CurDir).collect::<PathBuf>();
            parts.to_string_lossy().replace('\\', "/")
        };
        let above = self.folder.ancestors().skip(1).take(2).filter(|a| !a.as_os_str().is_empty());
        let within = above.enumerate().find_map(|(up, ancestor)| Some((up, path.strip_prefix(ancestor).ok()?)));
        within.map_or_else(|| clean(path), |(up, rest)| format!("{}{}", "../".repeat(up + 1), clean(rest)))
    }

    fn what_changed(&self, new: &Manifest, old: &Manifest) -> Option<String> {
        if new.stage != old.stage {
            return Some(format!("the folder holds stage {}", old.stage));
        }
        if (&new.code_version, new.stage_version) != (&old.code_version, old.stage_version) {
            return Some("the code has a new version".into());
        }
        if new.seed != old.seed {
            return Some(format!("seed {} was {}", new.seed.0, old.seed.0));
        }
        if new.config != old.config {
            return Some(format!("setting {}", first_difference("", &new.config, &old.config)));
        }
        for input in &new.inputs {
            match old.inputs.iter().find(|o| o.path == input.path) {
                None => return Some(format!("{} is a new input", input.path)),
                Some(o) if o.blake3 != input.blake3 => return Some(format!("{} changed", input.path)),
                Some(_) => {}
            }
        }
        if new.inputs.len() != old.inputs.len() {
            return Some("an input is gone".into());
        }
        let broken = |o: &&FileRecord| hash_path(&self.folder.join(&o.path)).map_or(true, |found| found != o.blake3);
        old.outputs.iter().find(broken).map(|o| format!("its output {} is gone or was altered", o.path))
    }
}

/// Removes a file or folder that a manifest names; a name that leads out of the folder is left alone.
fn remove_inside(folder: &Path, name: &str) -> Result<()> {
    if name.is_empty() || !Path::new(name).components().all(|c| matches!(c, Component::Normal(_))) {
        return Ok(());
    }
    let path = folder.join(name);
    let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    match removed {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Io { path, action: "remove", source })
        }
        _ => Ok(()),
    }
}

fn first_difference(at: &str, new: &serde_json::Value, old: &serde_json::Value) -> String {
    match (new.as_object(), old.as_object()) {
        (Some(new), Some(old)) => {
            let keys = new.keys().chain(old.keys().filter(|k| !new.contains_key(*k)));
            let null = serde_json::Value::Null;
            for key in keys {
                let (n, o) = (new.get(key).unwrap_or(&null), old.get(key).unwrap_or(&null));
                if n != o {
                    return first_difference(&format!("{at}{}{key}", if at.is_empty() { "" } else { "." }), n, o);
                }
            }
            format!("{at} changed")
        }
        _ => format!("{at} = {new} was {old}"),
    }
}

/// A stage at work: the only way to put files into its folder.
#[derive(Debug)]
pub struct OpenStage {
    folder: PathBuf,
    manifest: Manifest,
    clock: Stopwatch,
    measured: BTreeMap<String, f64>,
}

impl OpenStage {
    /// The folder being written.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The seed of the use called `name` within this stage.
    pub fn seed(&self, name: &str) -> Seed {
        self.manifest.seed.derive(&format!("{}/{name}", self.manifest.stage))
    }

    /// One hash of seed, settings and inputs: equal for runs that must give equal files.
    pub fn inputs_fingerprint(&self) -> String {
        let text = serde_json::to_string(&self.manifest).unwrap_or_default();
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// A writer for rows too many to hold; give its result to [`OpenStage::add_rows`].
    pub fn writer<R: Row>(&self, file: &str) -> Result<Writer<R>> {
        Writer::create(&self.folder.join(file))
    }

    /// Finishes a writer and records its file.
    pub fn add_rows<R: Row>(&mut self, file: &str, writer: Writer<R>) -> Result<u64> {
        let count = writer.finish()?;
        self.record(file, Some(RowsRecord { row: R::NAME.to_owned(), version: R::VERSION, count }))?;
        Ok(count)
    }

    /// Writes all rows to one Parquet file.
    pub fn write_rows<R: Row>(&mut self, file: &str, rows: impl IntoIterator<Item = R>) -> Result<u64> {
        let mut writer = self.writer(file)?;
        for row in rows {
            writer.push(row)?;
        }
        self.add_rows(file, writer)
    }

    /// Writes a report, a plot, a configuration.
    pub fn write_bytes(&mut self, file: &str, bytes: &[u8]) -> Result<()> {
        write_bytes(&self.folder.join(file), bytes)?;
        self.record(file, None)
    }

    /// Records a file or folder that something else wrote into this stage's folder.
    pub fn add_path(&mut self, file: &str) -> Result<()> {
        self.record(file, None)
    }

    fn record(&mut self, file: &str, rows: Option<RowsRecord>) -> Result<()> {
        let blake3 = hash_path(&self.folder.join(file))?;
        self.manifest.outputs.retain(|o| o.path != file);
        self.manifest.outputs.push(FileRecord { path: file.to_owned(), blake3, rows });
        Ok(())
    }

    /// Counts rows read and kept.
    pub fn count(&mut self, rows_in: u64, rows_kept: u64) {
        self.manifest.rows_in += rows_in;
        self.manifest.rows_kept += rows_kept;
    }

    /// Counts refused rows.
    pub fn reject(&mut self, reason: &str, rows: u64) {
        *self.manifest.rows_rejected.entry(reason.to_owned()).or_default() += rows;
    }

    /// Records a headline figure.
    pub fn fact(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        self.manifest.facts.insert(name.to_owned(), value.into());
    }

    /// Records a figure that differs between runs that are otherwise equal, such as a rate: it goes to `runtime.json`.
    pub fn measured(&mut self, name: &str, value: f64) {
        self.measured.insert(name.to_owned(), value);
    }

    /// Writes `runtime.json` and, last, the manifest: the folder is complete.
    pub fn finish(self) -> Result<Manifest> {
        let runtime = Runtime { measured: self.measured, ..self.clock.runtime() };
        tracing::info!(stage = self.manifest.stage, "done in {:.1} s", runtime.wall_seconds);
        let path = self.folder.join(RUNTIME);
        let bytes = serde_json::to_vec_pretty(&runtime)
            .map_err(|e| Error::BadManifest { path: path.clone(), message: e.to_string() })?;
        write_bytes(&path, &bytes)?;
        self.manifest.write(&self.folder)?;
        Ok(self.manifest)
    }
}
