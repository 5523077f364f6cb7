use crate::information::knowledge;
use crate::per_instrument::Maker;
use crate::random::{Original, rank, shifted};
use crate::summary::{Subject, document, json};
use crate::{Config, Error, benchmark, load, measure, per_instrument, periods_per_year, placebo, simulate, trials};
use artifacts::rows::{Metric, Observation, PeriodReturn};
use artifacts::{Manifest, Outcome, RunOptions, StageSpec, read_all};
use report::plot::{self, EquityPlot, Series};
use std::path::Path;

/// Raised when the stage's output changes for the same input.
pub const STAGE_VERSION: u32 = 5;

/// Runs the decisions in `decisions` (rows [`artifacts::rows::Decision`]) against the prices in `bars` (rows
/// [`artifacts::rows::Bar`]) and writes into the folder `out`: `equity.parquet`, `fills.parquet`, `orders.parquet`,
/// `trades.parquet`, `returns.parquet` (of the benchmarks too), `metrics.parquet`, `metrics.json`, `equity.svg`, `report.html`, `report.md` and `report.ipynb`. Unchanged input and settings: nothing is done.
///
/// # Errors
/// Whatever [`load`] and [`simulate`] refuse, and files that cannot be read or written.
pub fn run(
    config: &Config,
    bars: &Path,
    decisions: &Path,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    run_among(config, &Sources { bars, decisions, observations: None, placebo: None }, out, options)
}

/// The files of a backtest.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Prices: rows [`artifacts::rows::Bar`].
    pub bars: &'a Path,
    /// What the strategy wants: rows [`artifacts::rows::Decision`].
    pub decisions: &'a Path,
    /// Observations of the market folder: what they call `signal` becomes a benchmark.
    pub observations: Option<&'a Path>,
    /// Decisions of the same strategy on shuffled texts: the benchmark `shuffled_text`.
    pub placebo: Option<&'a Path>,
}

/// As [`run`], with more benchmarks where their files are given.
///
/// # Errors
/// As [`run`].
pub fn run_among(
    config: &Config,
    sources: &Sources<'_>,
    out: &Path,
    options: &RunOptions<'_>,
) -> Result<Manifest, Error> {
    let Sources { bars, decisions, .. } = *sources;
    config.check()?;
    let files = [Some(bars), Some(decisions), sources.observations, sources.placebo];
    let files = files.into_iter().flatten().map(Path::to_path_buf).collect();
    let spec = StageSpec::new(("backtest", STAGE_VERSION), out, config, files, options)?;
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let input = load(bars, decisions, config)?;
    let periods = periods_per_year(&input.bars, config)?;
    // a benchmark's even share of many instruments may be below the threshold that keeps the strategy from trading for nothing
    let at_any_size = Config { rebalance_threshold: 0.0, ..config.clone() };
    let subject = |name, decisions: &[_]| {
        let config = if name == "buy_and_hold" { &at_any_size } else { config };
        let simulation = simulate(&input.bars, decisions, config)?;
        let figures = measure(&simulation, periods);
        Ok::<_, Error>(Subject { name, figures, simulation })
    };
    let mut strategy = subject("strategy", &input.decisions).map_err(|e| e.within(decisions))?;
    let each = |make: &Maker<'_>| per_instrument::decisions(&input.bars, make);
    let mut benchmarks = vec![
        subject("buy_and_hold", &each(&|bars| Ok(Some(benchmark::buy_and_hold(bars))))?.unwrap_or_default())?,
        subject("momentum", &each(&|bars| Ok(Some(benchmark::momentum(bars)?)))?.unwrap_or_default())?,
    ];
    let observations: Vec<Observation> = sources.observations.map(read_all).transpose()?.unwrap_or_default();
    if let Some(decisions) = each(&|bars| Ok(benchmark::signal(bars, &observations)?))? {
        benchmarks.push(subject("signal", &decisions)?);
    }
    if let Some(path) = sources.placebo {
        let decisions = load(bars, path, config)?.decisions;
        benchmarks.push(subject("shuffled_text", &decisions).map_err(|e| e.within(path))?);
    }
    let original =
        Original { bars: &input.bars, decisions: &input.decisions, simulation: &strategy.simulation, config, periods };
    let copies = config.random_shifts;
    // all instruments are shifted alike; their spells are exchanged one by one
    let moved = per_instrument::copies(&input.decisions, |_| open.seed("random"), |t, seed| shifted(t, copies, seed));
    let of_instrument = |symbol: &str| {
        let seed = open.seed("permuted");
        if config.portfolio { seed.derive(symbol) } else { seed }
    };
    let permuted = |targets: &[f64], seed| placebo::permuted_spells(targets, copies, seed);
    let permuted = per_instrument::copies(&input.decisions, of_instrument, permuted);
    let rankings = [
        rank("random", &original, &moved, options.progress)?,
        rank("permuted", &original, &permuted, options.progress)?,
    ];
    for (ranking, names) in rankings.iter().zip([
        ["percentile_among_random", "p_value_among_random"],
        ["percentile_among_permuted", "p_value_among_permuted"],
    ]) {
        strategy.figures.extend(names.into_iter().zip([ranking.percentile, ranking.p_value]));
    }

    let subjects: Vec<&Subject> = std::iter::once(&strategy).chain(&benchmarks).collect();
    let n = strategy.simulation.returns().len() as u64;
    let row = |subject: &str, (metric, value): &(&str, Option<f64>), n| Metric {
        subject: subject.to_owned(),
        slice: "all".to_owned(),
        metric: (*metric).to_owned(),
        value: value.filter(|v| v.is_finite()),
        n,
    };
    let mut metrics: Vec<Metric> = subjects.iter().flat_map(|s| s.figures.iter().map(|f| row(s.name, f, n))).collect();
    for ranking in &rankings {
        let name = format!("{}_median", ranking.name);
        metrics.extend(ranking.median.iter().map(|f| row(&name, f, ranking.copies as u64)));
    }

    let lines = subjects.iter().map(|s| Series {
        name: s.name.replace('_', " "),
        points: s.simulation.points.iter().map(|p| (p.event_at.micros() as f64 / 1e6, p.equity)).collect(),
    });
    let svg = plot::equity(&EquityPlot {
        title: format!("{}: equity after costs", input.symbol),
        unit: "currency".to_owned(),
        capital: config.initial_capital,
        series: lines.collect(),
    });
    let knowledge = knowledge(&input.bars, &input.decisions)?;
    metrics.extend(knowledge.metrics("strategy"));
    let returns = returns(&subjects);
    let key = trials::key(&input.bars, &input.decisions, config);
    let market = trials::market(&input.bars);
    let page = document(&input, config, periods, &subjects, &rankings, &knowledge, svg.clone());
    let mut object = json(&input, config, periods, &subjects, &rankings);
    if let Some(object) = object.as_object_mut() {
        object.insert("trial_key".to_owned(), key.clone().into());
        object.insert("trial_market".to_owned(), market.clone().into());
    }
    let text =
        serde_json::to_vec_pretty(&object).map_err(|e| Error::Unreadable { message: format!("metrics: {e}") })?;

    let fact = |open: &mut artifacts::OpenStage, name: &str, value: Option<f64>| open.fact(name, value);
    for subject in &subjects {
        for metric in ["total_return", "sharpe_ratio", "max_drawdown"] {
            fact(&mut open, &format!("{}.{metric}", subject.name), subject.figure(metric));
        }
    }
    for name in ["percentile_among_random", "percentile_among_permuted"] {
        fact(&mut open, &format!("strategy.{name}"), strategy.figure(name));
    }
    open.fact("trial_key", key);
    open.fact("trial_market", market);
    open.fact("fill", strategy.simulation.fill_at.words());
    open.fact("lookahead", config.allow_lookahead_same_bar_fill);
    open.fact("periods_per_year", periods.get());
    let rows = input.decisions.len() as u64;
    let lost = strategy.simulation.superseded + strategy.simulation.unfilled;
    open.count(rows, rows - lost);
    open.reject("superseded before it could fill", strategy.simulation.superseded);
    open.reject("no bar begins after it", strategy.simulation.unfilled);

    open.write_rows("equity.parquet", strategy.simulation.points)?;
    if config.portfolio {
        open.write_rows("portfolio.parquet", strategy.simulation.portfolio)?;
    }
    open.write_rows("fills.parquet", strategy.simulation.fills)?;
    open.write_rows("orders.parquet", strategy.simulation.orders)?;
    open.write_rows("trades.parquet", strategy.simulation.trades)?;
    open.write_rows("returns.parquet", returns)?;
    open.write_rows("metrics.parquet", metrics)?;
    open.write_bytes("metrics.json", &text)?;
    open.write_bytes("equity.svg", svg.standalone().as_bytes())?;
    open.write_bytes("report.html", page.to_html().as_bytes())?;
    open.write_bytes("report.ipynb", page.to_notebook("report.html").as_bytes())?;
    open.write_bytes("report.json", page.to_json().as_bytes())?;
    open.write_bytes("report.md", page.to_markdown().as_bytes())?;
    Ok(open.finish()?)
}

/// What each subject earned in each bar, by subject.
fn returns(subjects: &[&Subject]) -> Vec<PeriodReturn> {
    let mut ordered = subjects.to_vec();
    ordered.sort_by_key(|s| s.name);
    let of = |subject: &&Subject| {
        let returns = subject.simulation.returns();
        let points = &subject.simulation.points;
        let bars = points.iter().skip(points.len() - returns.len()).map(|p| p.event_at).collect::<Vec<_>>();
        let name = subject.name;
        bars.into_iter().zip(returns).map(move |(bar_at, value)| PeriodReturn {
            subject: name.to_owned(),
            bar_at,
            value,
        })
    };
    ordered.iter().flat_map(of).collect()
}
