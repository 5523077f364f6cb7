//! What the event engine knows about markets, each in a case worked out by hand.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

mod common;

use artifacts::rows::{Bar, Decision, Order, OrderStatus, PortfolioPoint};
use artifacts::{NoProgress, RunOptions, Seed, read_all, write_all};
use backtester::{Config, FillAt, FillRule, Simulation, run, simulate};
use common::{at, bars, decisions};

const OPTIONS: RunOptions<'_> = RunOptions { seed: Seed(42), force: false, progress: &NoProgress };

fn free() -> Config {
    Config { commission_bps: 0.0, slippage_bps: 0.0, ..Config::default() }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn with_volume(mut bars: Vec<Bar>, volume: f64) -> Vec<Bar> {
    for bar in &mut bars {
        bar.volume = Some(volume);
        bar.high = Some(bar.close.max(bar.open.unwrap()));
        bar.low = Some(bar.close.min(bar.open.unwrap()));
    }
    bars
}

/// One decision on the first bar, held over.
fn bought(bars: &[Bar], position: f64, config: &Config) -> Simulation {
    simulate(bars, &decisions(&bars[..1], &[position], 0), config).unwrap()
}

fn fates(s: &Simulation) -> Vec<(OrderStatus, &str)> {
    s.orders.iter().map(|o| (o.status, o.reason.as_str())).collect()
}

#[test]
fn a_signal_from_a_close_cannot_fill_at_an_earlier_price_without_the_setting_that_says_so() {
    let b = bars(&[(100.0, 110.0), (110.0, 121.0), (121.0, 133.1)]);
    let d = decisions(&b, &[1.0, 1.0, 1.0], 0);
    for (fill_at, name) in [(FillRule::SameOpen, "same_open"), (FillRule::SameClose, "same_close")] {
        let error = simulate(&b, &d, &Config { fill_at, ..free() }).unwrap_err().to_string();
        assert!(
            error.contains(&format!("fill_at = {name} fills a decision at a price that is past"))
                && error.contains("allow_lookahead_same_bar_fill = true"),
            "{error}"
        );
        let loud = Config { fill_at, allow_lookahead_same_bar_fill: true, ..free() };
        assert!(simulate(&b, &d, &loud).unwrap().fill_at.is_lookahead());
    }
    // at the open of the bar whose close it knows, a strategy earns what nobody can
    let loud = Config { fill_at: FillRule::SameOpen, allow_lookahead_same_bar_fill: true, ..free() };
    assert!(near(simulate(&b, &d, &loud).unwrap().final_equity(), 13_310.0));
    assert!(near(simulate(&b, &d, &free()).unwrap().final_equity(), 12_100.0));
    // even a decision that claims to have been made before its bar was over waits for it
    let mut early = d.clone();
    for decision in &mut early {
        decision.decided_at = decision.bar_at;
    }
    assert_eq!(
        simulate(&b, &early, &free()).unwrap().fills,
        simulate(&b, &d, &free())
            .unwrap()
            .fills
            .iter()
            .map(|f| { artifacts::rows::Fill { decided_at: at(0), ..f.clone() } })
            .collect::<Vec<_>>()
    );
    let both = Config { fill_at: FillRule::NextOpen, allow_lookahead_same_bar_fill: true, ..free() };
    assert!(simulate(&b, &d, &both).unwrap_err().to_string().contains("leave one of the two out"));
}

#[test]
fn fills_at_the_next_close_and_at_the_typical_price() {
    let b = with_volume(bars(&[(100.0, 100.0), (102.0, 108.0), (108.0, 108.0)]), 1.0);
    let close = bought(&b, 1.0, &Config { fill_at: FillRule::NextClose, ..free() });
    assert_eq!((close.fill_at, close.fills[0].price, close.fills[0].bar_at), (FillAt::NextClose, 108.0, at(1)));
    let vwap = bought(&b, 1.0, &Config { fill_at: FillRule::NextTypical, ..free() });
    assert_eq!(vwap.fills[0].price, (108.0 + 102.0 + 108.0) / 3.0);
    assert!(vwap.fill_at.words().contains("typical price"), "a bar has no volume-weighted price, and the name says so");
}

#[test]
fn a_bar_without_the_price_refuses_the_order_or_lets_it_wait() {
    let mut b = bars(&[(100.0, 100.0), (100.0, 100.0), (101.0, 100.0)]);
    b[1].open = None;
    let config = Config { fill_at: FillRule::NextOpen, ..free() };
    let refused = bought(&b, 1.0, &config);
    assert_eq!(fates(&refused), [(OrderStatus::Rejected, "the bar has no such price")]);
    let waits = bought(&b, 1.0, &Config { carry_unfilled: true, ..config });
    assert_eq!((waits.fills[0].price, waits.orders[0].bar_at), (101.0, Some(at(1))));
}

#[test]
fn latency_moves_a_fill_to_the_first_bar_that_begins_after_it() {
    let b = bars(&[(100.0, 100.0); 5]);
    for (seconds, bar) in [(0.0, 1), (0.5, 2), (600.0, 2), (600.001, 3)] {
        let s = bought(&b, 1.0, &Config { latency_seconds: seconds, ..free() });
        assert_eq!(s.fills[0].bar_at, at(bar), "{seconds} s");
    }
}

#[test]
fn spread_and_slippage_add_up_and_a_least_commission_is_paid() {
    let b = bars(&[(100.0, 100.0); 3]);
    let config = Config { half_spread_bps: 30.0, slippage_bps: 20.0, commission_min: 7.0, ..free() };
    let s = bought(&b, 0.1, &config);
    assert!(near(s.fills[0].price, 100.5) && s.fills[0].commission == 7.0);
    // 0.1 of the equity after costs, at 100
    let equity = 10_000.0 - 7.0 - s.fills[0].units * 0.5;
    assert!(near(s.final_equity(), equity) && near(s.fills[0].units * 100.0, 0.1 * equity));
}

#[test]
fn impact_follows_the_square_root_of_the_share_of_volume() {
    let prices: Vec<(f64, f64)> = (0..12).map(|i| (100.0, if i % 2 == 0 { 101.0 } else { 99.0 })).collect();
    let b = with_volume(bars(&prices), 400.0);
    let d = decisions(&b[8..9], &[0.5], 0);
    let s = simulate(&b, &d, &Config { impact: 0.9, impact_window: 4, ..free() }).unwrap();
    let closes: Vec<f64> = (4..9).map(|i| b[i].close).collect();
    let returns: Vec<f64> = closes.windows(2).map(|w| w[1] / w[0] - 1.0).collect();
    let sigma = stats::distribution::std(&returns, 1).unwrap();
    let fill = &s.fills[0];
    assert!(near(fill.price, 100.0 * (1.0 + 0.9 * sigma * (fill.units / 400.0).sqrt())), "{fill:?}");
    let error = simulate(&bars(&prices), &d, &Config { impact: 0.9, ..free() }).unwrap_err().to_string();
    assert!(error.contains("2025-02-24T01:30:00Z has no volume, and impact needs it"), "{error}");
}

#[test]
fn a_volume_cap_fills_in_part_and_the_rest_waits_or_is_given_up() {
    let b = with_volume(bars(&[(100.0, 100.0); 6]), 80.0);
    let config = Config { volume_cap: Some(0.5), ..free() };
    let given_up = bought(&b, 1.0, &config);
    assert_eq!(given_up.fills.iter().map(|f| f.units).collect::<Vec<_>>(), [40.0]);
    assert_eq!(fates(&given_up), [(OrderStatus::Partial, "volume_cap")]);
    let waits = bought(&b, 1.0, &Config { carry_unfilled: true, ..config.clone() });
    assert_eq!(waits.fills.iter().map(|f| f.units).collect::<Vec<_>>(), [40.0, 40.0, 20.0]);
    let Order { wanted, filled, status, .. } = waits.orders[0];
    assert_eq!((waits.orders.len(), wanted, filled, status), (1, 100.0, 100.0, OrderStatus::Filled));
    // a newer decision takes over what is left
    let d = decisions(&b[..2], &[1.0, 0.0], 0);
    let replaced = simulate(&b, &d, &Config { carry_unfilled: true, ..config.clone() }).unwrap();
    assert_eq!(fates(&replaced), [(OrderStatus::Partial, "a newer decision replaced it"), (OrderStatus::Filled, "")]);
    assert_eq!(replaced.fills.iter().map(|f| f.units).collect::<Vec<_>>(), [40.0, -40.0]);
    let dry = with_volume(bars(&[(100.0, 100.0); 4]), 0.0);
    assert_eq!(fates(&bought(&dry, 1.0, &config)), [(OrderStatus::Rejected, "volume_cap")]);
    let ended = bought(&dry, 1.0, &Config { carry_unfilled: true, ..config });
    assert_eq!(fates(&ended), [(OrderStatus::Unfilled, "the run ended")]);
}

#[test]
fn whole_shares_and_orders_too_small_are_refused_with_their_reason() {
    let b = bars(&[(300.0, 300.0); 4]);
    let whole = bought(&b, 1.0, &Config { lot_size: 1.0, ..free() });
    assert_eq!((whole.fills[0].units, whole.points[1].equity), (33.0, 10_000.0));
    let poor = Config { initial_capital: 200.0, lot_size: 1.0, ..free() };
    assert_eq!(fates(&bought(&b, 1.0, &poor)), [(OrderStatus::Rejected, "less than one lot")]);
    let small = Config { min_order: 600.0, ..free() };
    assert_eq!(fates(&bought(&b, 0.055, &small)), [(OrderStatus::Rejected, "below the smallest order")]);
    assert_eq!(fates(&bought(&b, 0.06, &small)), [(OrderStatus::Filled, "")]);
}

#[test]
fn funding_and_borrowing_are_paid_for_the_time_held() {
    let b = bars(&[(100.0, 100.0); 4]);
    // held over three bars of ten minutes: 3/144 of a day
    let long = bought(&b, 1.0, &Config { funding_bps_per_day: 48.0, ..free() });
    assert!(near(long.final_equity(), 10_000.0 * (1.0 - 0.0048 * 3.0 / 144.0)), "{}", long.final_equity());
    let short = bought(&b, -1.0, &Config { funding_bps_per_day: 48.0, ..free() });
    assert!(near(short.final_equity(), 10_000.0 * (1.0 + 0.0048 * 3.0 / 144.0)));
    let borrowed = bought(&b, -1.0, &Config { borrow_bps_per_year: 365.0, ..free() });
    assert!(near(borrowed.final_equity(), 10_000.0 * (1.0 - 0.0001 * 3.0 / 144.0)));
    assert!(near(borrowed.trades[0].cost, 10_000.0 * 0.0001 * 3.0 / 144.0));
    assert!(near(borrowed.trades[0].profit, borrowed.final_equity() - 10_000.0));
}

#[test]
fn every_decision_that_asks_for_something_leaves_an_order_that_says_what_became_of_it() {
    let mut b = bars(&[(100.0, 100.0), (100.0, 100.0), (250.0, 250.0), (100.0, 100.0), (100.0, 100.0)]);
    b.remove(1);
    let mut d = decisions(&b, &[1.0, -1.0, 1.0, 1.0], 0);
    d[0].decided_at = d[1].decided_at;
    let s = simulate(&b, &d, &free()).unwrap();
    assert_eq!(
        fates(&s),
        [
            (OrderStatus::Superseded, "a newer decision replaced it"),
            (OrderStatus::Filled, ""),
            (OrderStatus::Filled, ""),
            (OrderStatus::Unfilled, "no bar begins after it")
        ]
    );
    let ruin = bars(&[(100.0, 100.0), (100.0, 100.0), (250.0, 250.0), (100.0, 100.0), (100.0, 100.0)]);
    let s = simulate(&ruin, &decisions(&ruin, &[-1.0, -1.0, 1.0, 1.0, 1.0], 0), &free()).unwrap();
    let refused = s.orders.iter().filter(|o| o.reason == "the account is ruined").count();
    assert_eq!((refused, s.refused), (3, 3));
}

/// Two instruments with the same bars at their own prices.
fn two(prices: &[[f64; 2]]) -> Vec<Bar> {
    let of = |s: usize| {
        let own: Vec<(f64, f64)> = prices.iter().map(|p| (p[s], p[s])).collect();
        bars(&own).into_iter().map(move |b| Bar { symbol: ["A", "B"][s].into(), ..b })
    };
    of(0).chain(of(1)).collect()
}

fn wish(bars: &[Bar], symbol: &str, bar: usize, position: f64) -> Decision {
    let own: Vec<Bar> = bars.iter().filter(|b| b.symbol == symbol).cloned().collect();
    decisions(&own[bar..=bar], &[position], 0).remove(0)
}

#[test]
fn a_portfolio_shares_one_account_and_targets_beyond_the_cap_are_scaled_down() {
    let b = two(&[[100.0, 10.0], [100.0, 10.0], [110.0, 8.0]]);
    let d = [wish(&b, "A", 0, 1.0), wish(&b, "B", 0, -1.0)];
    let config = Config { portfolio: true, ..free() };
    let s = simulate(&b, &d, &config).unwrap();
    // half of the account each: 50 units long at 100, 500 short at 10
    assert_eq!(s.fills.iter().map(|f| (f.symbol.as_str(), f.units)).collect::<Vec<_>>(), [("A", 50.0), ("B", -500.0)]);
    let PortfolioPoint { equity, gross, net, .. } = s.portfolio[2];
    assert!(near(equity, 10_000.0 + 50.0 * 10.0 + 500.0 * 2.0));
    assert!(near(gross, (5500.0 + 4000.0) / 11_500.0) && near(net, 1500.0 / 11_500.0));
    assert!(near(s.portfolio[2].market_equity, 5000.0 * 1.1 + 5000.0 * 0.8));
}

#[test]
fn the_gross_cap_cuts_an_order_that_others_leave_no_room_for() {
    let b = two(&[[100.0, 10.0], [100.0, 10.0], [150.0, 10.0], [150.0, 10.0]]);
    // A grows from 0.8 to 12/14 of the account; B's target of 0.2 no longer fits
    let d = [wish(&b, "A", 0, 0.8), wish(&b, "B", 1, 0.2)];
    let s = simulate(&b, &d, &Config { portfolio: true, ..free() }).unwrap();
    let cut = s.orders.iter().find(|o| o.symbol == "B").unwrap();
    assert_eq!((cut.status, cut.reason.as_str()), (OrderStatus::Partial, "risk limit: gross_cap"));
    assert!(near(cut.wanted, 280.0) && near(cut.filled, 200.0), "{cut:?}");
    assert!(near(s.portfolio[2].gross, 1.0));
}

#[test]
fn the_stage_runs_a_portfolio_with_benchmarks_and_lucky_copies() {
    let folder = tempfile::tempdir().unwrap();
    let prices: Vec<[f64; 2]> =
        (0..200).map(|i| [100.0 + 9.0 * (f64::from(i) / 9.0).sin(), 50.0 + 4.0 * (f64::from(i) / 5.0).cos()]).collect();
    let b = two(&prices);
    let d: Vec<Decision> = ["A", "B"]
        .into_iter()
        .flat_map(|s| (0..200).map(move |i| (s, i)))
        .map(|(s, i)| wish(&b, s, i, 0.5 * (i as f64 / if s == "A" { 9.0 } else { 5.0 }).cos()))
        .collect();
    let path = |name: &str| folder.path().join(name);
    write_all(&path("bars.parquet"), &b).unwrap();
    write_all(&path("decisions.parquet"), &d).unwrap();
    let config = Config { portfolio: true, random_shifts: 20, ..Config::default() };
    let (bars, decisions, out) = (path("bars.parquet"), path("decisions.parquet"), path("p/r/backtester"));
    let manifest = run(&config, &bars, &decisions, &out, &OPTIONS).unwrap();
    let points: Vec<PortfolioPoint> = read_all(&out.join("portfolio.parquet")).unwrap();
    assert_eq!(points.len(), 200);
    assert!(points.iter().all(|p| p.gross <= 1.0 + 0.1), "the cap holds at fills; prices move it in between");
    for file in ["orders.parquet", "trades.parquet", "returns.parquet", "report.html", "metrics.json"] {
        assert!(manifest.output(file).is_some(), "{file}");
    }
    assert!(manifest.facts["strategy.percentile_among_random"].as_f64().is_some());
    assert!(manifest.facts["buy_and_hold.total_return"].as_f64().is_some());
    let again = path("p/s/backtester");
    run(&config, &bars, &decisions, &again, &OPTIONS).unwrap();
    for file in ["portfolio.parquet", "fills.parquet", "report.html"] {
        assert!(std::fs::read(out.join(file)).unwrap() == std::fs::read(again.join(file)).unwrap(), "{file}");
    }
}
