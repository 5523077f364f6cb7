//! The look-ahead audit: a differential proof on a black box.
//!
//! A subject is anything that reads a market folder (`bars.parquet`, `news.parquet`, `observations.parquet`) and writes Parquet files whose
//! rows have times: a command, a closure, the agent of a run folder. It is run on the market, and then, for each of several moments t,
//!
//! * on the market **truncated** at t: rows that could be known only after t are gone;
//! * on the market **poisoned** after t: those rows are there, at their times, with garbage for values.
//!
//! Every row of its output whose time is t or earlier must be the same, cell by cell, as in the run on the whole market. Where one is not, the
//! subject looks ahead; single columns (of news: of one source; of observations: one name) are then poisoned one at a time, and those that
//! bring the difference about are named.
//!
//! What makes the audit itself believable is in its report too: the subject was run twice on the same data and gave the same files
//! (otherwise every difference would mean nothing), and poison did change rows after t (otherwise the subject reads nothing).
//!
//! **The time of a row** is the latest of its columns `decided_at`, `at`, `available_at`, `event_at` and `bar_at`. A row with neither
//! `decided_at` nor `at` is made when its bar closes, so `bar_at` (and `event_at`, where there is no `available_at`) counts as the moment when
//! that bar could be known; so it does for what is executed within a bar (rows with `units` or `filled`). Files without any of these columns, and hidden files and folders, are not compared; the report lists them.

mod attribute;
mod compare;
mod cuts;
mod market;
mod page;
mod poison;
mod run_folder;
mod subject;
mod table;

pub use compare::Difference;
pub use market::Market;
pub use page::{document, findings};
pub use poison::Part;
pub use run_folder::RunFolder;
pub use subject::{CommandSubject, Subject};

use anyhow::{Context, bail};
use artifacts::{Progress, Seed, Timestamp};
use compare::Outputs;
use std::path::Path;

/// How thorough an audit is.
#[derive(Debug, Clone)]
pub struct AuditConfig {
    /// Moments to cut at.
    pub cuts: usize,
    /// Where cuts and garbage come from.
    pub seed: Seed,
    /// At so many cuts with a difference the leaking columns are looked for.
    pub attributed_cuts: usize,
    /// Columns not compared, as `file:column`; a file `*` stands for all.
    pub ignored: Vec<String>,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { cuts: 8, seed: Seed::default(), attributed_cuts: 2, ignored: Vec::new() }
    }
}

/// What was done to the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// It was cut off.
    Truncated,
    /// It was poisoned.
    Poisoned,
}

/// What one cut showed.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The moment.
    pub t: Timestamp,
    /// Rows of the output with a time until then: all were compared.
    pub rows: u64,
    /// First differing row of each file, and how many differ.
    pub differences: Vec<(Twin, Difference)>,
    /// Rows after t that the poison changed: the subject does read what was poisoned.
    pub changed_after: u64,
}

/// A part of the market through which the future came.
#[derive(Debug, Clone)]
pub struct Leak {
    /// Which part.
    pub part: Part,
    /// What was done to it alone: for [`Twin::Truncated`] its values do not matter, but that its rows are there does.
    pub twin: Twin,
    /// The cut it was found at.
    pub t: Timestamp,
    /// The first row that differs when only this part does.
    pub first: Difference,
}

/// The result of an audit.
#[derive(Debug, Clone)]
pub struct Audit {
    /// What was audited.
    pub subject: String,
    /// Each cut, by time.
    pub cuts: Vec<Cut>,
    /// The leaking parts, each once.
    pub leaks: Vec<Leak>,
    /// Files of the output that were compared, and their rows with a time.
    pub compared: Vec<(String, u64)>,
    /// Files of the output without times.
    pub skipped: Vec<String>,
    /// How often the subject was run.
    pub runs: usize,
}

impl Audit {
    /// Whether any row until any cut differed.
    pub fn looks_ahead(&self) -> bool {
        self.cuts.iter().any(|c| !c.differences.is_empty())
    }

    /// Whether poison changed anything at all, before or after its cut: if not, the subject does not read the market it is given.
    pub fn has_power(&self) -> bool {
        self.looks_ahead() || self.cuts.iter().any(|c| c.changed_after > 0)
    }
}

/// Audits a subject on a market.
///
/// # Errors
/// The market cannot be read or is too short to be cut, the subject fails, or it gives other files when run again on the same data.
pub fn audit(
    name: &str,
    subject: &dyn Subject,
    market: &Path,
    config: &AuditConfig,
    progress: &dyn Progress,
) -> anyhow::Result<Audit> {
    let market = Market::read(market)?;
    let bench = Bench { subject, market: &market, closes: market.closes(), ignored: &config.ignored };
    let times = cuts::choose(&market, config.cuts, config.seed)?;
    let ticker = progress.start("look-ahead audit", times.len() as u64);
    let base = bench.outputs(&market).context("on the whole market")?;
    if base.rows() == 0 {
        bail!(
            "{name} wrote no Parquet row with a time; an output needs a column decided_at, at, available_at, event_at or bar_at"
        );
    }
    let again = bench.outputs(&market).context("on the whole market, again")?;
    if let Some(difference) = base.first_difference(&again, None) {
        bail!(
            "{name} is not reproducible: two runs on the same data differ in {difference}; give it a fixed seed and no clock, or exclude a \
             column with --ignore FILE:COLUMN"
        );
    }
    let (mut cuts, mut leaks, mut runs, mut attributed) = (Vec::new(), Vec::<Leak>::new(), 2, 0);
    for (done, &t) in times.iter().enumerate() {
        let seed = config.seed.derive(&format!("audit/{}", t.micros()));
        let truncated = bench.outputs(&market.truncated(t, None)).with_context(|| format!("truncated at {t}"))?;
        let poisoned = bench.outputs(&market.poisoned(t, None, seed)).with_context(|| format!("poisoned after {t}"))?;
        runs += 2;
        let of =
            |twin, other: &Outputs| base.differences(other, t).into_iter().map(move |d| (twin, d)).collect::<Vec<_>>();
        let differences = [of(Twin::Truncated, &truncated), of(Twin::Poisoned, &poisoned)].concat();
        if !differences.is_empty() && attributed < config.attributed_cuts {
            attributed += 1;
            let found = attribute::leaks(&bench, &base, t, seed)?;
            runs += found.runs;
            for leak in found.leaks {
                if !leaks.iter().any(|l| l.part == leak.part) {
                    leaks.push(leak);
                }
            }
        }
        let (rows, changed_after) = (base.rows_until(t), base.changed_after(&poisoned, t));
        cuts.push(Cut { t, rows, differences, changed_after });
        ticker.at(done as u64 + 1, "");
    }
    Ok(Audit { subject: name.to_owned(), cuts, leaks, compared: base.compared(), skipped: base.skipped.clone(), runs })
}

/// What every run of one audit has in common.
struct Bench<'a> {
    subject: &'a dyn Subject,
    market: &'a Market,
    closes: market::Closes,
    ignored: &'a [String],
}

impl Bench<'_> {
    /// Runs the subject on a market and reads what it wrote.
    fn outputs(&self, market: &Market) -> anyhow::Result<Outputs> {
        let folder = tempfile::tempdir().context("a temporary folder")?;
        let (from, to) = (folder.path().join("market"), folder.path().join("out"));
        market.write(&from)?;
        std::fs::create_dir_all(&to).with_context(|| format!("{}: cannot be made", to.display()))?;
        self.subject.run(&from, &to)?;
        Outputs::read(&to, &self.closes, self.ignored)
    }
}
