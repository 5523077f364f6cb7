//! What the stage tells people (the report) and programs (`metrics.json`).

use crate::information::Knowledge;
use crate::measure::interval_seconds;
use crate::random::Ranking;
use crate::tear_sheet::TearSheet;
use crate::{Config, Figures, FillAt, Input, Simulation};
use report::format::{count, number, percent, signed_percent};
use report::plot::{self, HistogramPlot, Svg};
use report::{Document, Severity, Table, Tile};
use serde_json::{Map, Value, json};
use stats::trading::PeriodsPerYear;

/// A strategy or benchmark with its figures.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) figures: Figures,
    pub(crate) simulation: Simulation,
}

impl Subject {
    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(n, _)| *n == name).and_then(|(_, v)| *v)
    }
}

/// Below this span of data, figures per year are an extrapolation that says little.
const SHORT_DAYS: f64 = 90.0;

/// Figures that a year is made of.
const YEARLY: [&str; 6] =
    ["annual_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "volatility", "turnover_per_year"];

/// How a Sharpe ratio is shown: for a year, or where that would be made of a few days, for a bar.
#[derive(Clone, Copy)]
struct Scale {
    periods: PeriodsPerYear,
    short: bool,
}

impl Scale {
    fn of(input: &Input, periods: PeriodsPerYear) -> Self {
        Self { periods, short: days(input) < SHORT_DAYS }
    }

    fn sharpe_label(self) -> &'static str {
        if self.short { "Sharpe ratio, per bar" } else { "Sharpe ratio, per year" }
    }

    fn sharpe(self, yearly: Option<f64>) -> String {
        if self.short { number(yearly.map(|s| s / self.periods.get().sqrt()), 4) } else { number(yearly, 2) }
    }
}

fn days(input: &Input) -> f64 {
    match (input.bars.first(), input.bars.last()) {
        (Some(_), Some(_)) => {
            let from = input.bars.iter().map(|b| b.event_at).min();
            let to = input.bars.iter().map(|b| b.available_at).max();
            from.zip(to).map_or(0.0, |(from, to)| to.seconds_since(from) / 86_400.0)
        }
        _ => 0.0,
    }
}

/// What a year is, in words: `252 bars`, `52,560 bars`.
pub(crate) fn bars_per_year(periods: PeriodsPerYear) -> String {
    let n = periods.get();
    if n.fract() == 0.0 && n < 1e15 {
        format!("{} bars", count(n as u64))
    } else {
        format!("{} bars", number(Some(n), 1))
    }
}

/// `metrics.json`: what was run, and each subject's figures.
pub(crate) fn json(
    input: &Input,
    config: &Config,
    periods: PeriodsPerYear,
    subjects: &[&Subject],
    rankings: &[Ranking],
) -> Value {
    let strategy = &subjects[0].simulation;
    let object = |figures: &Figures| -> Value {
        figures.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>().into()
    };
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| all.insert(name.to_owned(), value);
    put("symbol", json!(input.symbol));
    put("bars", json!(input.bars.len()));
    put("from", json!(input.bars.first().map(|b| b.event_at)));
    put("to", json!(input.bars.last().map(|b| b.event_at)));
    put("bar_interval_seconds", json!(interval_seconds(&input.bars)));
    put("periods_per_year", json!(periods));
    put("fill", json!(strategy.fill_at));
    put("lookahead", json!(config.allow_lookahead_same_bar_fill));
    put("initial_capital", json!(config.initial_capital));
    put("commission_bps", json!(config.commission_bps));
    put("slippage_bps", json!(config.slippage_bps));
    put("decisions", json!(input.decisions.len()));
    put("decisions_superseded", json!(strategy.superseded));
    put("decisions_unfilled", json!(strategy.unfilled));
    put("orders_refused", json!(strategy.refused));
    put("ruined_at", json!(strategy.ruined_at));
    for ranking in rankings {
        put(&format!("{}_copies", ranking.name), json!(ranking.copies));
    }
    for subject in subjects {
        put(subject.name, object(&subject.figures));
    }
    for ranking in rankings {
        put(&format!("{}_median", ranking.name), object(&ranking.median));
    }
    all.into()
}

/// The report.
pub(crate) fn document(
    input: &Input,
    config: &Config,
    periods: PeriodsPerYear,
    subjects: &[&Subject],
    rankings: &[Ranking],
    knowledge: &Knowledge,
    equity: Svg,
) -> Document {
    let [strategy, market, ..] = subjects else { return Document::new("Backtest") };
    let mut doc = Document::new(format!("Backtest of {}", input.symbol));
    if let (Some(first), Some(last)) = (input.bars.first(), input.bars.last()) {
        let symbols: std::collections::BTreeSet<&str> = input.bars.iter().map(|b| b.symbol.as_str()).collect();
        let of = if symbols.len() > 1 { format!(" of {} instruments", symbols.len()) } else { String::new() };
        let from = input.bars.iter().map(|b| b.event_at).min().unwrap_or(first.event_at);
        let to = input.bars.iter().map(|b| b.event_at).max().unwrap_or(last.event_at);
        doc.subtitle(format!("{} bars{of} from {from} to {to} (UTC)", count(input.bars.len() as u64)));
    }
    alerts(&mut doc, input, subjects);
    let scale = Scale::of(input, periods);
    let of_random = |r: &Ranking| {
        r.p_value.map(|p| format!("of {} {} earned less; one-sided p {}", r.copies, copies_in_words(r), p_value(p)))
    };
    doc.tiles(vec![
        Tile::new(
            "total return",
            signed_percent(strategy.figure("total_return"), 2),
            format!("buy and hold {}", signed_percent(market.figure("total_return"), 2)),
        ),
        Tile::new(
            scale.sharpe_label(),
            scale.sharpe(strategy.figure("sharpe_ratio")),
            format!("buy and hold {}", scale.sharpe(market.figure("sharpe_ratio"))),
        ),
        Tile::new(
            "max drawdown",
            percent(strategy.figure("max_drawdown"), 2),
            format!("buy and hold {}", percent(market.figure("max_drawdown"), 2)),
        ),
        Tile::new(
            "rank among copies without knowledge",
            rankings.first().map_or_else(String::new, |r| percent(r.percentile, 1)),
            rankings.first().and_then(of_random).unwrap_or_default(),
        ),
    ]);
    doc.figure_with_file(
        equity,
        "Equity after costs, and how far the strategy is below its highest point.",
        "equity.svg",
    );
    doc.heading("Figures");
    figures(&mut doc, subjects, scale);
    benchmarks(&mut doc, subjects);
    let returns = strategy.simulation.returns();
    let simulation = &strategy.simulation;
    let sheet = if simulation.portfolio.is_empty() {
        TearSheet::of_instrument(&input.symbol, &simulation.points, &returns, periods, &simulation.trades)
    } else {
        TearSheet::of_portfolio(&simulation.portfolio, &input.bars, &returns, periods, &simulation.trades)
    };
    sheet.add_to(&mut doc);
    knowledge.add_to(&mut doc);
    doc.heading("Skill or luck");
    for ranking in rankings {
        luck(&mut doc, strategy, ranking, scale);
    }
    rules(&mut doc, input, config, periods, strategy);
    doc
}

fn copies_in_words(ranking: &Ranking) -> &'static str {
    if ranking.name == "permuted" { "copies with spells in random order" } else { "copies shifted in time" }
}

/// The strategy among copies of itself that know nothing.
fn luck(doc: &mut Document, strategy: &Subject, ranking: &Ranking, scale: Scale) {
    let kind = copies_in_words(ranking);
    let how = if ranking.name == "permuted" {
        "its own holding spells (runs of bars long, short or flat), those of each side in random order: the same trades and holding times, at other times"
    } else {
        "its own positions, shifted round in time: equal turnover and costs"
    };
    if ranking.copies == 0 {
        doc.paragraph(format!("There is nothing to make {kind} of."));
        return;
    }
    doc.paragraph(format!(
        "{} copies of the strategy trade {how}, no knowledge of the prices they meet. The strategy earned more than {} of them. \
         One-sided p {}: how often a copy earns as much or more, the strategy itself counted among them.",
        ranking.copies,
        percent(ranking.percentile, 1),
        ranking.p_value.map_or_else(|| number(None, 3), p_value),
    ));
    let mut table = Table::new().text("figure").number("strategy").number("median of the copies");
    for (name, median) in &ranking.median {
        if *name == "sharpe_ratio" {
            table.push([scale.sharpe_label().to_owned(), scale.sharpe(strategy.figure(name)), scale.sharpe(*median)]);
        } else {
            table.push([words(name), shown(name, strategy.figure(name)), shown(name, *median)]);
        }
    }
    doc.table(table);
    let shares = ranking.total_returns.iter().map(|r| r * 100.0).collect();
    doc.figure(
        plot::histogram(&HistogramPlot {
            title: format!("Total return of the {kind}"),
            x_label: "total return in %".to_owned(),
            bins: 30,
            series: vec![("copies".to_owned(), shares)],
        }),
        format!("The strategy itself: {}.", signed_percent(strategy.figure("total_return"), 2)),
    );
}

/// What the benchmarks are.
fn benchmarks(doc: &mut Document, subjects: &[&Subject]) {
    let text = |subject: &&Subject| match subject.name {
        "buy_and_hold" => Some(
            "Buy and hold: all in at the first price that can be had, and stay; of several instruments the same part in each.",
        ),
        "momentum" => Some("Momentum: the sign of the last change of the close."),
        "signal" => Some("Signal: the source's own column, from when its row says it could be known."),
        "shuffled_text" => Some(
            "Shuffled text: the same strategy, which read the texts of other bars: what is left when the news say nothing.",
        ),
        _ => None,
    };
    doc.list(subjects.iter().filter_map(text));
}

fn alerts(doc: &mut Document, input: &Input, subjects: &[&Subject]) {
    let [strategy, ..] = subjects else { return };
    let strategy = &strategy.simulation;
    if strategy.fill_at.is_lookahead() {
        doc.callout(
            Severity::Critical,
            "LOOK-AHEAD: these figures cannot be had",
            "allow_lookahead_same_bar_fill is set: every decision fills in the bar it was made on, at a price \
             that is past when the decision exists. Use this for comparison only.",
        );
    }
    for subject in subjects {
        if let Some(at) = subject.simulation.ruined_at {
            let text = format!(
                "Equity was gone on {at}; everything was closed and {} later orders were refused.",
                subject.simulation.refused
            );
            doc.callout(Severity::Critical, format!("{} was ruined", subject.name.replace('_', " ")), text);
        }
    }
    if strategy.fill_at == FillAt::NextClose {
        doc.callout(
            Severity::Note,
            "Fills at closes",
            "Not every bar has an open, or the settings say so: decisions fill at the close of the next bar, later than at its open.",
        );
    }
    let days = days(input);
    if days < SHORT_DAYS {
        doc.callout(
            Severity::Warning,
            format!("Only {} days of prices", number(Some(days), 1)),
            "Nothing is scaled to a year but in a table of its own, which extrapolates and says little; compare total returns and the rank among \
             shifted copies.",
        );
    }
    if strategy.fills.is_empty() {
        doc.callout(Severity::Warning, "No trades", "No decision changed the position by more than the threshold.");
    }
}

/// How a figure is written.
fn shown(name: &str, value: Option<f64>) -> String {
    match name {
        "total_return" | "annual_return" => signed_percent(value, 2),
        "volatility"
        | "max_drawdown"
        | "var_95"
        | "cvar_95"
        | "win_rate_bars"
        | "win_rate_trades"
        | "exposure"
        | "mean_position"
        | "mean_abs_position"
        | "cost_of_capital_share" => percent(value, 2),
        "trades" | "open_trades" | "fills" => number(value, 0),
        "total_cost" | "final_equity" | "turnover" | "turnover_per_year" => number(value, 2),
        "probabilistic_sharpe" => value.map_or_else(|| number(None, 3), p_value),
        _ => number(value, 3),
    }
}

/// Three decimals; what is smaller is said to be smaller, and never 0.
fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { number(Some(p), 3) }
}

/// A figure's name in words.
fn words(name: &str) -> String {
    match name {
        "sharpe_ratio" => "Sharpe ratio, per year",
        "probabilistic_sharpe" => "probability that the true Sharpe ratio is above 0",
        "sortino_ratio" => "Sortino ratio, per year",
        "calmar_ratio" => "Calmar ratio",
        "omega_ratio" => "Omega ratio",
        "volatility" => "volatility, per year",
        "var_95" => "value at risk, worst 5 % of bars",
        "cvar_95" => "mean of the worst 5 % of bars",
        "win_rate_bars" => "win rate, bars",
        "win_rate_trades" => "win rate, trades",
        "profit_factor_bars" => "profit factor, bars",
        "profit_factor_trades" => "profit factor, trades",
        "exposure" => "bars with a position",
        "mean_abs_position" => "mean size of the position",
        "turnover" => "turnover, multiple of equity",
        "turnover_per_year" => "turnover per year, multiple of equity",
        "total_cost" => "total cost, currency",
        "final_equity" => "final equity, currency",
        "mean_position" => "mean position, short negative",
        "cost_of_capital_share" => "total cost, share of capital",
        other => return other.replace('_', " "),
    }
    .to_owned()
}

/// Figures that a section of its own shows.
const ELSEWHERE: [&str; 4] =
    ["percentile_among_random", "p_value_among_random", "percentile_among_permuted", "p_value_among_permuted"];

fn figures(doc: &mut Document, subjects: &[&Subject], scale: Scale) {
    let [strategy, ..] = subjects else { return };
    let per_year = bars_per_year(scale.periods);
    let head = |caption: String| {
        let heads = subjects.iter().map(|s| s.name.replace('_', " "));
        heads.fold(Table::new().text("figure"), Table::number).caption(caption)
    };
    let note = if scale.short {
        String::new()
    } else {
        format!(" Per year means {per_year}: means of bars times that many, deviations times its root.")
    };
    let mut table = head(format!("After costs.{note}"));
    let row = |name: &str, words: String| {
        std::iter::once(words).chain(subjects.iter().map(|s| shown(name, s.figure(name)))).collect::<Vec<_>>()
    };
    let wanted = strategy.figures.iter().map(|(name, _)| *name).filter(|name| !ELSEWHERE.contains(name));
    for name in wanted.clone().filter(|name| !(scale.short && YEARLY.contains(name))) {
        table.push(row(name, words(name)));
        if scale.short && name == "total_return" {
            let sharpe = subjects.iter().map(|s| scale.sharpe(s.figure("sharpe_ratio")));
            table.push(std::iter::once(scale.sharpe_label().to_owned()).chain(sharpe));
        }
    }
    doc.table(table);
    if scale.short {
        let mut table = head(format!(
            "The same as if every day of a year were like these few: an extrapolation, not a forecast. Per year means {per_year}: means of \
             bars times that many, deviations times its root."
        ));
        for name in wanted.filter(|name| YEARLY.contains(name)) {
            table.push(row(name, words(name)));
        }
        doc.table(table);
    }
    doc.list([
        "Omega ratio, profit factor: the sum of gains over the sum of losses; below 1 losses are larger. Calmar ratio: annual return over the \
         largest drawdown.",
        "Tail ratio: the 95th percentile of returns over the size of the 5th; above 1 the good tail is the longer one.",
    ]);
}

fn rules(doc: &mut Document, input: &Input, config: &Config, periods: PeriodsPerYear, strategy: &Subject) {
    let simulation = &strategy.simulation;
    doc.heading("How it was computed");
    let interval = number(interval_seconds(&input.bars), 0);
    let per_year = bars_per_year(periods);
    let source = if config.periods_per_year.is_some() { "as set" } else { "365 days, a market that never closes" };
    doc.list([
        format!("Decisions fill at {}, the first that begins after the decision was made and its bar was known.", simulation.fill_at.words()),
        costs(config),
        format!(
            "A position is traded when it is {} or more of equity away from its target, and always to go flat; at most {} of equity, long or short.",
            percent(Some(config.rebalance_threshold), 1),
            percent(Some(config.position_cap), 0)
        ),
        format!("Per year means {per_year} ({source}; median bar {interval} s)."),
        "Returns are per bar from the first bar in which a position could be held; drawdown counts the starting capital as the first high.".to_owned(),
        if config.liquidate_at_end {
            "The last position is closed at the last close, at a cost.".to_owned()
        } else {
            "The last position stays open, valued at the last close, without the cost of closing it.".to_owned()
        },
        format!(
            "{} decisions: {} superseded before they could fill, {} after which no bar begins, {} refused.",
            input.decisions.len(),
            simulation.superseded,
            simulation.unfilled,
            simulation.refused
        ),
        "Win rate and profit factor by trade count closed trades only; bars without a change count neither way.".to_owned(),
    ]);
}

/// What trading costs under these settings, in words.
fn costs(config: &Config) -> String {
    let mut text = format!("Commission {} bps of the traded value", config.commission_bps);
    let mut add = |more: String| text.push_str(&more);
    if config.commission_min > 0.0 {
        add(format!(", at least {} a fill", config.commission_min));
    }
    if config.half_spread_bps > 0.0 {
        add(format!(", half a spread of {} bps", config.half_spread_bps));
    }
    add(format!(", slippage {} bps of the price", config.slippage_bps));
    if config.impact > 0.0 {
        let (k, window) = (config.impact, config.impact_window);
        add(format!(
            ", impact {k}·σ·√(units / volume) of the price (σ of the {window} bars before, volume of the bar itself)"
        ));
    }
    add(", on every change of units, for the benchmarks too; ".to_owned());
    if config.funding_bps_per_day != 0.0 {
        add(format!("longs pay and shorts receive {} bps a day; ", config.funding_bps_per_day));
    }
    if config.borrow_bps_per_year > 0.0 {
        add(format!("shorts pay {} bps a year for what they borrow; ", config.borrow_bps_per_year));
    } else {
        add("no cost of borrowing, ".to_owned());
    }
    add("no interest on cash.".to_owned());
    if let Some(cap) = config.volume_cap {
        let rest = if config.carry_unfilled { "waits for the next bar" } else { "is given up" };
        add(format!(" An order fills at most {} of a bar's volume; the rest {rest}.", percent(Some(cap), 1)));
    }
    if config.latency_seconds > 0.0 {
        add(format!(" Orders arrive {} s after the decision.", config.latency_seconds));
    }
    if config.lot_size > 0.0 {
        add(format!(" Holdings are multiples of {}.", config.lot_size));
    }
    text
}
