use super::{Range, Sweep, Variant, grid};
use crate::{Config, Error, Parameters, Rule, Sides, periods_per_year, trials};
use artifacts::rows::{Bar, PeriodReturn, SweepRow, Trial};
use artifacts::runtime::Stopwatch;
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use report::format::{count, number, percent, signed_percent};
use report::plot::{self, HeatMapPlot, HistogramPlot, Svg};
use report::{Document, Severity, Table, Tile};
use serde::{Deserialize, Serialize};
use stats::trading::PeriodsPerYear;
use std::path::Path;

/// Raised when the stage's output changes for the same input.
pub const SWEEP_VERSION: u32 = 1;

/// Settings of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SweepConfig {
    /// The rule.
    pub rule: Rule,
    /// Values of its first parameter.
    pub first: Range,
    /// Values of its second parameter.
    pub second: Range,
    /// Where the rule goes when it goes out.
    pub sides: Sides,
    /// Also write the returns of every variant, bar by bar.
    pub returns: bool,
    /// Costs, fills and the instrument.
    pub backtest: Config,
}

impl Default for SweepConfig {
    fn default() -> Self {
        Self {
            rule: Rule::SmaCross,
            first: Range::steps(5, 50, 5),
            second: Range::steps(20, 200, 10),
            sides: Sides::LongFlat,
            returns: false,
            backtest: Config::default(),
        }
    }
}

/// Runs every variant of a grid over `bars` and writes into the folder `out`: `sweep.parquet`, `heat_map.svg`, a report, and
/// `returns.parquet` where the settings ask for it. Every variant is entered into the project's registry of trials.
///
/// # Errors
/// Bars of several instruments without the setting `symbol`; settings out of range; files that cannot be read or written.
pub fn run_sweep(config: &SweepConfig, bars: &Path, out: &Path, options: &RunOptions<'_>) -> Result<Manifest, Error> {
    config.backtest.check()?;
    let grid = grid(config.rule, &config.first, &config.second)?;
    let spec = StageSpec::new(("sweep", SWEEP_VERSION), out, config, vec![bars.to_path_buf()], options)?;
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let path = bars;
    let bars = one_instrument(path, config.backtest.symbol.as_deref())?;
    let periods = periods_per_year(&bars, &config.backtest)?;
    let started = Stopwatch::start();
    let sweep = Sweep::new(&bars, &grid, config.sides, &config.backtest).map_err(|e| e.within(path))?;
    let variants = sweep.variants().map_err(|e| e.within(path))?;
    let seconds = started.runtime().wall_seconds;
    if seconds > 0.0 {
        open.measured("combo_bars_per_second", (variants.len() * bars.len()) as f64 / seconds);
    }
    if config.returns {
        let rows = period_returns(&bars, &grid, &sweep.returns()?);
        open.write_rows("returns.parquet", rows)?;
    }
    let registered = trials::register(&trials::of_project(out), &as_trials(&bars, &variants, config))?;
    let market = bars.first().zip(bars.last()).map_or(0.0, |(first, last)| last.close / first.close - 1.0);
    let svg = heat_map(config.rule, &variants, periods);
    let page = document(config, &bars, &variants, periods, market, svg.clone(), sweep.is_fast());

    open.count(grid.len() as u64, variants.len() as u64);
    if let Some(best) = best(&variants) {
        open.fact("best.parameters", best.parameters.to_string());
        open.fact("best.sharpe_ratio", best.sharpe_per_bar.map(|s| s * periods.get().sqrt()));
        open.fact("best.total_return", best.total_return);
    }
    open.fact("buy_and_hold.total_return", market);
    open.fact("variants", variants.len());
    open.fact("periods_per_year", periods.get());
    open.measured("trials_in_registry", registered.total as f64);
    let rows = variants.iter().zip(0..).map(|(v, n)| row(v, n, periods));
    open.write_rows("sweep.parquet", rows)?;
    open.write_bytes("heat_map.svg", svg.standalone().as_bytes())?;
    open.write_bytes("report.html", page.to_html().as_bytes())?;
    open.write_bytes("report.ipynb", page.to_notebook("report.html").as_bytes())?;
    open.write_bytes("report.md", page.to_markdown().as_bytes())?;
    Ok(open.finish()?)
}

/// The bars of the instrument named, or of the only one.
pub(crate) fn one_instrument(path: &Path, symbol: Option<&str>) -> Result<Vec<Bar>, Error> {
    let mut bars: Vec<Bar> = read_all(path)?;
    let mut symbols: Vec<String> = bars.iter().map(|b| b.symbol.clone()).collect();
    symbols.dedup();
    let symbol = match (symbol, symbols.as_slice()) {
        (Some(wanted), _) if symbols.iter().any(|s| s == wanted) => wanted.to_owned(),
        (Some(wanted), _) => {
            let (symbol, choices) = (wanted.to_owned(), symbols.join(", "));
            return Err(Error::NoBars { symbol, choices }.within(path));
        }
        (None, [only]) => only.clone(),
        (None, _) => return Err(Error::SeveralInstruments { choices: symbols.join(", ") }.within(path)),
    };
    bars.retain(|b| b.symbol == symbol);
    if bars.len() < 2 {
        return Err(Error::TooFewBars { symbol, bars: bars.len() }.within(path));
    }
    Ok(bars)
}

fn row(v: &Variant, variant: u64, periods: PeriodsPerYear) -> SweepRow {
    let year = periods.get().sqrt();
    SweepRow {
        variant,
        rule: v.parameters.rule.name().to_owned(),
        parameters: v.parameters.to_string(),
        first: v.parameters.first,
        second: v.parameters.second,
        total_return: v.total_return,
        sharpe_ratio: v.sharpe_per_bar.map(|s| s * year),
        sharpe_per_bar: v.sharpe_per_bar,
        volatility: v.deviation.map(|d| d * year),
        max_drawdown: v.max_drawdown,
        trades: v.trades,
        win_rate: v.win_rate,
        profit_factor: v.profit_factor,
        exposure: v.exposure,
        cost: v.cost,
        final_equity: v.final_equity,
    }
}

/// Rows ordered as their type demands: by name of the variant, then by time.
fn period_returns(bars: &[Bar], grid: &[Parameters], returns: &[Vec<f64>]) -> Vec<PeriodReturn> {
    let mut named: Vec<(String, &Vec<f64>)> = grid.iter().map(ToString::to_string).zip(returns).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let one = |(subject, returns): (String, &Vec<f64>)| {
        let bars = bars.get(bars.len() - returns.len()..).unwrap_or_default();
        let row =
            |(bar, value): (&Bar, &f64)| PeriodReturn { subject: subject.clone(), bar_at: bar.event_at, value: *value };
        bars.iter().zip(returns).map(row).collect::<Vec<_>>()
    };
    named.into_iter().flat_map(one).collect()
}

fn as_trials(bars: &[Bar], variants: &[Variant], config: &SweepConfig) -> Vec<Trial> {
    let (base, market) = (trials::key(bars, &[], &config.backtest), trials::market(bars));
    let sides = if config.sides == Sides::LongShort { "long-short" } else { "long-flat" };
    let trial = |v: &Variant| {
        let name = format!("{} {} {sides}", v.parameters.rule.name(), v.parameters);
        Trial {
            key: blake3::hash(format!("{base} {name}").as_bytes()).to_hex().to_string(),
            market: market.clone(),
            origin: "sweep".to_owned(),
            name,
            returns: bars.len() as u64 - 1,
            sharpe_per_bar: v.sharpe_per_bar,
            total_return: v.total_return,
        }
    };
    variants.iter().map(trial).collect()
}

/// The variant with the highest Sharpe ratio; the first of equals.
fn best(variants: &[Variant]) -> Option<&Variant> {
    let score = |v: &Variant| v.sharpe_per_bar.unwrap_or(f64::NEG_INFINITY);
    variants.iter().reduce(|best, v| if score(v) > score(best) { v } else { best })
}

fn heat_map(rule: Rule, variants: &[Variant], periods: PeriodsPerYear) -> Svg {
    let sorted = |f: fn(&Parameters) -> f64| {
        let mut values: Vec<f64> = variants.iter().map(|v| f(&v.parameters)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let (first, second) = (sorted(|p| p.first), sorted(|p| p.second));
    let same = |a: f64, b: f64| a.total_cmp(&b).is_eq();
    let cell = |f: f64, s: f64| {
        let found = variants.iter().find(|v| same(v.parameters.first, f) && same(v.parameters.second, s));
        found.and_then(|v| v.sharpe_per_bar).map(|x| x * periods.get().sqrt())
    };
    let [of_rows, of_columns] = rule.parameters();
    plot::heat_map(&HeatMapPlot {
        title: format!("Sharpe ratio of {} variants of {}", variants.len(), rule.name()),
        note: format!("per year; rows: {of_rows}, columns: {of_columns}"),
        columns: second.iter().map(ToString::to_string).collect(),
        rows: first.iter().map(|f| (f.to_string(), second.iter().map(|s| cell(*f, *s)).collect())).collect(),
        digits: 1,
    })
}

fn document(
    config: &SweepConfig,
    bars: &[Bar],
    variants: &[Variant],
    periods: PeriodsPerYear,
    market: f64,
    map: Svg,
    fast: bool,
) -> Document {
    let year = periods.get().sqrt();
    let symbol = bars.first().map_or("", |b| b.symbol.as_str());
    let mut doc = Document::new(format!("Sweep of {} on {symbol}", config.rule.name()));
    if let (Some(first), Some(last)) = (bars.first(), bars.last()) {
        doc.subtitle(format!("{} bars from {} to {} (UTC)", count(bars.len() as u64), first.event_at, last.event_at));
    }
    if config.backtest.allow_lookahead_same_bar_fill {
        let text = "Every decision fills in the bar it was made on. Nobody can have these figures.";
        doc.callout(Severity::Critical, "LOOK-AHEAD", text);
    }
    if variants.len() > 1 {
        let text = format!(
            "The best of {} variants is good partly by luck. Judge a choice on bars it was not made on (walk-forward), and \
             count every variant when testing its Sharpe ratio (they are in the project's trials.parquet).",
            count(variants.len() as u64)
        );
        doc.callout(Severity::Warning, "The best of many", text);
    }
    let better = variants.iter().filter(|v| v.total_return > market).count();
    let best = best(variants);
    doc.tiles(vec![
        Tile::new("variants", count(variants.len() as u64), format!("{} per year", number(Some(periods.get()), 0))),
        Tile::new(
            "best Sharpe ratio, per year",
            number(best.and_then(|b| b.sharpe_per_bar).map(|s| s * year), 2),
            best.map(|b| b.parameters.to_string()).unwrap_or_default(),
        ),
        Tile::new(
            "its return",
            signed_percent(best.map(|b| b.total_return), 1),
            format!("buy and hold {}", signed_percent(Some(market), 1)),
        ),
        Tile::new(
            "better than buy and hold",
            percent(Some(better as f64 / variants.len().max(1) as f64), 0),
            "by return, after costs".to_owned(),
        ),
    ]);
    doc.figure_with_file(map, "Neighbours that differ much are luck; a broad plateau is less so.", "heat_map.svg");
    let returns = variants.iter().map(|v| v.total_return * 100.0).collect();
    doc.figure(
        plot::histogram(&HistogramPlot {
            title: "Return of the variants".to_owned(),
            x_label: "total return in %".to_owned(),
            bins: 30,
            series: vec![("variants".to_owned(), returns)],
        }),
        format!("Buy and hold, without costs: {}.", signed_percent(Some(market), 1)),
    );
    doc.heading("The ten best by Sharpe ratio");
    let mut order: Vec<&Variant> = variants.iter().collect();
    let score = |v: &Variant| v.sharpe_per_bar.unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let mut table = Table::new().text("variant").number("Sharpe ratio").number("return").number("max drawdown");
    table = table.number("trades").number("win rate").number("profit factor").number("exposure").number("cost");
    for v in order.iter().take(10) {
        table.push([
            v.parameters.to_string(),
            number(v.sharpe_per_bar.map(|s| s * year), 2),
            signed_percent(Some(v.total_return), 1),
            percent(Some(v.max_drawdown), 1),
            count(v.trades),
            percent(v.win_rate, 0),
            number(v.profit_factor, 2),
            percent(Some(v.exposure), 0),
            number(Some(v.cost), 0),
        ]);
    }
    doc.table(table);
    doc.heading("How it was computed");
    let b = &config.backtest;
    doc.list([
        format!("{}: {}.", config.rule.name(), words(config.rule)),
        match config.sides {
            Sides::LongFlat => "Out means flat.".to_owned(),
            Sides::LongShort => "Out means short.".to_owned(),
        },
        format!(
            "Commission {} bps of the traded value, spread and slippage {} bps of the price on every fill.",
            b.commission_bps,
            b.half_spread_bps + b.slippage_bps
        ),
        format!("Per year means {} bars.", number(Some(periods.get()), 1)),
        if fast {
            "Computed over columns; the event engine gives the same figures.".to_owned()
        } else {
            "Each variant ran through the event engine: these settings need it.".to_owned()
        },
    ]);
    doc
}

fn words(rule: Rule) -> &'static str {
    match rule {
        Rule::SmaCross => {
            "long when the mean of the last `fast` closes crosses that of the last `slow` from below, out when it crosses back"
        }
        Rule::EmaCross => {
            "long when the exponential mean over `fast` closes crosses that over `slow` from below, out when it crosses back"
        }
        Rule::RsiBand => {
            "long when the relative strength index over `period` bars falls below `band`, out when it rises above 100 − `band`"
        }
        Rule::Bollinger => {
            "long when the close falls `width` standard deviations below the mean of `period` closes, out when it is as far above"
        }
        Rule::Momentum => {
            "long when the close is more than `threshold` per cent above that of `lookback` bars before, out when as far below"
        }
    }
}
