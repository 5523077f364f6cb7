use crate::Config;

/// No order moves the price by more than this share, whatever its size: the square-root law was never seen beyond it.
const MOST_IMPACT: f64 = 0.5;

/// What a fill costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs {
    /// Share of the traded value.
    commission: f64,
    /// Least commission of an order, in currency.
    least_commission: f64,
    /// Half the spread and slippage: share of the price.
    slippage: f64,
    /// Factor of the square-root law.
    impact: f64,
}

/// How much an order moves the price: volatility of a bar, and volume of the bar it is filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Liquidity {
    pub(crate) sigma: f64,
    pub(crate) volume: f64,
}

/// One change of units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Execution {
    /// Bought (sold: negative).
    pub(crate) units: f64,
    /// Paid or received for one, slippage included.
    pub(crate) price: f64,
    /// In currency.
    pub(crate) commission: f64,
    /// Spread, slippage and impact, in currency.
    pub(crate) slippage: f64,
}

impl Costs {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            commission: config.commission_bps / 1e4,
            least_commission: config.commission_min,
            slippage: config.half_spread_bps / 1e4 + config.slippage_bps / 1e4,
            impact: config.impact,
        }
    }

    pub(crate) fn has_impact(&self) -> bool {
        self.impact > 0.0
    }

    /// Whether a cost is a fixed share of the traded value.
    fn is_linear(&self) -> bool {
        self.impact == 0.0 && self.least_commission == 0.0
    }

    /// How much worse than quoted, as a share of the price: the fixed part, and k·σ·√(units / volume), the square-root law
    /// of market impact (Almgren, Thum, Hauptmann and Li, Risk 18, 2005; Tóth et al., Physical Review X 1, 2011), σ and
    /// volume of one bar.
    fn concession(&self, units: f64, liquidity: Option<Liquidity>) -> f64 {
        let impact = match liquidity {
            Some(l) if self.impact > 0.0 && units != 0.0 => {
                let moved = self.impact * l.sigma * (units.abs() / l.volume).sqrt();
                if moved.is_nan() { 0.0 } else { moved.min(MOST_IMPACT) }
            }
            _ => 0.0,
        };
        self.slippage + impact
    }

    pub(crate) fn execute(&self, units: f64, quoted: f64, liquidity: Option<Liquidity>) -> Execution {
        let worse = self.concession(units, liquidity);
        let price = quoted * (1.0 + units.signum() * worse);
        let commission = (units.abs() * price * self.commission).max(self.least_commission);
        Execution { units, price, commission, slippage: units.abs() * quoted * worse }
    }

    /// Units to trade so that *after costs* the holding is worth `target` of the equity. With E the equity before, V the
    /// value held, P the price and k the cost of trading one unit as a share of P, buying Δ units leaves
    /// V + ΔP = target·(E − ΔPk), so Δ = (target·E − V) / (P(1 + target·k)); selling likewise with 1 − target·k.
    /// Costs that are no fixed share are met by bisection.
    pub(crate) fn units_to_reach(
        &self,
        target: f64,
        equity: f64,
        held: f64,
        price: f64,
        liquidity: Option<Liquidity>,
    ) -> f64 {
        let gap = target * equity - held * price;
        let sign = gap.signum();
        if self.is_linear() {
            let cost = self.slippage + self.commission * (1.0 + sign * self.slippage);
            return gap / (price * (1.0 + sign * target * cost));
        }
        // how far v units leave the holding beyond its target; rises with v
        let beyond = |v: f64| {
            let done = self.execute(sign * v, price, liquidity);
            sign * ((held + sign * v) * price - target * (equity - done.commission - done.slippage))
        };
        let mut high = gap.abs() / price;
        for _ in 0..64 {
            if beyond(high) >= 0.0 {
                break;
            }
            high *= 2.0;
        }
        let mut low = 0.0;
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if beyond(middle) < 0.0 { low = middle } else { high = middle }
        }
        sign * low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(commission_bps: f64, slippage_bps: f64) -> Config {
        Config { commission_bps, slippage_bps, ..Config::default() }
    }

    #[test]
    fn the_position_is_exact_after_costs_long_and_short_whatever_the_costs() {
        let plain = of(10.0, 2.0);
        let least = Config { commission_min: 3.0, ..of(10.0, 2.0) };
        let impact = Config { impact: 0.8, half_spread_bps: 3.0, ..least.clone() };
        let liquidity = Some(Liquidity { sigma: 0.02, volume: 400.0 });
        for config in [plain, least, impact] {
            let costs = Costs::new(&config);
            for (target, held) in [(1.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (-1.0, 0.0), (-1.0, 19.0), (1.0, -15.0)] {
                let (cash, price) = (1000.0 - held * 50.0, 50.0);
                let units = costs.units_to_reach(target, 1000.0, held, price, liquidity);
                let done = costs.execute(units, price, liquidity);
                let equity = cash - units * done.price - done.commission + (held + units) * price;
                let position = (held + units) * price / equity;
                assert!((position - target).abs() < 1e-9, "{target} from {held}: {position}");
            }
        }
    }

    #[test]
    fn impact_grows_with_the_square_root_of_the_order() {
        let costs = Costs::new(&Config { impact: 1.0, ..of(0.0, 0.0) });
        let liquidity = Some(Liquidity { sigma: 0.01, volume: 10_000.0 });
        let worse = |units: f64| costs.execute(units, 100.0, liquidity).price / 100.0 - 1.0;
        assert!((worse(100.0) - 0.001).abs() < 1e-12 && (worse(400.0) - 0.002).abs() < 1e-12);
        assert!((worse(-400.0) + 0.002).abs() < 1e-12);
        assert!((costs.execute(1e12, 100.0, liquidity).price - 150.0).abs() < 1e-9);
    }

    #[test]
    fn a_gap_that_the_least_commission_eats_is_not_traded() {
        let costs = Costs::new(&Config { commission_min: 5.0, ..of(10.0, 0.0) });
        assert!(costs.units_to_reach(1.0, 1000.0, 99.8, 10.0, None).abs() < 1e-12);
    }
}
