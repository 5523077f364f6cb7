use crate::{Config, Error, Simulation, trades};
use artifacts::rows::{Bar, EquityPoint};
use stats::distribution::{mean, median};
use stats::trading::{self, PeriodsPerYear};

/// Names and values of the figures of one subject, in the order to show them; none where a figure is not defined.
pub type Figures = Vec<(&'static str, Option<f64>)>;

/// Bars that make a year: the setting, or 365 days divided by the median interval between bars.
///
/// # Errors
/// Fewer than 2 bars.
pub fn periods_per_year(bars: &[Bar], config: &Config) -> Result<PeriodsPerYear, Error> {
    let set = config.periods_per_year.and_then(PeriodsPerYear::new);
    let symbol = || bars.first().map_or_else(String::new, |b| b.symbol.clone());
    let found = set.or_else(|| PeriodsPerYear::of_interval_seconds(interval_seconds(bars)?));
    found.ok_or_else(|| Error::TooFewBars { symbol: symbol(), bars: bars.len() })
}

/// Median seconds from one bar's beginning to the next.
pub(crate) fn interval_seconds(bars: &[Bar]) -> Option<f64> {
    let gaps: Vec<f64> =
        bars.windows(2).filter_map(|w| Some(w.get(1)?.event_at.seconds_since(w.first()?.event_at))).collect();
    median(&gaps)
}

/// All figures of a simulation. Shares are fractions, drawdowns and values at risk negative, money in currency.
pub fn measure(simulation: &Simulation, periods: PeriodsPerYear) -> Figures {
    let returns = simulation.returns();
    let trades = trades(simulation);
    let profits: Vec<f64> = trades.iter().filter(|t| t.closed_at.is_some()).map(|t| t.profit).collect();
    let points = &simulation.points;
    let each = |f: fn(&EquityPoint) -> f64| points.iter().map(f).collect::<Vec<f64>>();
    let held = &each(|p| p.position);
    // of a portfolio the net position may be 0 while much is held
    let gross = &match simulation.portfolio.as_slice() {
        [] => each(|p| p.position.abs()),
        portfolio => portfolio.iter().map(|p| p.gross).collect(),
    };
    let cost: f64 = points.iter().map(|p| p.cost).sum();
    let traded = simulation.fills.iter().map(|f| f.units.abs() * f.price).sum();
    let turnover = turnover(traded, points);
    let years = returns.len() as f64 / periods.get();
    vec![
        ("total_return", Some(simulation.final_equity() / simulation.initial_capital - 1.0)),
        ("annual_return", trading::cagr(&returns, periods)),
        ("sharpe_ratio", trading::sharpe(&returns, 0.0, periods)),
        ("probabilistic_sharpe", trading::probabilistic_sharpe(&returns, 0.0)),
        ("sortino_ratio", trading::sortino(&returns, periods)),
        ("calmar_ratio", trading::calmar(&returns, periods)),
        ("omega_ratio", trading::omega(&returns, 0.0, periods)),
        ("volatility", trading::volatility(&returns, periods)),
        ("max_drawdown", trading::max_drawdown(&returns)),
        ("var_95", trading::var_historical(&returns, 0.05)),
        ("cvar_95", trading::cvar_historical(&returns, 0.05)),
        ("tail_ratio", trading::tail_ratio(&returns)),
        ("win_rate_bars", win_rate(&returns)),
        ("win_rate_trades", win_rate(&profits)),
        ("profit_factor_bars", profit_factor(&returns)),
        ("profit_factor_trades", profit_factor(&profits)),
        ("trades", Some(profits.len() as f64)),
        ("open_trades", Some((trades.len() - profits.len()) as f64)),
        ("fills", Some(simulation.fills.len() as f64)),
        ("exposure", mean(&gross.iter().map(|p| f64::from(u8::from(*p != 0.0))).collect::<Vec<_>>())),
        ("mean_position", mean(held)),
        ("mean_abs_position", mean(gross)),
        ("turnover", turnover),
        ("turnover_per_year", turnover.map(|t| t / years).filter(|t| t.is_finite())),
        ("total_cost", Some(cost)),
        ("cost_of_capital_share", Some(cost / simulation.initial_capital)),
        ("final_equity", Some(simulation.final_equity())),
    ]
}

/// Traded value as a multiple of the mean equity.
pub(crate) fn turnover(traded: f64, points: &[EquityPoint]) -> Option<f64> {
    let equity = mean(&points.iter().map(|p| p.equity).collect::<Vec<_>>())?;
    (equity > 0.0).then_some(traded / equity)
}

/// Share of gains among gains and losses; what is 0 is neither.
fn win_rate(values: &[f64]) -> Option<f64> {
    let (wins, losses) = (values.iter().filter(|v| **v > 0.0).count(), values.iter().filter(|v| **v < 0.0).count());
    (wins + losses > 0).then(|| wins as f64 / (wins + losses) as f64)
}

/// Sum of gains over sum of losses; none without a loss.
fn profit_factor(values: &[f64]) -> Option<f64> {
    let (gains, losses) = values.iter().fold((0.0, 0.0), |(g, l), v| (g + v.max(0.0), l - v.min(0.0)));
    (losses > 0.0).then_some(gains / losses)
}
