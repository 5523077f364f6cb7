//! The tear sheet: an account over time in figures, for one instrument or a portfolio.

use crate::tear_sheet_calendar::calendar;
use artifacts::Timestamp;
use artifacts::rows::{Bar, EquityPoint, PortfolioPoint, Trade};
use report::format::{count, number, percent, signed_percent};
use report::plot::{self, DistributionPlot, LinePlot, Mark, MarkKind, MarksPlot, Series, StepsPlot, XAxis};
use report::{Document, Table};
use stats::classification::wilson_interval;
use stats::distribution::{excess_kurtosis, mean, skewness};
use stats::trading::{PeriodsPerYear, drawdowns, rolling_sharpe};

/// Instruments whose prices are drawn one by one.
const MOST_PRICES: usize = 4;
/// Rows of the tables of drawdowns and trades.
const WORST: usize = 10;

/// What a tear sheet shows.
pub(crate) struct TearSheet<'a> {
    /// The bar each return was earned in.
    at: Vec<Timestamp>,
    /// Returns per bar, after costs.
    returns: &'a [f64],
    periods: PeriodsPerYear,
    /// What was held over time, as shares of equity; the first one is filled.
    held: Vec<Series>,
    /// What a single instrument's position was at the end of each bar, or a portfolio's net.
    positions: Vec<f64>,
    /// Closes by instrument.
    prices: Vec<(String, Vec<(f64, f64)>)>,
    trades: &'a [Trade],
}

fn seconds(at: Timestamp) -> f64 {
    at.micros() as f64 / 1e6
}

/// A moment as people write it; seconds only where there are any.
fn when(at: Timestamp) -> String {
    let text = at.to_string().replace('T', " ");
    let text = text.trim_end_matches('Z');
    text.strip_suffix(":00").unwrap_or(text).to_owned()
}

fn series(name: &str, points: impl Iterator<Item = (Timestamp, f64)>) -> Series {
    Series { name: name.to_owned(), points: points.map(|(at, v)| (seconds(at), v)).collect() }
}

impl<'a> TearSheet<'a> {
    /// Of one instrument. `returns` may lack those of the first bars, in which nothing could be held.
    pub(crate) fn of_instrument(
        symbol: &str,
        points: &[EquityPoint],
        returns: &'a [f64],
        periods: PeriodsPerYear,
        trades: &'a [Trade],
    ) -> Self {
        let skipped = points.len().saturating_sub(returns.len());
        Self {
            at: points.iter().skip(skipped).map(|p| p.event_at).collect(),
            returns,
            periods,
            held: vec![series("position", points.iter().map(|p| (p.event_at, p.position)))],
            positions: points.iter().map(|p| p.position).collect(),
            prices: vec![(symbol.to_owned(), points.iter().map(|p| (seconds(p.event_at), p.close)).collect())],
            trades,
        }
    }

    /// Of a portfolio. `bars` are those of all its instruments, in any order of instruments.
    pub(crate) fn of_portfolio(
        points: &[PortfolioPoint],
        bars: &[Bar],
        returns: &'a [f64],
        periods: PeriodsPerYear,
        trades: &'a [Trade],
    ) -> Self {
        let skipped = points.len().saturating_sub(returns.len());
        let prices = bars.chunk_by(|a, b| a.symbol == b.symbol).filter_map(|bars| {
            let closes = bars.iter().map(|b| (seconds(b.event_at), b.close)).collect();
            Some((bars.first()?.symbol.clone(), closes))
        });
        Self {
            at: points.iter().skip(skipped).map(|p| p.at).collect(),
            returns,
            periods,
            held: vec![
                series("net", points.iter().map(|p| (p.at, p.net))),
                series("gross", points.iter().map(|p| (p.at, p.gross))),
            ],
            positions: points.iter().map(|p| p.net).collect(),
            prices: prices.collect(),
            trades,
        }
    }

    /// Adds the sheet's sections to a report.
    pub(crate) fn add_to(&self, doc: &mut Document) {
        self.over_time(doc);
        self.drawdowns(doc);
        self.distribution(doc);
        self.trades(doc);
    }

    fn over_time(&self, doc: &mut Document) {
        doc.heading("Over time");
        // long enough to say something, short enough to show a change
        let window = (self.returns.len() / 8).clamp(20, 1000).max((self.periods.get() / 4.0).min(252.0) as usize);
        if self.returns.len() > 2 * window {
            let rolling = rolling_sharpe(self.returns, window, self.periods);
            let points = self.at.iter().zip(rolling).skip(window - 1);
            let line = series("", points.map(|(at, s)| (*at, s.unwrap_or(f64::NAN))));
            let days = self.span_days(window);
            doc.figure(
                plot::line(&LinePlot {
                    title: format!("Sharpe ratio of the last {window} bars"),
                    x: XAxis::Time,
                    y_label: format!("per year of {}", crate::summary::bars_per_year(self.periods)),
                    series: vec![line],
                }),
                format!(
                    "{window} bars are about {} days; one window says little, see the intervals.",
                    number(Some(days), 1)
                ),
            );
        }
        if let Some(map) = calendar(&self.at, self.returns) {
            doc.figure(plot::heat_map(&map), "Compound returns after costs.");
        }
        doc.figure(
            plot::steps(&StepsPlot {
                title: if self.held.len() > 1 { "Net and gross position" } else { "Position" }.to_owned(),
                y_label: "share of equity at the end of the bar".to_owned(),
                series: self.held.clone(),
            }),
            self.exposure(),
        );
    }

    fn span_days(&self, bars: usize) -> f64 {
        let first_and_last = self.at.first().zip(self.at.last());
        let all = first_and_last.map_or(0.0, |(first, last)| last.seconds_since(*first) / 86_400.0);
        all * bars as f64 / self.at.len().max(1) as f64
    }

    fn exposure(&self) -> String {
        let share = |f: fn(&f64) -> bool| {
            let n = self.positions.iter().filter(|p| f(p)).count();
            percent((!self.positions.is_empty()).then(|| n as f64 / self.positions.len() as f64), 1)
        };
        format!(
            "{} of bars end long, {} short, {} flat.",
            share(|p| *p > 0.0),
            share(|p| *p < 0.0),
            share(|p| *p == 0.0)
        )
    }

    fn drawdowns(&self, doc: &mut Document) {
        let worst = drawdowns(self.returns, WORST).unwrap_or_default();
        if worst.is_empty() {
            return;
        }
        doc.heading("Drawdowns");
        let mut table = Table::new()
            .number("depth")
            .text("begins")
            .text("lowest")
            .text("recovered")
            .number("bars down")
            .number("bars in all")
            .caption(format!(
                "The {}, after costs, times in UTC; the starting capital counts as a high.",
                match worst.len() {
                    1 => "only one".to_owned(),
                    n => format!("{n} deepest"),
                }
            ));
        let at = |place: usize| self.at.get(place).map_or_else(String::new, |at| when(*at));
        for d in &worst {
            let ends = d.recovered.unwrap_or(self.returns.len());
            table.push([
                percent(Some(d.depth), 2),
                at(d.begins),
                at(d.lowest),
                d.recovered.map_or_else(|| "not yet".to_owned(), at),
                count((d.lowest + 1 - d.begins) as u64),
                count((ends - d.begins) as u64),
            ]);
        }
        doc.table(table);
    }

    fn distribution(&self, doc: &mut Document) {
        doc.heading("Returns of bars");
        let best = self.returns.iter().copied().reduce(f64::max);
        let worst = self.returns.iter().copied().reduce(f64::min);
        doc.figure(
            plot::distribution(&DistributionPlot {
                title: "Returns of bars after costs".to_owned(),
                x_label: "return in %".to_owned(),
                values: self.returns.iter().map(|r| r * 100.0).collect(),
                bins: 61,
            }),
            format!(
                "Mean {}, best {}, worst {}; skewness {}, excess kurtosis {} (0 for a normal distribution).",
                signed_percent(mean(self.returns), 4),
                signed_percent(best, 2),
                signed_percent(worst, 2),
                number(skewness(self.returns), 2),
                number(excess_kurtosis(self.returns), 2)
            ),
        );
    }

    fn trades(&self, doc: &mut Document) {
        doc.heading("Trades");
        if self.trades.is_empty() {
            doc.paragraph("None.");
            return;
        }
        for (symbol, price) in self.prices.iter().take(MOST_PRICES) {
            let marks: Vec<Mark> = self.trades.iter().filter(|t| t.symbol == *symbol).flat_map(marks).collect();
            doc.figure(
                plot::marks(&MarksPlot {
                    title: format!("{symbol}: trades on the price"),
                    unit: "close".to_owned(),
                    price: price.clone(),
                    marks,
                }),
                "Entries and exits at their mean prices, in the bars of the first and last fill.",
            );
        }
        if self.prices.len() > MOST_PRICES {
            doc.paragraph(format!("{} of {} instruments are drawn.", MOST_PRICES, self.prices.len()));
        }
        doc.table(self.trade_figures());
        let mut ordered: Vec<&Trade> = self.trades.iter().filter(|t| t.closed_at.is_some()).collect();
        ordered.sort_by(|a, b| b.profit.total_cmp(&a.profit));
        let best: Vec<&Trade> = ordered.iter().take(WORST / 2).copied().collect();
        let rest = ordered.len() - best.len();
        let worst: Vec<&Trade> = ordered.iter().skip(best.len() + rest.saturating_sub(WORST / 2)).copied().collect();
        doc.table(trade_table(best.into_iter().chain(worst)));
    }

    fn trade_figures(&self) -> Table {
        let mut table = Table::new()
            .text("figure")
            .number("all")
            .number("long")
            .number("short")
            .caption("Closed trades, after costs.");
        let sides = [|_: &&Trade| true, |t: &&Trade| t.units > 0.0, |t: &&Trade| t.units < 0.0];
        let sides = sides.map(|side| {
            let closed = self.trades.iter().filter(|t| t.closed_at.is_some());
            closed.filter(side).collect::<Vec<&Trade>>()
        });
        let mut row = |name: &str, figure: &dyn Fn(&[&Trade]) -> String| {
            let mut cells = vec![name.to_owned()];
            cells.extend(sides.iter().map(|s| figure(s)));
            table.push(cells);
        };
        let of = |trades: &[&Trade], f: fn(&Trade) -> f64| mean(&trades.iter().map(|t| f(t)).collect::<Vec<_>>());
        let among = |trades: &[&Trade], keep: fn(f64) -> bool| {
            mean(&trades.iter().map(|t| t.profit).filter(|p| keep(*p)).collect::<Vec<_>>())
        };
        row("trades", &|t| count(t.len() as u64));
        row("winners", &|t| {
            let (wins, n) = (t.iter().filter(|t| t.profit > 0.0).count() as u64, t.len() as u64);
            let share = (n > 0).then(|| wins as f64 / n as f64);
            let within = wilson_interval(wins, n, 0.95);
            let within = within.map(|(l, h)| format!(" ({} to {})", percent(Some(l), 0), percent(Some(h), 0)));
            format!("{}{}", percent(share, 1), within.unwrap_or_default())
        });
        row("mean profit, currency", &|t| number(of(t, |t| t.profit), 2));
        row("mean profit of winners", &|t| number(among(t, |p| p > 0.0), 2));
        row("mean loss of losers", &|t| number(among(t, |p| p < 0.0), 2));
        row("mean cost", &|t| number(of(t, |t| t.cost), 2));
        row("mean bars held", &|t| number(of(t, |t| t.bars as f64), 1));
        table
    }
}

fn marks(trade: &Trade) -> Vec<Mark> {
    let kind = if trade.units < 0.0 { MarkKind::Short } else { MarkKind::Long };
    let opened = Mark { at: seconds(trade.opened_at), price: trade.entry_price, kind };
    let closed = trade.closed_at.map(|at| Mark { at: seconds(at), price: trade.exit_price, kind: MarkKind::Exit });
    std::iter::once(opened).chain(closed).collect()
}

fn trade_table<'a>(trades: impl Iterator<Item = &'a Trade>) -> Table {
    let mut table = Table::new()
        .text("instrument")
        .text("side")
        .text("opened")
        .text("closed")
        .number("entry")
        .number("exit")
        .number("bars")
        .number("cost")
        .number("profit")
        .caption("The best and the worst closed trades; times are UTC.");
    for t in trades {
        table.push([
            t.symbol.clone(),
            if t.units < 0.0 { "short" } else { "long" }.to_owned(),
            when(t.opened_at),
            t.closed_at.map_or_else(String::new, when),
            number(Some(t.entry_price), 2),
            number(Some(t.exit_price), 2),
            count(t.bars),
            number(Some(t.cost), 2),
            number(Some(t.profit), 2),
        ]);
    }
    table
}
