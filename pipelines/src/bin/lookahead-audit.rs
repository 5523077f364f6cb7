//! Does a strategy look ahead? Runs it on twins of a market whose future is cut off or poisoned, and names the column through which it does.

use anyhow::bail;
use artifacts::write_bytes;
use clap::Parser;
use pipelines::audit::{self, AuditConfig, CommandSubject, RunFolder, Subject};
use std::path::PathBuf;
use std::process::ExitCode;

/// Prove by differential runs that nothing in a strategy's output depends on what could be known only later; ends with 1 where something does
#[derive(Debug, Parser)]
#[command(version)]
struct Audit {
    /// Folder with bars.parquet, news.parquet, observations.parquet [default with --run: that run's]
    #[arg(long, value_name = "DIR")]
    market: Option<PathBuf>,
    /// A command that reads {market} and writes Parquet files into {out}
    #[arg(long, value_name = "CMD", required_unless_present = "run", conflicts_with = "run")]
    subject: Option<String>,
    /// A run folder: its features and its agent are run again under their recorded settings
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Moments to cut at
    #[arg(long, default_value_t = 8)]
    cuts: usize,
    /// A column that may differ, as FILE:COLUMN; may be repeated
    #[arg(long, value_name = "FILE:COLUMN")]
    ignore: Vec<String>,
    /// Folder for report.html, report.md and findings.parquet
    #[arg(long, value_name = "DIR", default_value = "lookahead-audit")]
    out: PathBuf,
    #[command(flatten)]
    common: cli::Common,
}

fn main() -> ExitCode {
    let args = Audit::parse();
    cli::run(&args.common, || {
        let mut config = AuditConfig { cuts: args.cuts, seed: args.common.seed(), ..AuditConfig::default() };
        config.ignored.extend(args.ignore.iter().cloned());
        let (name, subject, market): (String, Box<dyn Subject>, PathBuf) =
            match (&args.run, &args.subject, &args.market) {
                (Some(run), _, market) => {
                    let subject = RunFolder::open(run)?;
                    let market = market.clone().unwrap_or_else(|| subject.market());
                    ("the agent of a run".to_owned(), Box::new(subject), market)
                }
                (None, Some(line), Some(market)) => {
                    (line.clone(), Box::new(CommandSubject::new(line)?), market.clone())
                }
                _ => bail!("--subject needs --market DIR: the folder whose twins it is run on"),
            };
        let found = audit::audit(&name, subject.as_ref(), &market, &config, cli::progress().as_ref())?;
        let (page, findings) = (audit::document(&found), audit::findings(&found));
        write_bytes(&args.out.join("report.html"), page.to_html().as_bytes())?;
        write_bytes(&args.out.join("report.md"), page.to_markdown().as_bytes())?;
        artifacts::write_all(&args.out.join("findings.parquet"), &findings)?;
        for finding in &findings {
            cli::say(&finding.message);
        }
        let rows: u64 = found.cuts.iter().map(|c| c.rows).sum();
        cli::say(&format!(
            "{} cuts, {rows} rows compared twice; report: {}",
            found.cuts.len(),
            args.out.join("report.html").display()
        ));
        if found.looks_ahead() {
            let parts: Vec<String> = found.leaks.iter().map(|l| l.part.to_string()).collect();
            bail!(
                "it looks ahead through {}",
                if parts.is_empty() { "several parts together".to_owned() } else { parts.join("; ") }
            );
        }
        if !found.has_power() {
            bail!("no row ever changed: the subject does not seem to read the market folder it is given");
        }
        Ok(())
    })
}
