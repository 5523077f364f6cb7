use anyhow::{Context, bail};
use std::path::Path;
use std::process::Command;

/// Something that reads a market folder and writes Parquet files into another.
pub trait Subject {
    /// Reads `market` (`bars.parquet`, `news.parquet`, `observations.parquet`) and writes into the empty folder `out`.
    ///
    /// # Errors
    /// Whatever stops it.
    fn run(&self, market: &Path, out: &Path) -> anyhow::Result<()>;
}

impl<F: Fn(&Path, &Path) -> anyhow::Result<()>> Subject for F {
    fn run(&self, market: &Path, out: &Path) -> anyhow::Result<()> {
        self(market, out)
    }
}

/// A shell command with `{market}` and `{out}` where the folders go.
#[derive(Debug, Clone)]
pub struct CommandSubject(String);

impl CommandSubject {
    /// A command.
    ///
    /// # Errors
    /// One of the two places is missing.
    pub fn new(command: &str) -> anyhow::Result<Self> {
        for place in ["{market}", "{out}"] {
            if !command.contains(place) {
                bail!("--subject {command}: it has no {place}; write `mytool --data {{market}} --into {{out}}`");
            }
        }
        Ok(Self(command.to_owned()))
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}

impl Subject for CommandSubject {
    fn run(&self, market: &Path, out: &Path) -> anyhow::Result<()> {
        let line = self.0.replace("{market}", &quoted(market)).replace("{out}", &quoted(out));
        let done = Command::new("sh").arg("-c").arg(&line).output().with_context(|| format!("{line}: cannot start"))?;
        if !done.status.success() {
            let errors = String::from_utf8_lossy(&done.stderr);
            let last = errors.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("no message").to_owned();
            bail!("{line}: {} ({last})", done.status);
        }
        Ok(())
    }
}
