//! The honest mode: cases worked out by hand, a slow and obvious twin, and what must hold of any run.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

mod common;

use artifacts::rows::{Bar, Decision};
use backtester::{Config, Error, FillAt, measure, periods_per_year, simulate, trades};
use common::{at, bars, closes_only, decisions};
use proptest::prelude::*;

fn free() -> Config {
    Config { commission_bps: 0.0, slippage_bps: 0.0, ..Config::default() }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

#[test]
fn a_decision_fills_at_the_next_open_and_pays_for_it() {
    let b = bars(&[(100.0, 101.0), (102.0, 104.0), (104.0, 103.0), (110.0, 111.0)]);
    let config = Config { commission_bps: 100.0, slippage_bps: 0.0, ..Config::default() };
    let s = simulate(&b, &decisions(&b, &[1.0, 1.0, 0.0, 0.0], 0), &config).unwrap();
    assert_eq!(s.fill_at, FillAt::NextOpen);
    // buys at 102 with 1 % commission, sells at 110
    let units = 10_000.0 / (102.0 * 1.01);
    let equity: Vec<f64> = s.points.iter().map(|p| p.equity).collect();
    let expected = [10_000.0, units * 104.0, units * 103.0, units * 110.0 * 0.99];
    assert!(equity.iter().zip(expected).all(|(a, b)| near(*a, b)), "{equity:?} {expected:?}");
    assert_eq!(s.fills.iter().map(|f| f.bar_at).collect::<Vec<_>>(), [at(1), at(3)]);
    assert_eq!(s.unfilled, 1);
    let market: Vec<f64> = s.points.iter().map(|p| p.market_equity).collect();
    assert!(near(market[0], 10_000.0) && near(market[3], 10_000.0 * 111.0 / 102.0));
    let done = trades(&s);
    assert_eq!(done.len(), 1);
    assert!(near(done[0].profit, expected[3] - 10_000.0) && done[0].closed_at == Some(at(3)));
}

#[test]
fn without_opens_it_fills_at_the_next_close_and_says_so() {
    let b = closes_only(bars(&[(1.0, 100.0), (1.0, 110.0), (1.0, 121.0)]));
    let s = simulate(&b, &decisions(&b, &[1.0, 1.0, 1.0], 0), &free()).unwrap();
    assert_eq!(s.fill_at, FillAt::NextClose);
    assert_eq!(s.points.iter().map(|p| p.equity).collect::<Vec<_>>()[..2], [10_000.0, 10_000.0]);
    assert!(near(s.points[2].equity, 11_000.0));
}

#[test]
fn a_late_decision_waits_for_the_first_bar_that_begins_after_it() {
    let b = bars(&[(100.0, 100.0), (100.0, 100.0), (100.0, 100.0), (100.0, 200.0), (200.0, 200.0)]);
    // 1 second late: the next bar has begun, so it fills one bar later
    for (delay, bar) in [(0, 1), (1, 2), (600, 2), (601, 3)] {
        let s = simulate(&b, &decisions(&b[..1], &[1.0], delay), &free()).unwrap();
        assert_eq!(s.fills[0].bar_at, at(bar), "{delay} s late");
    }
}

#[test]
fn a_decision_stamped_before_its_bar_was_known_still_waits_for_it() {
    let mut b = bars(&[(100.0, 100.0), (100.0, 100.0), (100.0, 100.0), (100.0, 100.0)]);
    // the close of the first bar is published 15 minutes after its beginning
    b[0].available_at = at(1).plus_seconds(300);
    let mut d = decisions(&b[..1], &[1.0], 0);
    d[0].decided_at = b[0].event_at;
    assert_eq!(simulate(&b, &d, &free()).unwrap().fills[0].bar_at, at(2));
}

#[test]
fn a_newer_decision_replaces_one_that_has_not_filled() {
    let mut b = bars(&[(100.0, 100.0); 4]);
    b.remove(1);
    let mut d = decisions(&b, &[1.0, -1.0, 0.0], 0);
    d[0].decided_at = d[1].decided_at;
    let s = simulate(&b, &d, &free()).unwrap();
    assert_eq!((s.superseded, s.unfilled, s.fills.len()), (1, 1, 1));
    assert!(s.fills[0].units < 0.0);
}

#[test]
fn only_the_loud_setting_fills_in_the_same_bar() {
    let b = bars(&[(100.0, 100.0), (110.0, 110.0), (121.0, 121.0)]);
    let d = decisions(&b, &[1.0, 1.0, 1.0], 0);
    let config = Config { allow_lookahead_same_bar_fill: true, ..free() };
    let s = simulate(&b, &d, &config).unwrap();
    assert_eq!(s.fill_at, FillAt::SameClose);
    assert!(near(s.final_equity(), 12_100.0));
    assert!(near(simulate(&b, &d, &free()).unwrap().final_equity(), 11_000.0));
}

#[test]
fn a_loss_from_the_first_fill_on_is_a_drawdown() {
    let b = bars(&[(100.0, 100.0), (100.0, 50.0), (50.0, 50.0)]);
    let s = simulate(&b, &decisions(&b, &[1.0, 1.0, 1.0], 0), &free()).unwrap();
    let figures = measure(&s, periods_per_year(&b, &free()).unwrap());
    let get = |name| figures.iter().find(|(n, _)| *n == name).unwrap().1;
    assert_eq!(get("max_drawdown"), Some(-0.5));
    assert_eq!(get("win_rate_bars"), Some(0.0));
    assert_eq!((get("trades"), get("open_trades"), get("win_rate_trades")), (Some(0.0), Some(1.0), None));
}

#[test]
fn a_turn_from_long_to_short_closes_one_trade_and_opens_another() {
    let b = bars(&[(100.0, 100.0), (100.0, 110.0), (110.0, 100.0), (100.0, 90.0), (90.0, 90.0)]);
    let config = Config { commission_bps: 50.0, slippage_bps: 10.0, ..Config::default() };
    let s = simulate(&b, &decisions(&b, &[1.0, -1.0, 0.0, 0.0, 0.0], 0), &config).unwrap();
    let done = trades(&s);
    assert_eq!(done.iter().map(|t| t.units.signum()).collect::<Vec<_>>(), [1.0, -1.0]);
    assert!(done.iter().all(|t| t.profit > 0.0));
    assert!(near(done.iter().map(|t| t.profit).sum::<f64>(), s.final_equity() - 10_000.0));
}

#[test]
fn a_short_that_loses_everything_is_closed_and_trades_no_more() {
    let b = bars(&[(100.0, 100.0), (100.0, 100.0), (250.0, 250.0), (100.0, 100.0), (100.0, 100.0)]);
    let s = simulate(&b, &decisions(&b, &[-1.0, -1.0, 1.0, 1.0, 1.0], 0), &free()).unwrap();
    assert_eq!(s.ruined_at, Some(at(2)));
    assert!(near(s.final_equity(), -5000.0), "a debt stays a debt: {}", s.final_equity());
    assert_eq!((s.refused, s.fills.last().unwrap().held), (3, 0.0));
    let figures = measure(&s, periods_per_year(&b, &free()).unwrap());
    assert!(figures.iter().all(|(_, v)| v.is_none_or(f64::is_finite)));
}

#[test]
fn liquidation_at_the_end_costs_what_a_sale_costs() {
    let b = bars(&[(100.0, 100.0), (100.0, 100.0), (100.0, 100.0)]);
    let config = Config { commission_bps: 10.0, slippage_bps: 0.0, liquidate_at_end: true, ..Config::default() };
    let s = simulate(&b, &decisions(&b, &[1.0; 3], 0), &config).unwrap();
    assert!(near(s.final_equity(), 10_000.0 / 1.001 * 0.999));
    assert_eq!(s.fills.last().unwrap().held, 0.0);
}

#[test]
fn the_year_is_counted_in_bars() {
    let b = bars(&[(1.0, 1.0); 5]);
    assert_eq!(periods_per_year(&b, &free()).unwrap().get(), 52_560.0);
    let config = Config { periods_per_year: Some(252.0), ..free() };
    assert_eq!(periods_per_year(&b, &config).unwrap().get(), 252.0);
    assert!(matches!(periods_per_year(&b[..1], &free()), Err(Error::TooFewBars { bars: 1, .. })));
}

#[test]
fn settings_and_positions_out_of_range_are_named() {
    let b = bars(&[(1.0, 1.0); 3]);
    let config = Config { commission_bps: f64::NAN, ..free() };
    let message = simulate(&b, &[], &config).unwrap_err().to_string();
    assert_eq!(message, "setting commission_bps is NaN; give a number from 0 to 1000 (10 %)");
    let d = decisions(&b, &[0.0, f64::NAN, 0.0], 0);
    assert_eq!(
        simulate(&b, &d, &free()).unwrap_err().to_string(),
        "row 1: the position is NaN; positions lie in [-1, 1]"
    );
    let mut d = decisions(&b, &[0.0; 3], 0);
    d[2].symbol = "ETH".into();
    assert!(matches!(simulate(&b, &d, &free()), Err(Error::WrongSymbol { row: 2, .. })));
}

/// The same account, as slowly and obviously as it can be computed: no schedule, no running cash, no closed formula.
fn slow_twin(bars: &[Bar], decisions: &[Decision], config: &Config) -> Vec<f64> {
    let opens = bars.iter().all(|b| b.open.is_some());
    let fills_in = |d: &Decision| {
        let made_on = bars.iter().position(|b| b.event_at == d.bar_at).unwrap();
        (made_on + 1..bars.len())
            .find(|&j| bars[j].event_at >= d.decided_at && bars[j].event_at >= bars[made_on].available_at)
    };
    let (commission, slippage) = (config.commission_bps / 1e4, config.slippage_bps / 1e4);
    // every fill so far: units and cash that left the account
    let mut book: Vec<(f64, f64)> = Vec::new();
    let mut ruined = false;
    let mut curve = Vec::new();
    for (t, bar) in bars.iter().enumerate() {
        let state = |book: &[(f64, f64)]| {
            let (units, spent) = book.iter().fold((0.0, 0.0), |(u, c), (du, dc)| (u + du, c + dc));
            (units, config.initial_capital - spent)
        };
        let spend = |units: f64, price: f64| {
            let paid = price * (1.0 + units.signum() * slippage);
            units * paid + units.abs() * paid * commission
        };
        let due = decisions.iter().filter(|d| fills_in(d) == Some(t)).max_by_key(|d| (d.decided_at, d.bar_at));
        if let Some(decision) = due.filter(|_| !ruined) {
            let price = if opens { bar.open.unwrap() } else { bar.close };
            let (units, cash) = state(&book);
            let equity = cash + units * price;
            let target = decision.position.clamp(-config.position_cap, config.position_cap);
            if equity <= 0.0 {
                ruined = true;
                book.push((-units, spend(-units, price)));
            } else if target == 0.0 {
                book.push((-units, spend(-units, price)));
            } else if (target - units * price / equity).abs() >= config.rebalance_threshold {
                // the traded units at which the position after costs is the target, by bisection
                let miss = |traded: f64| {
                    (units + traded) * price - target * (cash - spend(traded, price) + (units + traded) * price)
                };
                let most = 10.0 * (equity / price + units.abs());
                let (mut low, mut high) = (-most, most);
                for _ in 0..300 {
                    let middle = f64::midpoint(low, high);
                    if miss(middle) < 0.0 { low = middle } else { high = middle }
                }
                let traded = f64::midpoint(low, high);
                book.push((traded, spend(traded, price)));
            }
        }
        let (units, cash) = state(&book);
        if !ruined && cash + units * bar.close <= 0.0 {
            ruined = true;
            book.push((-units, spend(-units, bar.close)));
        }
        let (units, cash) = state(&book);
        curve.push(cash + units * bar.close);
    }
    curve
}

/// Bars as (gap from close to open, move from open to close), and a position for each.
fn market(largest: f64) -> impl Strategy<Value = (Vec<Bar>, Vec<f64>)> {
    let step = (-largest..largest, -largest..largest, prop_oneof![-1.0..=1.0, Just(0.0), Just(1.0), Just(-1.0)]);
    prop::collection::vec(step, 2..40).prop_map(|steps| {
        let mut last = 100.0;
        let mut prices = Vec::new();
        for (gap, change, _) in &steps {
            let open = last * (1.0 + gap);
            last = open * (1.0 + change);
            prices.push((open, last));
        }
        (bars(&prices), steps.iter().map(|s| s.2).collect())
    })
}

fn equity(bars: &[Bar], decisions: &[Decision], config: &Config) -> Vec<f64> {
    simulate(bars, decisions, config).unwrap().points.iter().map(|p| p.equity).collect()
}

proptest! {
    #[test]
    fn it_agrees_with_its_slow_twin(
        (b, p) in market(0.5), delays in prop::collection::vec(0..2000_i64, 40), only_closes: bool,
        commission in 0.0..100.0, slippage in 0.0..50.0, threshold in 0.0..0.3, cap in 0.2..=1.0,
    ) {
        let b = if only_closes { closes_only(b) } else { b };
        let mut d = decisions(&b, &p, 0);
        for (decision, delay) in d.iter_mut().zip(&delays) {
            decision.decided_at = decision.decided_at.plus_seconds(*delay);
        }
        let config = Config { commission_bps: commission, slippage_bps: slippage, rebalance_threshold: threshold, position_cap: cap, ..Config::default() };
        let (fast, slow) = (equity(&b, &d, &config), slow_twin(&b, &d, &config));
        for (t, (f, s)) in fast.iter().zip(&slow).enumerate() {
            prop_assert!((f - s).abs() <= 1e-6 * s.abs().max(1.0), "bar {}: {} against {}", t, f, s);
        }
    }

    #[test]
    fn always_long_without_costs_is_the_price_ratio((b, _) in market(0.3)) {
        let e = equity(&b, &decisions(&b, &vec![1.0; b.len()], 0), &free());
        for (e, bar) in e.iter().zip(&b).skip(1) {
            prop_assert!(near(*e, 10_000.0 * bar.close / b[1].open.unwrap()));
        }
    }

    #[test]
    fn costs_only_reduce((b, p) in market(0.05), commission in 0.0..50.0, slippage in 0.0..50.0) {
        let d = decisions(&b, &p, 0);
        // a threshold makes trades depend on rounding; without one both trade at the same bars
        let with = Config { commission_bps: commission, slippage_bps: slippage, rebalance_threshold: 0.0, ..Config::default() };
        let without = Config { rebalance_threshold: 0.0, ..free() };
        for (paid, unpaid) in equity(&b, &d, &with).iter().zip(equity(&b, &d, &without)) {
            prop_assert!(*paid <= unpaid * (1.0 + 1e-12));
        }
    }

    #[test]
    fn what_happens_later_changes_nothing_before((b, p) in market(0.2), cut in 0.0..1.0, factor in 0.5..2.0) {
        let d = decisions(&b, &p, 0);
        let cut = ((b.len() as f64 * cut) as usize).min(b.len() - 1);
        let mut other = b.clone();
        other[cut..].reverse();
        for (bar, original) in other.iter_mut().zip(&b) {
            (bar.event_at, bar.available_at) = (original.event_at, original.available_at);
        }
        for bar in &mut other[cut..] {
            (bar.open, bar.close) = (bar.open.map(|o| o * factor), bar.close * factor);
        }
        let config = Config::default();
        let (before, after) = (equity(&b, &d, &config), equity(&other, &d, &config));
        prop_assert_eq!(&before[..cut], &after[..cut]);
    }

    #[test]
    fn the_unit_of_prices_does_not_matter((b, p) in market(0.2), factor in 0.001..1000.0) {
        let d = decisions(&b, &p, 0);
        let mut scaled = b.clone();
        for bar in &mut scaled {
            (bar.open, bar.close) = (bar.open.map(|o| o * factor), bar.close * factor);
        }
        // at a threshold of 0 no comparison can tip over by rounding
        let config = Config { rebalance_threshold: 0.0, ..Config::default() };
        for (one, other) in equity(&b, &d, &config).iter().zip(equity(&scaled, &d, &config)) {
            prop_assert!(near(*one, other), "{one} against {other}");
        }
    }

    #[test]
    fn the_profits_of_trades_add_up_to_the_change_of_equity((b, p) in market(0.1)) {
        let s = simulate(&b, &decisions(&b, &p, 0), &Config::default()).unwrap();
        let profit: f64 = trades(&s).iter().map(|t| t.profit).sum();
        prop_assert!(near(profit, s.final_equity() - 10_000.0), "{profit}");
    }
}
