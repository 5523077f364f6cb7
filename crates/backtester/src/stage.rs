use crate::summary::{Subject, document, json};
use crate::{Config, Error, benchmark, load, measure, periods_per_year, random, simulate};
use artifacts::rows::Metric;
use artifacts::{Manifest, Outcome, RunOptions, StageSpec};
use report::plot::{self, EquityPlot, Series};
use std::path::Path;

/// Raised when the stage's output changes for the same input.
pub const STAGE_VERSION: u32 = 2;

/// Runs the decisions in `decisions` (rows [`artifacts::rows::Decision`]) against the prices in `bars` (rows
/// [`artifacts::rows::Bar`]) and writes into the folder `out`: `equity.parquet`, `fills.parquet`, `metrics.parquet`,
/// `metrics.json`, `equity.svg`, `report.html`, `report.md` and `report.ipynb`. Unchanged input and settings: nothing is done.
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
    config.check()?;
    let settings = serde_json::to_value(config).map_err(|e| Error::Unreadable { message: format!("settings: {e}") })?;
    let spec = StageSpec {
        name: "backtest",
        version: STAGE_VERSION,
        folder: out.to_path_buf(),
        seed: options.seed,
        config: settings,
        inputs: vec![bars.to_path_buf(), decisions.to_path_buf()],
        force: options.force,
    };
    let mut open = match spec.begin()? {
        Outcome::Unchanged(manifest) => return Ok(manifest),
        Outcome::Run(open) => open,
    };
    let input = load(bars, decisions, config)?;
    let periods = periods_per_year(&input.bars, config)?;
    let subject = |name, decisions: &[_]| {
        let simulation = simulate(&input.bars, decisions, config)?;
        let figures = measure(&simulation, periods);
        Ok::<_, Error>(Subject { name, figures, simulation })
    };
    let mut strategy = subject("strategy", &input.decisions).map_err(|e| e.within(decisions))?;
    let market = subject("buy_and_hold", &benchmark::buy_and_hold(&input.bars))?;
    let momentum = subject("momentum", &benchmark::momentum(&input.bars)?)?;
    let seed = open.seed("random");
    let ranking =
        random::rank(&input.bars, &input.decisions, &strategy.simulation, config, periods, seed, options.progress)?;
    strategy.figures.push(("percentile_among_random", ranking.percentile));
    strategy.figures.push(("p_value_among_random", ranking.p_value));

    let subjects = [&strategy, &market, &momentum];
    let n = strategy.simulation.returns().len() as u64;
    let row = |subject: &str, (metric, value): &(&str, Option<f64>), n| Metric {
        subject: subject.to_owned(),
        slice: "all".to_owned(),
        metric: (*metric).to_owned(),
        value: value.filter(|v| v.is_finite()),
        n,
    };
    let mut metrics: Vec<Metric> = subjects.iter().flat_map(|s| s.figures.iter().map(|f| row(s.name, f, n))).collect();
    metrics.extend(ranking.median.iter().map(|f| row("random_median", f, ranking.copies as u64)));

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
    let page = document(&input, config, periods, subjects, &ranking, svg.clone());
    let object = json(&input, config, periods, subjects, &ranking);
    let text =
        serde_json::to_vec_pretty(&object).map_err(|e| Error::Unreadable { message: format!("metrics: {e}") })?;

    let fact = |open: &mut artifacts::OpenStage, name: &str, value: Option<f64>| open.fact(name, value);
    for (name, of) in [("strategy", &strategy), ("buy_and_hold", &market), ("momentum", &momentum)] {
        for metric in ["total_return", "sharpe_ratio", "max_drawdown"] {
            fact(&mut open, &format!("{name}.{metric}"), of.figure(metric));
        }
    }
    fact(&mut open, "strategy.percentile_among_random", ranking.percentile);
    open.fact("fill", strategy.simulation.fill_at.words());
    open.fact("lookahead", config.allow_lookahead_same_bar_fill);
    open.fact("periods_per_year", periods.get());
    let rows = input.decisions.len() as u64;
    let lost = strategy.simulation.superseded + strategy.simulation.unfilled;
    open.count(rows, rows - lost);
    open.reject("superseded before it could fill", strategy.simulation.superseded);
    open.reject("no bar begins after it", strategy.simulation.unfilled);

    open.write_rows("equity.parquet", strategy.simulation.points)?;
    open.write_rows("fills.parquet", strategy.simulation.fills)?;
    open.write_rows("metrics.parquet", metrics)?;
    open.write_bytes("metrics.json", &text)?;
    open.write_bytes("equity.svg", svg.standalone().as_bytes())?;
    open.write_bytes("report.html", page.to_html().as_bytes())?;
    open.write_bytes("report.ipynb", page.to_notebook("report.html").as_bytes())?;
    open.write_bytes("report.md", page.to_markdown().as_bytes())?;
    Ok(open.finish()?)
}
