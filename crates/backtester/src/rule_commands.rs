//! The commands that run rules: a sweep, a walk-forward, a stream, and made-up bars.

use anyhow::{Context, bail};
use artifacts::rows::{Metric, SweepRow, WalkForwardRow};
use artifacts::{Manifest, read_all};
use backtester::{
    CrossValidationConfig, StreamConfig, SweepConfig, WalkForwardConfig, generate_bars, run_cross_validation,
    run_stream, run_sweep, run_walk_forward,
};
use backtester::{Error, Rule, Score, Sides};
use clap::ValueEnum;
use report::format::{count, number, percent, signed_percent};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, ValueEnum)]
enum Out {
    /// Long or flat
    LongFlat,
    /// Long or short
    LongShort,
}

/// A rule, its numbers and where to read and write. Costs and all else: `--set backtest.commission_bps=5` and so on.
#[derive(clap::Args)]
pub(crate) struct RuleArgs {
    /// Parquet file of bars (stream: or a folder of them)
    #[arg(long, value_name = "FILE", required_unless_present = "print_config")]
    bars: Option<PathBuf>,
    /// Folder to write
    #[arg(long, value_name = "DIR", required_unless_present = "print_config")]
    out: Option<PathBuf>,
    /// sma-cross, ema-cross, rsi-band, bollinger or momentum
    #[arg(long)]
    rule: Option<Rule>,
    /// Where the rule goes when it goes out
    #[arg(long, value_enum)]
    sides: Option<Out>,
    /// The instrument, where the file has several
    #[arg(long)]
    symbol: Option<String>,
    /// sma-cross, ema-cross: bars of the fast mean, such as 5..50:5
    #[arg(long, value_name = "RANGE")]
    fast: Option<String>,
    /// sma-cross, ema-cross: bars of the slow mean
    #[arg(long, value_name = "RANGE")]
    slow: Option<String>,
    /// rsi-band, bollinger: bars
    #[arg(long, value_name = "RANGE")]
    period: Option<String>,
    /// rsi-band: lower level; the upper is 100 minus it
    #[arg(long, value_name = "RANGE")]
    band: Option<String>,
    /// bollinger: standard deviations
    #[arg(long, value_name = "RANGE")]
    width: Option<String>,
    /// momentum: bars
    #[arg(long, value_name = "RANGE")]
    lookback: Option<String>,
    /// momentum: change in per cent
    #[arg(long, value_name = "RANGE")]
    threshold: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct WalkArgs {
    #[command(flatten)]
    rule: RuleArgs,
    /// Bars each choice is made on
    #[arg(long, value_name = "BARS")]
    train: Option<usize>,
    /// Bars each choice is judged by
    #[arg(long, value_name = "BARS")]
    test: Option<usize>,
    /// Bars left out between the two
    #[arg(long, value_name = "BARS")]
    purge: Option<usize>,
    /// Choose on all bars from the first on
    #[arg(long)]
    anchored: bool,
    /// Choose by return in place of the Sharpe ratio
    #[arg(long)]
    by_return: bool,
}

#[derive(clap::Args)]
pub(crate) struct FoldArgs {
    #[command(flatten)]
    rule: RuleArgs,
    /// How many folds
    #[arg(long)]
    folds: Option<usize>,
    /// Bars left out of the choice on both sides of the judged fold
    #[arg(long, value_name = "BARS")]
    purge: Option<usize>,
    /// Bars left out after it beyond that
    #[arg(long, value_name = "BARS")]
    embargo: Option<usize>,
    /// Choose by return in place of the Sharpe ratio
    #[arg(long)]
    by_return: bool,
}

#[derive(clap::Args)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    rule: RuleArgs,
    /// Also write the returns of every variant, bar by bar
    #[arg(long)]
    returns: bool,
}

#[derive(clap::Args)]
pub(crate) struct MakeArgs {
    /// How many bars
    #[arg(long, default_value_t = 1_000_000)]
    bars: u64,
    /// Prices are multiples of this; 0 for any
    #[arg(long, default_value_t = 0.01)]
    tick: f64,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl RuleArgs {
    /// The flags as settings. `given` is the rule in force: of the flag, or of the settings file.
    fn settings(&self, common: &cli::Common, given: Rule) -> anyhow::Result<cli::Common> {
        let mut common = common.clone();
        let rule = self.rule.unwrap_or(given);
        let [first, second] = rule.parameters();
        let flags = [
            ("fast", &self.fast),
            ("slow", &self.slow),
            ("period", &self.period),
            ("band", &self.band),
            ("width", &self.width),
            ("lookback", &self.lookback),
            ("threshold", &self.threshold),
        ];
        for (flag, value) in flags {
            let Some(value) = value else { continue };
            let key = if flag == first {
                "first"
            } else if flag == second {
                "second"
            } else {
                bail!(Error::NoSuchParameter { rule: rule.name(), given: flag.to_owned(), first, second });
            };
            common.set.push(format!("{key}={value}"));
        }
        let name = rule.name();
        common.set.extend(self.rule.map(|_| format!("rule={name}")));
        let sides = self.sides.map(|s| match s {
            Out::LongFlat => Sides::LongFlat,
            Out::LongShort => Sides::LongShort,
        });
        common
            .set
            .extend(sides.map(|s| format!("sides={}", if s == Sides::LongFlat { "long-flat" } else { "long-short" })));
        common.set.extend(self.symbol.as_ref().map(|s| format!("backtest.symbol={s:?}")));
        Ok(common)
    }

    /// The settings, from all sources; none if they were only to be printed.
    fn load<C>(&self, common: &cli::Common, rule: fn(&C) -> Rule, more: Vec<String>) -> anyhow::Result<Option<C>>
    where
        C: serde::Serialize + DeserializeOwned + Default,
    {
        let quiet = cli::Common { print_config: false, ..common.clone() };
        let given = quiet.load::<C>()?.map_or_else(Rule::default, |c| rule(&c));
        let mut common = self.settings(common, given)?;
        common.set.extend(more);
        common.load()
    }

    fn paths(&self) -> anyhow::Result<(&Path, &Path)> {
        let bars = self.bars.as_deref().context("give --bars")?;
        Ok((bars, self.out.as_deref().context("give --out")?))
    }
}

fn fact(manifest: &Manifest, name: &str) -> Option<f64> {
    manifest.facts.get(name).and_then(serde_json::Value::as_f64)
}

/// Flags as settings, those that were given.
fn given<const N: usize>(flags: [(&str, Option<usize>); N]) -> Vec<String> {
    flags.into_iter().filter_map(|(name, value)| value.map(|v| format!("{name}={v}"))).collect()
}

pub(crate) fn sweep(args: &SweepArgs, common: &cli::Common) -> anyhow::Result<()> {
    let more = if args.returns { vec!["returns=true".to_owned()] } else { Vec::new() };
    let Some(config) = args.rule.load::<SweepConfig>(common, |c| c.rule, more)? else { return Ok(()) };
    let (bars, out) = args.rule.paths()?;
    let progress = cli::progress();
    let manifest = run_sweep(&config, bars, out, &common.run_options(progress.as_ref()))?;
    let mut rows: Vec<SweepRow> = read_all(&out.join("sweep.parquet"))?;
    let score = |r: &SweepRow| r.sharpe_ratio.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| score(b).total_cmp(&score(a)));
    cli::say(&format!("{} variants of {}; the best by Sharpe ratio per year:", rows.len(), config.rule.name()));
    for r in rows.iter().take(5) {
        cli::say(&format!(
            "{:24} Sharpe {:>7}  return {:>10}  drawdown {:>8}  {:>6} trades",
            r.parameters,
            number(r.sharpe_ratio, 3),
            signed_percent(Some(r.total_return), 2),
            percent(Some(r.max_drawdown), 2),
            r.trades
        ));
    }
    cli::say(&format!("buy and hold: {}", signed_percent(fact(&manifest, "buy_and_hold.total_return"), 2)));
    cli::say(&format!("report: {}", out.join("report.html").display()));
    Ok(())
}

pub(crate) fn walk_forward(args: &WalkArgs, common: &cli::Common) -> anyhow::Result<()> {
    let mut more = given([("train", args.train), ("test", args.test), ("purge", args.purge)]);
    more.extend(args.anchored.then(|| "anchored=true".to_owned()));
    more.extend(args.by_return.then(|| "score=total-return".to_owned()));
    let Some(config) = args.rule.load::<WalkForwardConfig>(common, |c| c.rule, more)? else { return Ok(()) };
    let (bars, out) = args.rule.paths()?;
    let progress = cli::progress();
    let manifest = run_walk_forward(&config, bars, out, &common.run_options(progress.as_ref()))?;
    for r in read_all::<WalkForwardRow>(&out.join("walk_forward.parquet"))? {
        cli::say(&format!(
            "judged from {}  {:24} chosen on {:>9}  judged {:>9}  holding {:>9}",
            r.test_from,
            r.parameters,
            signed_percent(Some(r.train_return), 1),
            signed_percent(Some(r.test_return), 1),
            signed_percent(Some(r.market_return), 1),
        ));
    }
    let by = if config.score == Score::Sharpe { "Sharpe ratio" } else { "return" };
    cli::say(&format!(
        "chosen by {by}; on bars that no choice saw: return {}, Sharpe ratio per year {}, holding {}",
        signed_percent(fact(&manifest, "total_return"), 2),
        number(fact(&manifest, "sharpe_ratio"), 3),
        signed_percent(fact(&manifest, "market_return"), 2),
    ));
    cli::say(&format!("report: {}", out.join("report.html").display()));
    Ok(())
}

pub(crate) fn cross_validate(args: &FoldArgs, common: &cli::Common) -> anyhow::Result<()> {
    let mut more = given([("folds", args.folds), ("purge", args.purge), ("embargo", args.embargo)]);
    more.extend(args.by_return.then(|| "score=total-return".to_owned()));
    let Some(config) = args.rule.load::<CrossValidationConfig>(common, |c| c.rule, more)? else { return Ok(()) };
    let (bars, out) = args.rule.paths()?;
    let progress = cli::progress();
    let manifest = run_cross_validation(&config, bars, out, &common.run_options(progress.as_ref()))?;
    for row in read_all::<Metric>(&out.join("folds.parquet"))? {
        if row.metric == "test_return" {
            cli::say(&format!("{:10} {:24} judged {:>9}", row.slice, row.subject, signed_percent(row.value, 1)));
        }
    }
    cli::say(&format!(
        "on folds that no choice saw: return {}, Sharpe ratio per year {}, holding {}; {} of the variants did better than the chosen",
        signed_percent(fact(&manifest, "total_return"), 2),
        number(fact(&manifest, "sharpe_ratio"), 3),
        signed_percent(fact(&manifest, "market_return"), 2),
        percent(fact(&manifest, "mean_test_rank"), 0),
    ));
    cli::say(&format!("report: {}", out.join("report.html").display()));
    Ok(())
}

pub(crate) fn stream(args: &RuleArgs, common: &cli::Common) -> anyhow::Result<()> {
    let Some(config) = args.load::<StreamConfig>(common, |c| c.rule, Vec::new())? else { return Ok(()) };
    let (bars, out) = args.paths()?;
    let progress = cli::progress();
    let manifest = run_stream(&config, bars, out, &common.run_options(progress.as_ref()))?;
    cli::say(&format!("{} bars", count(manifest.rows_in)));
    for metric in read_all::<Metric>(&out.join("metrics.parquet"))? {
        cli::say(&format!("{:22} {:>16}", metric.metric, number(metric.value, 6)));
    }
    Ok(())
}

pub(crate) fn generate(args: &MakeArgs, common: &cli::Common) -> anyhow::Result<()> {
    if !(args.tick >= 0.0 && args.tick <= 1.0) {
        bail!("--tick is {}; give a number from 0 to 1", args.tick);
    }
    generate_bars(args.bars, args.tick, common.seed(), &args.out)?;
    cli::say(&format!("{} bars in {}", count(args.bars), args.out.display()));
    Ok(())
}
