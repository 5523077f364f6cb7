use crate::Figures;
use artifacts::rows::Trade;
use stats::trading::PeriodsPerYear;

/// Figures of an account whose points pass by once.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    capital: f64,
    before: f64,
    /// Returns, their mean, and the sum of squared differences from it (Welford).
    returns: u64,
    mean: f64,
    squares: f64,
    top: f64,
    worst: f64,
    points: u64,
    held: u64,
    cost: f64,
    closed: u64,
    open: u64,
    wins: u64,
    losses: u64,
    gains: f64,
    lost: f64,
}

impl Running {
    pub(crate) fn new(capital: f64) -> Self {
        Self {
            capital,
            before: capital,
            returns: 0,
            mean: 0.0,
            squares: 0.0,
            top: capital,
            worst: 0.0,
            points: 0,
            held: 0,
            cost: 0.0,
            closed: 0,
            open: 0,
            wins: 0,
            losses: 0,
            gains: 0.0,
            lost: 0.0,
        }
    }

    /// Takes the account after a bar. The return of the first bar does not count unless decisions fill in their own bar.
    pub(crate) fn point(&mut self, equity: f64, position: f64, cost: f64, counts: bool) {
        self.points += 1;
        self.held += u64::from(position != 0.0);
        self.cost += cost;
        if counts {
            let change = if self.before > 0.0 { equity / self.before - 1.0 } else { 0.0 };
            self.returns += 1;
            let off = change - self.mean;
            self.mean += off / self.returns as f64;
            self.squares += off * (change - self.mean);
        }
        self.before = equity;
        self.top = self.top.max(equity);
        self.worst = self.worst.min(equity / self.top - 1.0);
    }

    pub(crate) fn trade(&mut self, trade: &Trade) {
        if trade.closed_at.is_none() {
            self.open += 1;
            return;
        }
        self.closed += 1;
        self.wins += u64::from(trade.profit > 0.0);
        self.losses += u64::from(trade.profit < 0.0);
        self.gains += trade.profit.max(0.0);
        self.lost -= trade.profit.min(0.0);
    }

    pub(crate) fn figures(&self, periods: PeriodsPerYear) -> Figures {
        let ratio = |a: f64, b: f64| Some(a / b).filter(|r| r.is_finite());
        let n = self.returns as f64;
        let deviation = (self.returns > 1).then(|| (self.squares / (n - 1.0)).sqrt());
        let year = periods.get();
        let growth = (self.before / self.capital).max(0.0);
        vec![
            ("total_return", Some(self.before / self.capital - 1.0)),
            ("annual_return", ratio(growth.powf(year / n), 1.0).map(|g| g - 1.0)),
            ("sharpe_ratio", deviation.and_then(|d| ratio(self.mean * year.sqrt(), d))),
            ("volatility", deviation.map(|d| d * year.sqrt())),
            ("max_drawdown", Some(self.worst)),
            ("win_rate_trades", ratio(self.wins as f64, (self.wins + self.losses) as f64)),
            ("profit_factor_trades", ratio(self.gains, self.lost)),
            ("trades", Some(self.closed as f64)),
            ("open_trades", Some(self.open as f64)),
            ("exposure", ratio(self.held as f64, self.points as f64)),
            ("total_cost", Some(self.cost)),
            ("final_equity", Some(self.before)),
        ]
    }
}
