use super::choice::{Choice, Score};
use super::judged::{Judged, costs, warn_of_look_ahead};
use super::splits::{Split, purged_folds};
use super::stage::one_instrument;
use super::walk_forward::market_returns;
use super::{Range, Sweep, SweepConfig, grid};
use crate::{Config, Error, Rule, Sides, periods_per_year};
use artifacts::rows::{Bar, Metric, PeriodReturn};
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, Timestamp};
use report::format::{count, percent, signed_percent};
use report::{Document, Severity, Table};
use serde::{Deserialize, Serialize};
use stats::trading::{PeriodsPerYear, sharpe, total_return};
use std::path::Path;

/// Raised when the stage's output changes for the same input.
pub const CROSS_VALIDATION_VERSION: u32 = 1;

/// Settings of a purged cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrossValidationConfig {
    /// The rule.
    pub rule: Rule,
    /// Values of its first parameter.
    pub first: Range,
    /// Values of its second parameter.
    pub second: Range,
    /// Where the rule goes when it goes out.
    pub sides: Sides,
    /// Folds of equal length; each is judged by a choice made on all others.
    pub folds: usize,
    /// Bars left out of the choice on both sides of the judged fold.
    pub purge: usize,
    /// Bars left out after it beyond that.
    pub embargo: usize,
    /// By what variants are compared.
    pub score: Score,
    /// Costs, fills and the instrument.
    pub backtest: Config,
}

impl Default for CrossValidationConfig {
    fn default() -> Self {
        let SweepConfig { rule, first, second, sides, backtest, .. } = SweepConfig::default();
        Self { rule, first, second, sides, folds: 5, purge: 0, embargo: 0, score: Score::Sharpe, backtest }
    }
}

impl CrossValidationConfig {
    fn check(&self) -> Result<(), Error> {
        artifacts::settings::within(&[
            ("folds", self.folds as f64, 2.0..=1000.0),
            ("purge", self.purge as f64, 0.0..=1e9),
            ("embargo", self.embargo as f64, 0.0..=1e9),
        ])?;
        self.backtest.check()
    }
}

type Series = Vec<(Timestamp, f64)>;

/// Judges the choice of a variant fold by fold (purged k-fold, [`purged_folds`]): unlike a walk-forward it also chooses on bars
/// that come after the judged ones, so it says how well choosing works and is no record that anyone could have had. Writes
/// `folds.parquet` (rows [`Metric`]: `subject` is the variant chosen, `slice` the fold), `returns.parquet` (of the folds
/// joined, and of the market) and a report into the folder `out`.
///
/// # Errors
/// Fewer bars than two a fold, or folds that leave nothing to choose on; otherwise as [`super::run_sweep`].
pub fn run_cross_validation(
    config: &CrossValidationConfig,
    bars: &Path,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    config.check()?;
    let grid = grid(config.rule, &config.first, &config.second)?;
    let version = CROSS_VALIDATION_VERSION;
    let spec = StageSpec::new(("cross-validate", version), out, config, vec![bars.to_path_buf()], options)?;
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let path = bars;
    let bars = one_instrument(path, config.backtest.symbol.as_deref())?;
    let splits = purged_folds(bars.len(), config.folds, config.purge, config.embargo);
    if splits.is_empty() || splits.iter().any(|s| s.train.is_empty()) {
        let needs = config.folds * 2 + 2 * config.purge + config.embargo;
        return Err(Error::NoFold { bars: bars.len(), folds: config.folds, needs }.within(path));
    }
    let periods = periods_per_year(&bars, &config.backtest)?;
    let sweep = Sweep::new(&bars, &grid, config.sides, &config.backtest).map_err(|e| e.within(path))?;
    let choices = sweep.choose(&splits, config.score).map_err(|e| e.within(path))?;
    let mut joined: Series = Vec::new();
    for (split, choice) in splits.iter().zip(&choices) {
        let returns = sweep.returns_within(&choice.test.parameters, split.test.clone())?;
        // nothing can be held in the very first bar
        let from = split.test.end - returns.len();
        let own = bars.get(from..split.test.end).unwrap_or_default();
        joined.extend(own.iter().map(|b| b.event_at).zip(returns));
    }
    let mut market = market_returns(&bars, &splits, &config.backtest)?;
    market.drain(..market.len().saturating_sub(joined.len()));
    let page = document(config, &bars, periods, (grid.len(), &splits, &choices), (&joined, &market));

    let of = |r: &Series| r.iter().map(|(_, r)| *r).collect::<Vec<f64>>();
    let (own, held) = (of(&joined), of(&market));
    open.count(splits.len() as u64, splits.len() as u64);
    open.fact("folds", splits.len());
    open.fact("tried", grid.len());
    open.fact("total_return", total_return(&own));
    open.fact("sharpe_ratio", sharpe(&own, 0.0, periods));
    open.fact("market_return", total_return(&held));
    open.fact("mean_test_rank", stats::distribution::mean(&choices.iter().map(|c| c.test_rank).collect::<Vec<_>>()));
    open.fact("periods_per_year", periods.get());
    open.write_rows("folds.parquet", rows(&splits, &choices))?;
    let named = |subject: &'static str, returns: Series| {
        returns.into_iter().map(move |(bar_at, value)| PeriodReturn { subject: subject.to_owned(), bar_at, value })
    };
    open.write_rows("returns.parquet", named("buy_and_hold", market).chain(named("cross_validation", joined)))?;
    open.write_bytes("report.html", page.to_html().as_bytes())?;
    open.write_bytes("report.ipynb", page.to_notebook("report.html").as_bytes())?;
    open.write_bytes("report.md", page.to_markdown().as_bytes())?;
    Ok(open.finish()?)
}

fn rows(splits: &[Split], choices: &[Choice]) -> Vec<Metric> {
    let fold = |(fold, (split, choice)): (usize, (&Split, &Choice))| {
        let train = split.train.iter().map(ExactSizeIterator::len).sum::<usize>();
        let row = move |(metric, value, n): (&str, Option<f64>, usize)| Metric {
            subject: choice.test.parameters.to_string(),
            slice: format!("fold {fold}"),
            metric: metric.to_owned(),
            value,
            n: n as u64,
        };
        [
            ("train_score", choice.train_score, train),
            ("train_return", Some(choice.train_return), train),
            ("test_score", choice.test_score, split.test.len()),
            ("test_return", Some(choice.test.total_return), split.test.len()),
            ("test_rank", Some(choice.test_rank), split.test.len()),
        ]
        .map(row)
    };
    (1..).zip(splits.iter().zip(choices)).flat_map(fold).collect()
}

fn document(
    config: &CrossValidationConfig,
    bars: &[Bar],
    periods: PeriodsPerYear,
    (tried, splits, choices): (usize, &[Split], &[Choice]),
    (joined, market): (&Series, &Series),
) -> Document {
    let at = |i: usize| bars.get(i).map_or_else(String::new, |b| b.event_at.to_string());
    let symbol = bars.first().map_or("", |b| b.symbol.as_str());
    let mut doc = Document::new(format!("Cross-validation of {} on {symbol}", config.rule.name()));
    doc.subtitle(format!("{} folds from {} to {} (UTC)", splits.len(), at(0), at(bars.len() - 1)));
    warn_of_look_ahead(&mut doc, &config.backtest);
    doc.callout(
        Severity::Note,
        "No record that anyone could have had",
        "A fold is also judged by choices made on bars after it. For what could have been earned see walk-forward.",
    );
    let judged = Judged {
        parts: "folds",
        joined,
        market,
        returns: choices.iter().map(|c| c.test.total_return).collect(),
        ranks: choices.iter().map(|c| c.test_rank).collect(),
    };
    judged.tiles(&mut doc, periods);
    doc.heading("What was chosen");
    let mut table = Table::new().text("judged from").text("chosen").number("return chosen on").number("return");
    table = table.number("better variants");
    for (split, choice) in splits.iter().zip(choices) {
        table.push([
            at(split.test.start),
            choice.test.parameters.to_string(),
            signed_percent(Some(choice.train_return), 1),
            signed_percent(Some(choice.test.total_return), 1),
            percent(Some(choice.test_rank), 0),
        ]);
    }
    doc.table(table);
    doc.heading("How it was computed");
    doc.list([
        format!(
            "Each choice is the best of {} variants by {} on all folds but one; {} bars on both sides of it are purged, {} more after \
             it are under embargo (López de Prado 2018, chapter 7).",
            count(tried as u64),
            if config.score == Score::Sharpe { "Sharpe ratio" } else { "return" },
            config.purge,
            config.embargo
        ),
        costs(&config.backtest, periods),
    ]);
    doc
}
