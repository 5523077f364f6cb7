//! Limits that no opinion can lift.

use super::config::RiskConfig;
use super::message::Limited;
use serde::{Deserialize, Serialize};

/// The account of the agents' own decisions, as of the moment: what the drawdown stop looks at. Costs are not in it; the
/// back-test counts those.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Held since the last decision.
    pub position: f64,
    /// The close of the last decision.
    pub close: Option<f64>,
    /// What 1 at the start has become.
    pub equity: f64,
    /// The highest equity since the start or the last stop.
    pub peak: f64,
    /// Bars still to stay out of the market.
    pub cooldown: u32,
}

impl Default for Account {
    fn default() -> Self {
        Self { position: 0.0, close: None, equity: 1.0, peak: 1.0, cooldown: 0 }
    }
}

impl Account {
    /// Moves the account to the close of a further bar.
    pub fn mark(&mut self, close: f64) {
        if let Some(before) = self.close {
            self.equity *= (1.0 + self.position * (close / before - 1.0)).max(0.0);
        }
        self.peak = self.peak.max(self.equity);
        self.close = Some(close);
    }

    /// The share of the peak that is lost.
    pub fn drawdown(&self) -> f64 {
        if self.peak > 0.0 { 1.0 - self.equity / self.peak } else { 1.0 }
    }
}

/// What the agents want.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The position.
    pub position: f64,
    /// How sure they are.
    pub confidence: f64,
    /// Standard deviation of one bar's return, where it is known.
    pub volatility: Option<f64>,
}

/// The position within all limits, and the limits that changed it, in the order in which they were applied: confidence,
/// volatility, size, change; the drawdown stop last, because it must not wait.
///
/// ```
/// use trading_agent::agents::{risk::{limit, Account, Wanted}, RiskConfig};
/// let config = RiskConfig { max_change: 0.3, ..RiskConfig::default() };
/// let wanted = Wanted { position: 0.9, confidence: 0.8, volatility: None };
/// let (position, limits) = limit(&config, &mut Account::default(), wanted);
/// assert_eq!((position, limits[0].limit.as_str()), (0.3, "max-change"));
/// ```
pub fn limit(config: &RiskConfig, account: &mut Account, wanted: Wanted) -> (f64, Vec<Limited>) {
    let start = if wanted.position.is_finite() { wanted.position.clamp(-1.0, 1.0) } else { 0.0 };
    let mut position = start;
    let mut limits = Vec::new();
    let mut apply = |limit: &str, to: f64| {
        if (to - position).abs() > 1e-12 {
            limits.push(Limited { limit: limit.to_owned(), from: position, to });
            position = to;
        }
        position
    };
    let mut held = start;
    if wanted.confidence < config.min_confidence {
        held = apply("min-confidence", 0.0);
    }
    if let (Some(target), Some(volatility)) = (config.target_volatility_bps, wanted.volatility)
        && volatility > 0.0
    {
        held = apply("volatility", held * (target / 1e4 / volatility).min(1.0));
    }
    held = apply("max-position", held.clamp(-config.max_position, config.max_position));
    let (low, high) = (account.position - config.max_change, account.position + config.max_change);
    held = apply("max-change", held.clamp(low, high));
    if account.cooldown > 0 {
        account.cooldown -= 1;
        held = apply("cooldown", 0.0);
        if account.cooldown == 0 {
            account.peak = account.equity;
        }
    } else if config.max_drawdown.is_some_and(|most| account.drawdown() > most) {
        account.cooldown = config.cooldown_bars;
        if account.cooldown == 0 {
            account.peak = account.equity;
        }
        held = apply("drawdown-stop", 0.0);
    }
    account.position = held;
    (held, limits)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    fn wanted(position: f64) -> Wanted {
        Wanted { position, confidence: 1.0, volatility: Some(0.02) }
    }

    #[test]
    fn a_drawdown_stops_at_once_stays_out_for_the_cooldown_and_then_counts_anew() {
        let config = RiskConfig { max_drawdown: Some(0.1), cooldown_bars: 2, ..RiskConfig::default() };
        let mut account = Account { position: 1.0, ..Account::default() };
        account.mark(100.0);
        account.mark(85.0);
        let (position, limits) = limit(&config, &mut account, wanted(1.0));
        assert_eq!((position, limits.last().unwrap().limit.as_str()), (0.0, "drawdown-stop"));
        for _ in 0..2 {
            account.mark(85.0);
            assert_eq!(limit(&config, &mut account, wanted(1.0)).0, 0.0);
        }
        assert_eq!(limit(&config, &mut account, wanted(1.0)).0, 0.5, "back, within the largest change");
    }

    #[test]
    fn no_confidence_no_position_and_twice_the_volatility_half_the_position() {
        let config = RiskConfig { target_volatility_bps: Some(100.0), max_change: 2.0, ..RiskConfig::default() };
        assert_eq!(limit(&config, &mut Account::default(), wanted(0.8)).0, 0.4);
        let unsure = Wanted { confidence: 0.01, ..wanted(0.8) };
        assert_eq!(limit(&config, &mut Account::default(), unsure).0, 0.0);
    }

    #[test]
    fn a_position_that_is_no_number_is_none() {
        assert_eq!(limit(&RiskConfig::default(), &mut Account::default(), wanted(f64::NAN)).0, 0.0);
    }
}
