use crate::Simulation;
use artifacts::Timestamp;

/// From leaving a flat (or opposite) position to the next one: what traders call one trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// The bar it was opened in.
    pub opened_at: Timestamp,
    /// The bar it was closed in; none if it was still open after the last bar.
    pub closed_at: Option<Timestamp>,
    /// 1 for long, -1 for short.
    pub direction: f64,
    /// Net of all its costs, in currency; for an open trade at the last close.
    pub profit: f64,
}

/// The trades behind a simulation's fills. A fill that turns long into short closes one trade and opens the next; its
/// costs are shared by units.
pub fn trades(simulation: &Simulation) -> Vec<Trade> {
    let mut done = Vec::new();
    let mut open: Option<Trade> = None;
    let mut held = 0.0_f64;
    for fill in &simulation.fills {
        let turns = held != 0.0 && fill.held != 0.0 && held.signum() * fill.held.signum() < 0.0;
        // units that change the trade that is open; the rest opens another
        let own = if turns { -held } else { fill.units };
        let cash = |units: f64| -units * fill.price - fill.commission * (units / fill.units).abs();
        let begin = |units: f64| Trade {
            opened_at: fill.bar_at,
            closed_at: None,
            direction: units.signum(),
            profit: cash(units),
        };
        match &mut open {
            None => open = Some(begin(own)),
            Some(trade) => trade.profit += cash(own),
        }
        if turns || fill.held == 0.0 {
            done.extend(open.take().map(|t| Trade { closed_at: Some(fill.bar_at), ..t }));
        }
        if turns {
            open = Some(begin(fill.held));
        }
        held = fill.held;
    }
    let last_close = simulation.points.last().map_or(0.0, |p| p.close);
    done.extend(open.map(|t| Trade { profit: t.profit + held * last_close, ..t }));
    done
}
