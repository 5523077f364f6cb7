//! The command `significance`, and how a run is written down in the registry of trials.

use anyhow::bail;
use artifacts::read_all;
use artifacts::rows::Metric;
use backtester::{SignificanceConfig, SignificanceSources, trials};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Significance {
    /// Folder of the backtest
    #[arg(long, value_name = "DIR")]
    backtest: PathBuf,
    /// The project's registry of trials
    #[arg(long, value_name = "FILE")]
    trials: Option<PathBuf>,
    /// Parquet file of the returns of all variants of a sweep on the same bars
    #[arg(long, value_name = "FILE")]
    returns: Option<PathBuf>,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// The figures that are printed.
const SHOWN: [&str; 11] = [
    "sharpe_ratio",
    "sharpe_ratio_low",
    "sharpe_ratio_high",
    "probabilistic_sharpe",
    "deflated_sharpe",
    "trials",
    "effective_deflated_sharpe",
    "effective_trials",
    "spa_p_value",
    "reality_check_p_value",
    "overfitting_probability",
];

impl Significance {
    pub(crate) fn run(&self, common: &cli::Common) -> anyhow::Result<()> {
        let Some(config) = common.load::<SignificanceConfig>()? else { return Ok(()) };
        if let Some(file) = self.trials.as_ref().filter(|file| !file.exists()) {
            bail!(
                "{}: no such registry; write the backtest down with `run --trials`, or leave --trials out",
                file.display()
            );
        }
        let progress = cli::progress();
        let sources = SignificanceSources {
            backtest: &self.backtest,
            trials: self.trials.as_deref(),
            variants: self.returns.as_deref(),
        };
        backtester::significance(&config, &sources, &self.out, &common.run_options(progress.as_ref()))?;
        let metrics: Vec<Metric> = read_all(&self.out.join("significance.parquet"))?;
        let shown = |m: &&Metric| m.subject == "strategy" && m.slice == "all" && SHOWN.contains(&m.metric.as_str());
        for metric in metrics.iter().filter(shown) {
            cli::say(&format!("{:26} {:>12}", metric.metric, report::format::number(metric.value, 4)));
        }
        cli::say(&format!("report: {}", self.out.join("report.html").display()));
        Ok(())
    }
}

/// Registers the backtest in the folder `out`.
pub(crate) fn write_down(file: &Path, out: &Path) -> anyhow::Result<()> {
    let name = out.file_name().map_or_else(|| "backtest".to_owned(), |n| n.to_string_lossy().into_owned());
    let registered = trials::register(file, &[trials::of_backtest(out, "backtest", &name)?])?;
    let word = if registered.added > 0 { "a new trial" } else { "known already" };
    cli::say(&format!("trials: {word}, {} in {}", registered.total, file.display()));
    Ok(())
}
