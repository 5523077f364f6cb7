use super::choice::{Choice, Score};
use super::judged::{Judged, costs, warn_of_look_ahead};
use super::splits::{Split, walk_forward_splits};
use super::stage::one_instrument;
use super::{Range, Sweep, SweepConfig, grid};
use crate::{Config, Error, FillAt, Rule, Sides, periods_per_year};
use artifacts::rows::{Bar, PeriodReturn, WalkForwardRow};
use artifacts::{Manifest, Outcome, RunOptions, StageSpec};
use report::format::{count, percent, signed_percent};
use report::plot::{self, LinePlot, Series, XAxis};
use report::{Document, Table};
use serde::{Deserialize, Serialize};
use stats::trading::{PeriodsPerYear, sharpe, total_return};
use std::path::Path;

/// Raised when the stage's output changes for the same input.
pub const WALK_FORWARD_VERSION: u32 = 1;

/// Settings of a walk-forward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WalkForwardConfig {
    /// The rule.
    pub rule: Rule,
    /// Values of its first parameter.
    pub first: Range,
    /// Values of its second parameter.
    pub second: Range,
    /// Where the rule goes when it goes out.
    pub sides: Sides,
    /// Bars each choice is made on.
    pub train: usize,
    /// Bars each choice is judged by.
    pub test: usize,
    /// Bars left out between the two.
    pub purge: usize,
    /// Every choice is made on all bars from the first on.
    pub anchored: bool,
    /// By what variants are compared.
    pub score: Score,
    /// Costs, fills and the instrument.
    pub backtest: Config,
}

impl Default for WalkForwardConfig {
    fn default() -> Self {
        let SweepConfig { rule, first, second, sides, backtest, .. } = SweepConfig::default();
        let score = Score::Sharpe;
        Self { rule, first, second, sides, train: 2000, test: 500, purge: 0, anchored: false, score, backtest }
    }
}

/// Walks through `bars`: in each window the variant that did best on past bars trades the next ones, which the choice did
/// not see. Writes `walk_forward.parquet` (the choices), `returns.parquet` (of the windows joined, and of the market) and a
/// report into the folder `out`.
///
/// # Errors
/// Fewer bars than one window needs; otherwise as [`super::run_sweep`].
pub fn run_walk_forward(
    config: &WalkForwardConfig,
    bars: &Path,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    artifacts::settings::within(&[
        ("train", config.train as f64, 2.0..=1e9),
        ("test", config.test as f64, 1.0..=1e9),
        ("purge", config.purge as f64, 0.0..=1e9),
    ])?;
    config.backtest.check()?;
    let grid = grid(config.rule, &config.first, &config.second)?;
    let spec = StageSpec::new(("walk-forward", WALK_FORWARD_VERSION), out, config, vec![bars.to_path_buf()], options)?;
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let path = bars;
    let bars = one_instrument(path, config.backtest.symbol.as_deref())?;
    let splits = walk_forward_splits(bars.len(), config.train, config.test, config.purge, config.anchored);
    if splits.is_empty() {
        let needs = config.train.max(2) + config.purge + 2;
        return Err(Error::NoWindow { bars: bars.len(), needs }.within(path));
    }
    let periods = periods_per_year(&bars, &config.backtest)?;
    let sweep = Sweep::new(&bars, &grid, config.sides, &config.backtest).map_err(|e| e.within(path))?;
    let choices = sweep.choose(&splits, config.score).map_err(|e| e.within(path))?;
    let mut joined = Vec::new();
    for (split, choice) in splits.iter().zip(&choices) {
        let returns = sweep.returns_within(&choice.test.parameters, split.test.clone())?;
        let own = bars.get(split.test.clone()).unwrap_or_default();
        joined.extend(own.iter().map(|b| b.event_at).zip(returns));
    }
    let market = market_returns(&bars, &splits, &config.backtest)?;
    let rows = rows(config, &bars, grid.len(), &splits, &choices, &market);
    let page = document(config, &bars, periods, &rows, &joined, &market);

    let of = |r: &[(artifacts::Timestamp, f64)]| r.iter().map(|(_, r)| *r).collect::<Vec<f64>>();
    let (own, held) = (of(&joined), of(&market));
    open.count(splits.len() as u64, splits.len() as u64);
    open.fact("windows", splits.len());
    open.fact("tried", grid.len());
    open.fact("total_return", total_return(&own));
    open.fact("sharpe_ratio", sharpe(&own, 0.0, periods));
    open.fact("market_return", total_return(&held));
    open.fact("periods_per_year", periods.get());
    let named = |subject: &'static str, returns: Vec<(artifacts::Timestamp, f64)>| {
        returns.into_iter().map(move |(bar_at, value)| PeriodReturn { subject: subject.to_owned(), bar_at, value })
    };
    open.write_rows("walk_forward.parquet", rows)?;
    open.write_rows("returns.parquet", named("buy_and_hold", market).chain(named("walk_forward", joined)))?;
    open.write_bytes("report.html", page.to_html().as_bytes())?;
    open.write_bytes("report.ipynb", page.to_notebook("report.html").as_bytes())?;
    open.write_bytes("report.md", page.to_markdown().as_bytes())?;
    Ok(open.finish()?)
}

/// What holding the instrument earned in each judged bar, without costs; in the first from its tradable price on.
pub(super) fn market_returns(
    bars: &[Bar],
    splits: &[Split],
    config: &Config,
) -> Result<Vec<(artifacts::Timestamp, f64)>, Error> {
    let fill_at = FillAt::of(bars, config)?;
    let first = splits.first().map_or(0, |s| s.test.start);
    let last = splits.last().map_or(0, |s| s.test.end);
    let judged = bars.get(first..last).unwrap_or_default();
    let Some(begin) = judged.first() else { return Ok(Vec::new()) };
    let mut before = fill_at.price(&begin.into()).unwrap_or(begin.close);
    let step = |bar: &Bar| (bar.event_at, bar.close / std::mem::replace(&mut before, bar.close) - 1.0);
    Ok(judged.iter().map(step).collect())
}

fn rows(
    config: &WalkForwardConfig,
    bars: &[Bar],
    tried: usize,
    splits: &[Split],
    choices: &[Choice],
    market: &[(artifacts::Timestamp, f64)],
) -> Vec<WalkForwardRow> {
    let at = |i: usize| bars.get(i).map(|b| b.event_at).unwrap_or_default();
    let mut market = market.iter().map(|(_, r)| *r);
    let row = |(window, (split, choice)): (u64, (&Split, &Choice))| {
        let train = split.train.first().cloned().unwrap_or_default();
        let held: Vec<f64> = market.by_ref().take(split.test.len()).collect();
        WalkForwardRow {
            window,
            train_from: at(train.start),
            train_to: at(train.end.saturating_sub(1)),
            test_from: at(split.test.start),
            test_to: at(split.test.end.saturating_sub(1)),
            rule: config.rule.name().to_owned(),
            parameters: choice.test.parameters.to_string(),
            variant: choice.variant as u64,
            tried: tried as u64,
            train_score: choice.train_score,
            train_return: choice.train_return,
            test_score: choice.test_score,
            test_return: choice.test.total_return,
            test_rank: choice.test_rank,
            market_return: total_return(&held).unwrap_or_default(),
        }
    };
    (0..).zip(splits.iter().zip(choices)).map(row).collect()
}

fn document(
    config: &WalkForwardConfig,
    bars: &[Bar],
    periods: PeriodsPerYear,
    rows: &[WalkForwardRow],
    joined: &[(artifacts::Timestamp, f64)],
    market: &[(artifacts::Timestamp, f64)],
) -> Document {
    let symbol = bars.first().map_or("", |b| b.symbol.as_str());
    let mut doc = Document::new(format!("Walk-forward of {} on {symbol}", config.rule.name()));
    if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
        doc.subtitle(format!("{} windows, judged from {} to {} (UTC)", rows.len(), first.test_from, last.test_to));
    }
    warn_of_look_ahead(&mut doc, &config.backtest);
    let judged = Judged {
        parts: "windows",
        joined,
        market,
        returns: rows.iter().map(|r| r.test_return).collect(),
        ranks: rows.iter().map(|r| r.test_rank).collect(),
    };
    judged.tiles(&mut doc, periods);
    let curve = |name: &str, returns: &[(artifacts::Timestamp, f64)]| {
        let mut value = 1.0;
        let points = returns.iter().map(|(at, r)| {
            value *= 1.0 + r;
            (at.micros() as f64 / 1e6, value)
        });
        Series { name: name.to_owned(), points: points.collect() }
    };
    doc.figure(
        plot::line(&LinePlot {
            title: "Growth of 1 on bars that no choice saw".to_owned(),
            x: XAxis::Time,
            y_label: "value".to_owned(),
            series: vec![curve("walk-forward", joined), curve("holding, without costs", market)],
        }),
        "Each window begins with cash in the position its rule already wanted.",
    );
    doc.heading("What was chosen");
    let mut table = Table::new().text("judged from").text("chosen").number("return chosen on").number("return");
    table = table.number("holding").number("better variants");
    for r in rows {
        table.push([
            r.test_from.to_string(),
            r.parameters.clone(),
            signed_percent(Some(r.train_return), 1),
            signed_percent(Some(r.test_return), 1),
            signed_percent(Some(r.market_return), 1),
            percent(Some(r.test_rank), 0),
        ]);
    }
    doc.table(table);
    doc.heading("How it was computed");
    doc.list([
        format!(
            "Each choice is the best of {} variants by {} over {} bars{}; {} bars are left out, the next {} judge it.",
            rows.first().map_or(0, |r| r.tried),
            if config.score == Score::Sharpe { "Sharpe ratio" } else { "return" },
            if config.anchored { "all past".to_owned() } else { count(config.train as u64) },
            if config.anchored { " (anchored)" } else { "" },
            config.purge,
            config.test
        ),
        costs(&config.backtest, periods),
    ]);
    doc
}
