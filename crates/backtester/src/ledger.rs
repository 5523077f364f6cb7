/// An account of cash and units of one instrument. Short positions are negative units; no interest is paid on cash and
/// none asked for what is borrowed.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    cash: f64,
    units: f64,
    /// Share of the traded value.
    commission: f64,
    /// Share of the price.
    slippage: f64,
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
    /// In currency.
    pub(crate) slippage: f64,
    /// Units held afterwards.
    pub(crate) held: f64,
}

impl Ledger {
    pub(crate) fn new(cash: f64, commission_bps: f64, slippage_bps: f64) -> Self {
        Self { cash, units: 0.0, commission: commission_bps / 1e4, slippage: slippage_bps / 1e4 }
    }

    /// Cash and units at a price.
    pub(crate) fn equity(&self, price: f64) -> f64 {
        self.cash + self.units * price
    }

    /// Value of the units as a share of equity; 0 for an account without any.
    pub(crate) fn position(&self, price: f64) -> f64 {
        let equity = self.equity(price);
        if equity > 0.0 { self.units * price / equity } else { 0.0 }
    }

    /// Trades so that *after costs* the units are worth `target` of the equity: with E the equity before, V the value
    /// held, P the price and k the cost of trading one unit as a share of P, buying Δ units leaves
    /// V + ΔP = target·(E − ΔPk), so Δ = (target·E − V) / (P(1 + target·k)); selling likewise with 1 − target·k.
    /// Nothing below `threshold` is traded, except to go flat.
    pub(crate) fn rebalance(&mut self, target: f64, price: f64, threshold: f64) -> Option<Execution> {
        if target == 0.0 {
            return self.close(price);
        }
        if (target - self.position(price)).abs() < threshold {
            return None;
        }
        let gap = target * self.equity(price) - self.units * price;
        let sign = gap.signum();
        let cost = self.slippage + self.commission * (1.0 + sign * self.slippage);
        let units = gap / (price * (1.0 + sign * target * cost));
        (units != 0.0).then(|| self.execute(units, price))
    }

    /// Trades all units away.
    pub(crate) fn close(&mut self, price: f64) -> Option<Execution> {
        (self.units != 0.0).then(|| {
            let mut execution = self.execute(-self.units, price);
            // u - u is 0 already; this keeps it so should the arithmetic above change
            self.units = 0.0;
            execution.held = 0.0;
            execution
        })
    }

    fn execute(&mut self, units: f64, quoted: f64) -> Execution {
        let price = quoted * (1.0 + units.signum() * self.slippage);
        let commission = units.abs() * price * self.commission;
        self.cash -= units * price + commission;
        self.units += units;
        Execution { units, price, commission, slippage: units.abs() * quoted * self.slippage, held: self.units }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close_to(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_position_is_exact_after_costs_long_and_short() {
        for target in [1.0, 0.5, -0.5, -1.0] {
            let mut account = Ledger::new(1000.0, 10.0, 2.0);
            account.rebalance(target, 50.0, 0.0).unwrap();
            assert!(close_to(account.position(50.0), target), "{target}: {}", account.position(50.0));
            account.rebalance(-target, 40.0, 0.0).unwrap();
            assert!(close_to(account.position(40.0), -target), "{target}: {}", account.position(40.0));
        }
    }

    #[test]
    fn costs_are_those_worked_out_by_hand() {
        // 1 % commission, no slippage, all in at 10: 1000 = units * 10 * 1.01
        let mut account = Ledger::new(1000.0, 100.0, 0.0);
        let bought = account.rebalance(1.0, 10.0, 0.05).unwrap();
        assert!(close_to(bought.units, 1000.0 / 10.1) && close_to(bought.commission, bought.units * 0.1));
        assert!(close_to(account.equity(10.0), 1000.0 - bought.commission));
        // flat at 20: sells for 20 each, minus 1 %
        let sold = account.rebalance(0.0, 20.0, 0.05).unwrap();
        assert!(sold.held == 0.0 && close_to(account.equity(123.0), bought.units * 19.8));
    }

    #[test]
    fn small_changes_are_not_traded_but_going_flat_is() {
        let mut account = Ledger::new(1000.0, 0.0, 0.0);
        assert_eq!(account.rebalance(0.04, 10.0, 0.05), None);
        account.rebalance(0.05, 10.0, 0.05).unwrap();
        assert_eq!(account.rebalance(0.09, 10.0, 0.05), None);
        assert!(account.rebalance(0.0, 10.0, 0.05).is_some());
        assert_eq!(account.rebalance(0.0, 10.0, 0.05), None);
    }
}
