//! The event engine against its slow twin on random markets, decisions and settings, and what an account must add up to.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

#[path = "common/twin.rs"]
mod twin;

use artifacts::rows::{Bar, Decision, OrderStatus};
use artifacts::{Seed, Timestamp};
use backtester::{Config, FillRule, simulate};
use proptest::prelude::*;
use rand::Rng;
use twin::Twin;

/// Bars of several instruments with gaps, of different starts and lengths, and decisions on some of them.
fn market(seed: u64, symbols: usize, rough: f64) -> (Vec<Bar>, Vec<Decision>) {
    let mut rng = Seed(seed).rng();
    let (mut bars, mut decisions) = (Vec::new(), Vec::new());
    for s in 0..symbols {
        let symbol = format!("S{s}");
        let mut last: f64 = rng.random_range(5.0..200.0);
        let length = [600, 1200][rng.random_range(0..2_usize)];
        let mut at = 1_700_000_000 + 600 * rng.random_range(0..4_i64);
        for _ in 0..rng.random_range(2..25) {
            let open = last * (1.0 + rough * rng.random_range(-0.5..0.5));
            last = open * (1.0 + rough * rng.random_range(-1.0..1.0));
            let event_at = Timestamp::from_seconds(at);
            let late = if rng.random_bool(0.1) { 300 } else { 0 };
            let available_at = event_at.plus_seconds(length + late);
            bars.push(Bar {
                symbol: symbol.clone(),
                event_at,
                available_at,
                open: Some(open),
                high: Some(open.max(last) * 1.01),
                low: Some(open.min(last) * 0.99),
                close: last,
                volume: Some(rng.random_range(0.0..300.0)),
            });
            if rng.random_bool(0.7) {
                let position = [-1.0, 0.0, 1.0, rng.random_range(-1.0..1.0)][rng.random_range(0..4_usize)];
                decisions.push(Decision {
                    symbol: symbol.clone(),
                    bar_at: event_at,
                    decided_at: available_at.plus_seconds([0, 1, 700][rng.random_range(0..3_usize)]),
                    position,
                    sentiment: None,
                    technical: None,
                    news_ids: Vec::new(),
                    confidence: None,
                    fact_ids: Vec::new(),
                    rationale: String::new(),
                });
            }
            at += length * if rng.random_bool(0.1) { 3 } else { 1 };
        }
    }
    (bars, decisions)
}

fn settings() -> impl Strategy<Value = Config> {
    let zero_or = |value: std::ops::Range<f64>| prop_oneof![Just(0.0), value];
    let costs = (zero_or(0.0..50.0), zero_or(0.0..20.0), zero_or(0.0..20.0), zero_or(0.0..20.0), zero_or(0.1..2.0));
    let limits = (
        prop_oneof![Just(None), (0.02..1.0).prop_map(Some)],
        any::<bool>(),
        prop_oneof![Just(0.0), Just(1.0), Just(0.25)],
        zero_or(1.0..500.0),
        0.2..=1.0,
        prop_oneof![Just(1.0), 0.3..2.0],
    );
    let time = (zero_or(0.0..2000.0), zero_or(-50.0..50.0), zero_or(0.0..5000.0), zero_or(0.0..0.3));
    let fill = prop_oneof![Just(FillRule::NextOpen), Just(FillRule::NextClose), Just(FillRule::NextTypical)];
    (costs, limits, time, fill).prop_map(|(costs, limits, time, fill_at)| Config {
        portfolio: true,
        commission_bps: costs.0,
        commission_min: costs.1,
        half_spread_bps: costs.2,
        slippage_bps: costs.3,
        impact: costs.4,
        impact_window: 5,
        volume_cap: limits.0,
        carry_unfilled: limits.1,
        lot_size: limits.2,
        min_order: limits.3,
        position_cap: limits.4,
        gross_cap: limits.5,
        latency_seconds: time.0,
        funding_bps_per_day: time.1,
        borrow_bps_per_year: time.2,
        rebalance_threshold: time.3,
        fill_at,
        ..Config::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn it_does_what_its_slow_twin_does_and_adds_up(
        seed in any::<u64>(), symbols in 1..5_usize, rough in prop_oneof![0.01..0.1, 0.5..0.9], config in settings(),
    ) {
        let (bars, decisions) = market(seed, symbols, rough);
        let fast = simulate(&bars, &decisions, &config).unwrap();
        let slow = Twin::run(&bars, &decisions, &config);

        let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
        prop_assert_eq!(fast.portfolio.len(), slow.equity.len());
        for (f, (at, s)) in fast.portfolio.iter().zip(&slow.equity) {
            prop_assert_eq!(f.at, *at);
            prop_assert!(near(f.equity, *s), "{}: {} against {}", at, f.equity, s);
        }
        prop_assert_eq!(fast.fills.len(), slow.fills.len());
        for (f, (symbol, _, units, price)) in fast.fills.iter().zip(&slow.fills) {
            prop_assert_eq!(&f.symbol, symbol);
            prop_assert!(near(f.units, *units) && near(f.price, *price), "{:?} {} {}", f, units, price);
        }

        // the profits of trades are the change of equity, their costs the costs of all moments
        let profit: f64 = fast.trades.iter().map(|t| t.profit).sum();
        prop_assert!(near(profit, fast.final_equity() - config.initial_capital), "{}", profit);
        let (by_trade, by_moment): (f64, f64) =
            (fast.trades.iter().map(|t| t.cost).sum(), fast.portfolio.iter().map(|p| p.cost).sum());
        prop_assert!(near(by_trade, by_moment), "{} {}", by_trade, by_moment);
        // every fill belongs to an order, and every order says what became of it
        let (wanted, traded): (f64, f64) =
            (fast.orders.iter().map(|o| o.filled).sum(), fast.fills.iter().map(|f| f.units).sum());
        prop_assert!(near(wanted, traded), "{} {}", wanted, traded);
        for order in &fast.orders {
            let whole = order.status == OrderStatus::Filled;
            prop_assert!(whole == (order.filled == order.wanted && order.filled != 0.0), "{:?}", order);
            prop_assert!(whole == order.reason.is_empty(), "{:?}", order);
            prop_assert!(order.filled.abs() <= order.wanted.abs() * (1.0 + 1e-12), "{:?}", order);
        }
        // limits hold at every fill
        if config.lot_size > 0.0 {
            prop_assert!(fast.fills.iter().all(|f| near(f.held, (f.held / config.lot_size).round() * config.lot_size)));
        }
        for (f, fill) in fast.fills.iter().enumerate() {
            let bar = bars.iter().find(|b| b.symbol == fill.symbol && b.event_at == fill.bar_at).unwrap();
            let forced = fast.ruined_at.is_some() && f + symbols >= fast.fills.len();
            if let Some(cap) = config.volume_cap.filter(|_| !forced) {
                prop_assert!(fill.units.abs() <= cap * bar.volume.unwrap() * (1.0 + 1e-12));
            }
            // nothing fills before its decision could have reached the market
            prop_assert!(forced || fill.decided_at <= bar.event_at);
        }
    }

    #[test]
    fn no_bar_that_begins_later_and_no_decision_on_it_changes_what_was_done_before(
        seed in any::<u64>(), symbols in 1..5_usize, at in 0.0..1.0, poison: bool, config in settings(),
    ) {
        let (bars, decisions) = market(seed, symbols, 0.1);
        let mut times: Vec<Timestamp> = bars.iter().map(|b| b.event_at).collect();
        times.sort();
        let cut = times[(at * times.len() as f64) as usize];
        let (mut other, mut theirs) = (bars.clone(), decisions.clone());
        if poison {
            for bar in other.iter_mut().filter(|b| b.event_at >= cut) {
                (bar.open, bar.high, bar.low) = (bar.open.map(|o| o * 3.0), None, None);
                (bar.close, bar.volume) = (bar.close / 7.0, bar.volume.map(|v| v + 50.0));
            }
            for decision in theirs.iter_mut().filter(|d| d.bar_at >= cut) {
                decision.position = -decision.position;
            }
        } else {
            other.retain(|b| b.event_at < cut);
            theirs.retain(|d| d.bar_at < cut);
            // an account has a place for each instrument that has a bar
            if other.iter().map(|b| &b.symbol).collect::<std::collections::BTreeSet<_>>().len() != symbols {
                return Ok(());
            }
        }
        let config = Config { fill_at: FillRule::NextOpen, ..config };
        let (one, two) = (simulate(&bars, &decisions, &config).unwrap(), simulate(&other, &theirs, &config).unwrap());
        let fills = |s: &backtester::Simulation| s.fills.iter().filter(|f| f.bar_at < cut).cloned().collect::<Vec<_>>();
        let equity = |s: &backtester::Simulation| {
            s.portfolio.iter().filter(|p| p.at < cut).map(|p| (p.at, p.equity)).collect::<Vec<_>>()
        };
        prop_assert_eq!(equity(&one), equity(&two));
        // a liquidation at a later moment is booked on the bar that was running then
        let forced = |s: &backtester::Simulation| s.ruined_at.is_some();
        if !forced(&one) && !forced(&two) {
            prop_assert_eq!(fills(&one), fills(&two));
        }
    }

    #[test]
    fn one_instrument_is_the_same_alone_and_as_a_portfolio(seed in any::<u64>(), rough in 0.01..0.3, config in settings()) {
        let (mut bars, decisions) = market(seed, 1, rough);
        // where a close is published after the next bar began, a portfolio values the bar when it ended
        for i in 1..bars.len() {
            bars[i - 1].available_at = bars[i - 1].available_at.min(bars[i].event_at);
        }
        let many = simulate(&bars, &decisions, &config).unwrap();
        let one = simulate(&bars, &decisions, &Config { portfolio: false, ..config }).unwrap();
        prop_assert_eq!(&many.fills, &one.fills);
        prop_assert_eq!(&many.orders, &one.orders);
        prop_assert_eq!(&many.trades, &one.trades);
        let equity = |s: &backtester::Simulation| s.points.iter().map(|p| p.equity).collect::<Vec<_>>();
        prop_assert_eq!(equity(&many), equity(&one));
    }

    #[test]
    fn the_order_of_instruments_names_does_not_move_money_of_one(seed in any::<u64>()) {
        // instruments that cannot compete for capital do not see each other
        let (bars, decisions) = market(seed, 3, 0.05);
        let decisions: Vec<Decision> = decisions.into_iter().map(|d| Decision { position: d.position / 3.0, ..d }).collect();
        let config = Config { portfolio: true, rebalance_threshold: 0.0, commission_bps: 0.0, slippage_bps: 0.0, gross_cap: 10.0, ..Config::default() };
        let renamed = |s: &str| ["B", "C", "A"][s[1..].parse::<usize>().unwrap()].to_owned();
        let mut other: Vec<Bar> = bars.iter().map(|b| Bar { symbol: renamed(&b.symbol), ..b.clone() }).collect();
        other.sort_by(|a, b| (&a.symbol, a.event_at).cmp(&(&b.symbol, b.event_at)));
        let mut theirs: Vec<Decision> =
            decisions.iter().map(|d| Decision { symbol: renamed(&d.symbol), ..d.clone() }).collect();
        theirs.sort_by(|a, b| (&a.symbol, a.bar_at).cmp(&(&b.symbol, b.bar_at)));
        let (one, two) = (simulate(&bars, &decisions, &config).unwrap(), simulate(&other, &theirs, &config).unwrap());
        for (a, b) in one.portfolio.iter().zip(&two.portfolio) {
            prop_assert!((a.equity - b.equity).abs() <= 1e-9 * a.equity.abs());
        }
    }
}
