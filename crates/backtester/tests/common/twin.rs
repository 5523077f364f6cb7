//! The event engine once more, as slowly and obviously as it can be written: maps by name, every sum from the beginning,
//! sizes by bisection, and no state but the list of what was booked.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

use artifacts::Timestamp;
use artifacts::rows::{Bar, Decision};
use backtester::{Config, FillRule};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One change of units: symbol, units, money that left the account.
type Booking = (String, f64, f64);

pub struct Twin<'a> {
    config: &'a Config,
    bars: BTreeMap<String, Vec<&'a Bar>>,
    decisions: &'a [Decision],
    book: Vec<Booking>,
    marks: HashMap<String, f64>,
    targets: HashMap<String, f64>,
    /// What is left of an order: its bar, units wanted in all (none: not yet known), units filled.
    working: HashMap<String, (f64, Option<f64>, f64)>,
    ruined: bool,
    pub equity: Vec<(Timestamp, f64)>,
    pub fills: Vec<(String, Timestamp, f64, f64)>,
}

impl<'a> Twin<'a> {
    pub fn run(bars: &'a [Bar], decisions: &'a [Decision], config: &'a Config) -> Self {
        let mut by_name: BTreeMap<String, Vec<&Bar>> = BTreeMap::new();
        for bar in bars {
            by_name.entry(bar.symbol.clone()).or_default().push(bar);
        }
        let mut twin = Self {
            config,
            bars: by_name,
            decisions,
            book: Vec::new(),
            marks: HashMap::new(),
            targets: HashMap::new(),
            working: HashMap::new(),
            ruined: false,
            equity: Vec::new(),
            fills: Vec::new(),
        };
        let mut times: BTreeSet<Timestamp> = bars.iter().map(|b| b.event_at).collect();
        for (name, own) in &twin.bars {
            times.extend((0..own.len()).map(|i| twin.end_of(name, i)));
        }
        for t in times {
            twin.ends(t);
            twin.begins(t);
        }
        twin
    }

    fn end_of(&self, name: &str, i: usize) -> Timestamp {
        let own = &self.bars[name];
        let next = own.get(i + 1).map_or(Timestamp::from_seconds(i64::from(u32::MAX)), |b| b.event_at);
        own[i].available_at.min(next)
    }

    fn units(&self, name: &str) -> f64 {
        let sum: f64 = self.book.iter().filter(|(s, _, _)| s == name).map(|(_, u, _)| u).sum();
        // sums from the beginning leave dust where everything was sold
        if sum.abs() < 1e-9 { 0.0 } else { sum }
    }

    fn equity_now(&self) -> f64 {
        let cash = self.config.initial_capital - self.book.iter().map(|(_, _, paid)| paid).sum::<f64>();
        cash + self.bars.keys().map(|s| self.units(s) * self.marks.get(s).unwrap_or(&0.0)).sum::<f64>()
    }

    fn at_open(&self) -> bool {
        self.config.fill_at == FillRule::NextOpen
    }

    fn price(&self, bar: &Bar) -> Option<f64> {
        match self.config.fill_at {
            FillRule::NextOpen => bar.open,
            FillRule::NextTypical => Some((bar.high? + bar.low? + bar.close) / 3.0),
            _ => Some(bar.close),
        }
    }

    /// The newest decision whose first possible bar is this one.
    fn due(&self, name: &str, i: usize) -> Option<&'a Decision> {
        let own = &self.bars[name];
        let latency = self.config.latency_seconds;
        let fills_in = |d: &Decision| {
            let made = own.iter().position(|b| b.event_at == d.bar_at)?;
            let ready = d.decided_at.max(own[made].available_at);
            (made + 1..own.len()).find(|&j| own[j].event_at.seconds_since(ready) >= latency)
        };
        let mine = self.decisions.iter().filter(|d| d.symbol == name && fills_in(d) == Some(i));
        mine.max_by_key(|d| (d.decided_at, d.bar_at))
    }

    fn begins(&mut self, t: Timestamp) {
        let mut now: Vec<(String, usize)> = Vec::new();
        for (name, own) in &self.bars {
            now.extend(own.iter().position(|b| b.event_at == t).map(|i| (name.clone(), i)));
        }
        for (name, i) in &now {
            if let Some(due) = self.due(name, *i) {
                self.working.insert(name.clone(), (due.position, None, 0.0));
            }
        }
        if self.at_open() {
            for (name, i) in &now {
                if let Some(open) = self.bars[name][*i].open {
                    self.marks.insert(name.clone(), open);
                }
            }
            self.trade(&now);
        }
    }

    fn ends(&mut self, t: Timestamp) {
        let mut now: Vec<(String, usize)> = Vec::new();
        for (name, own) in &self.bars {
            now.extend((0..own.len()).filter(|i| self.end_of(name, *i) == t).map(|i| (name.clone(), i)));
        }
        if now.is_empty() {
            return;
        }
        if !self.at_open() && now.iter().any(|(s, _)| self.working.contains_key(s)) {
            for (name, i) in &now {
                if let Some(price) = self.price(self.bars[name][*i]) {
                    self.marks.insert(name.clone(), price);
                }
            }
            self.trade(&now);
        }
        for (name, i) in &now {
            let own = &self.bars[name];
            self.marks.insert(name.clone(), own[*i].close);
            let since = if *i == 0 { own[0].event_at } else { own[*i - 1].available_at };
            let days = own[*i].available_at.seconds_since(since).max(0.0) / 86_400.0;
            let value = self.units(name) * own[*i].close;
            let funding = value * self.config.funding_bps_per_day / 1e4 * days;
            let borrow = (-value).max(0.0) * self.config.borrow_bps_per_year / 1e4 * days / 365.0;
            self.book.push((name.clone(), 0.0, funding + borrow));
        }
        if !self.ruined && self.equity_now() <= 0.0 {
            self.ruin(t);
        }
        self.equity.push((t, self.equity_now()));
    }

    fn ruin(&mut self, t: Timestamp) {
        self.ruined = true;
        for name in self.bars.keys().cloned().collect::<Vec<_>>() {
            let units = self.units(&name);
            if units != 0.0 {
                self.execute(&name, t, -units, 0.0);
            }
        }
    }

    /// Money that leaves the account for these units, and the price of one.
    fn spend(&self, name: &str, units: f64, impact: f64) -> (f64, f64) {
        let c = self.config;
        let worse = (c.half_spread_bps + c.slippage_bps) / 1e4 + (impact * units.abs().sqrt()).min(0.5);
        let price = self.marks[name] * (1.0 + units.signum() * worse);
        (units * price + (units.abs() * price * c.commission_bps / 1e4).max(c.commission_min), price)
    }

    fn execute(&mut self, name: &str, t: Timestamp, units: f64, impact: f64) {
        let (paid, price) = self.spend(name, units, impact);
        self.book.push((name.to_owned(), units, paid));
        self.fills.push((name.to_owned(), t, units, price));
    }

    fn floor(&self, units: f64) -> f64 {
        let lot = self.config.lot_size;
        if lot > 0.0 { (units.abs() / lot).floor() * lot * units.signum() } else { units }
    }

    fn trade(&mut self, now: &[(String, usize)]) {
        let cap = self.config.position_cap;
        for (name, _) in now {
            if let Some((target, _, _)) = self.working.get(name) {
                self.targets.insert(name.clone(), target.clamp(-cap, cap));
            }
        }
        let all: f64 = self.bars.keys().map(|s| self.targets.get(s).map_or(0.0, |t| t.abs())).sum();
        let several = self.bars.len() > 1;
        let scale = if several && all > self.config.gross_cap { self.config.gross_cap / all } else { 1.0 };
        let equity = self.equity_now();
        let reduces = |s: &str| {
            let position = if equity > 0.0 { self.units(s) * self.marks[s] / equity } else { 0.0 };
            self.targets[s].abs() < position.abs()
        };
        let due: Vec<(String, usize)> = now.iter().filter(|(s, _)| self.working.contains_key(s)).cloned().collect();
        let (first, then): (Vec<_>, Vec<_>) = due.into_iter().partition(|(s, _)| reduces(s));
        for (name, i) in first.into_iter().chain(then) {
            self.fill(&name, i, self.targets[&name] * scale);
        }
    }

    fn fill(&mut self, name: &str, i: usize, target: f64) {
        let c = self.config;
        let bar = self.bars[name][i];
        let Some((wish, wanted, filled)) = self.working.remove(name) else { return };
        if self.ruined || self.equity_now() <= 0.0 {
            if !self.ruined {
                self.ruin(bar.event_at);
            }
            return;
        }
        let Some(price) = self.price(bar) else {
            if c.carry_unfilled {
                self.working.insert(name.to_owned(), (wish, wanted, filled));
            }
            return;
        };
        let held = self.units(name);
        let impact = if c.impact > 0.0 { self.impact(name, i) } else { 0.0 };
        let wanted = match wanted {
            Some(wanted) => wanted,
            None if target == 0.0 => -held,
            None => {
                let equity = self.equity_now();
                if (target - held * price / equity).abs() < c.rebalance_threshold {
                    return;
                }
                let more = target * equity > held * price;
                // how far the holding is from what the target says it should be after paying for the trade
                let miss = |units: f64| {
                    let (paid, _) = self.spend(name, units, impact);
                    (held + units) * price - target * (equity - (paid - units * price))
                };
                let reach = 100.0 * (equity / price + held.abs() + 1.0);
                let (mut low, mut high) = if more { (0.0, reach) } else { (-reach, 0.0) };
                for _ in 0..400 {
                    let middle = f64::midpoint(low, high);
                    if miss(middle) < 0.0 { low = middle } else { high = middle }
                }
                let units = if more { low } else { high };
                if c.lot_size > 0.0 { self.floor(held + units) - held } else { units }
            }
        };
        let asked = wanted - filled;
        let goes_flat = (held + asked).abs() < 1e-12;
        if asked.abs() < 1e-9 || (!goes_flat && asked.abs() * price < c.min_order) {
            return;
        }
        let mut units = asked;
        if self.bars.len() > 1 {
            let others: f64 = self
                .bars
                .keys()
                .filter(|s| *s != name)
                .map(|s| (self.units(s) * self.marks.get(s).unwrap_or(&0.0)).abs())
                .sum();
            let room = ((c.gross_cap * self.equity_now() - others) / price).max(0.0);
            let after = held + asked;
            let most = if held * after > 0.0 { room.max(held.abs()) } else { room };
            if after.abs() > most * (1.0 + 1e-12) {
                units = self.floor(most * after.signum()) - held;
                if units.abs() < 1e-9 * asked.abs() {
                    units = 0.0;
                }
            }
        }
        let allowed = units;
        if let Some(cap) = c.volume_cap {
            let most = self.floor(cap * bar.volume.unwrap());
            if units.abs() > most {
                units = most * units.signum();
            }
        }
        if units != 0.0 {
            self.execute(name, bar.event_at, units, impact);
        }
        if units != asked && allowed == asked && c.carry_unfilled {
            self.working.insert(name.to_owned(), (wish, Some(wanted), filled + units));
        }
    }

    /// k·σ / √volume.
    fn impact(&self, name: &str, i: usize) -> f64 {
        let closes: Vec<f64> = self.bars[name][..i].iter().map(|b| b.close).collect();
        let returns: Vec<f64> = closes.windows(2).map(|w| w[1] / w[0] - 1.0).collect();
        let last = &returns[returns.len().saturating_sub(self.config.impact_window)..];
        if last.len() < 2 {
            return 0.0;
        }
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        let variance = last.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (last.len() - 1) as f64;
        self.config.impact * variance.sqrt() / self.bars[name][i].volume.unwrap().sqrt()
    }
}
