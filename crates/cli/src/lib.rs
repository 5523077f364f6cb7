//! What every binary of seafin shares: settings from a TOML file and flags, logging, progress, exit codes.
//!
//! A stage's `main.rs` parses its own flags with clap, flattens [`Common`] into them, and calls its library function
//! inside [`run`]:
//!
//! ```no_run
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! struct Args {
//!     #[command(flatten)]
//!     common: cli::Common,
//! }
//!
//! #[derive(Default, serde::Serialize, serde::Deserialize)]
//! #[serde(default, deny_unknown_fields)]
//! struct Config { rows: u32 }
//!
//! fn main() -> std::process::ExitCode {
//!     let args = Args::parse();
//!     cli::run(&args.common, || {
//!         let Some(config) = args.common.load::<Config>()? else { return Ok(()) };
//!         cli::say(&format!("{} rows", config.rows));
//!         Ok(())
//!     })
//! }
//! ```

mod progress;
mod settings;

pub use progress::progress;
pub use settings::{merge, resolve};

use anyhow::Context;
use artifacts::{Progress, RunOptions, Seed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The flags that every stage understands.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Common {
    /// Settings in TOML; what it leaves out keeps its default
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// One setting, such as `--set train.rank=16`; after the file, may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,
    /// Print the resolved settings as TOML and stop
    #[arg(long, global = true)]
    pub print_config: bool,
    /// The number everything random comes from
    #[arg(long, default_value_t = 42, global = true)]
    pub seed: u64,
    /// Run even if nothing changed
    #[arg(long, global = true)]
    pub force: bool,
    /// Only warnings and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

impl Common {
    /// The run's seed.
    pub fn seed(&self) -> Seed {
        Seed(self.seed)
    }

    /// What a stage is told beside its settings and inputs.
    pub fn run_options<'a>(&self, progress: &'a dyn Progress) -> RunOptions<'a> {
        RunOptions { seed: self.seed(), force: self.force, progress }
    }

    /// Defaults, then the file, then `--set`. Nothing if `--print-config` asked only to see them (they are printed).
    ///
    /// # Errors
    /// The file cannot be read, or a setting is unknown or of the wrong type; the error names it.
    pub fn load<C: Serialize + DeserializeOwned + Default>(&self) -> anyhow::Result<Option<C>> {
        let file = match &self.config {
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("{}: cannot read", path.display()))?;
                toml::from_str(&text).with_context(|| format!("{}: not TOML", path.display()))?
            }
            None => toml::Table::new(),
        };
        let config: C = resolve(&C::default(), &[file], &self.set)?;
        if self.print_config {
            say(toml::to_string(&config)?.trim_end());
            return Ok(None);
        }
        Ok(Some(config))
    }
}

/// Sets up logging, runs `body`, and turns its result into an exit code: 0, or 1 with one line on standard error.
/// (Wrong usage ends with 2, by clap.)
pub fn run(common: &Common, body: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    let level = if common.quiet { "warn" } else { "info" };
    #[expect(clippy::disallowed_methods, reason = "the environment is read here, at the edge")]
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| level.to_owned());
    let logger = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time();
    // Already set when several stages share a process, as in `run-all`.
    logger.try_init().ok();
    match body() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "error: {}", one_line(&error)).ok();
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes on one line; a cause that an earlier message already tells is left out.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.contains(&text) {
            line = if line.is_empty() { text } else { format!("{line}: {text}") };
        }
    }
    line
}

/// Prints one line (or several) to standard output. A closed pipe (`| head`) is not an error.
pub fn say(text: &str) {
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_and_tells_each_cause_once() {
        let cause = std::io::Error::other("disk\non fire");
        let error = anyhow::Error::new(cause).context("a.csv: cannot read: disk on fire").context("Train");
        assert_eq!(one_line(&error), "Train: a.csv: cannot read: disk on fire");
    }
}
