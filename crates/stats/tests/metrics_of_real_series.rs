//! The trading figures against quantstats and empyrical on real price series, and what every figure does without data.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;
use stats::distribution::{excess_kurtosis, mean, quantile, skewness, std};
use stats::trading::*;
use std::path::PathBuf;

fn shared(file: &str) -> Option<PathBuf> {
    let start = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = start.ancestors().map(|a| a.join("shared")).find(|s| s.join("README.md").is_file())?;
    Some(folder.join(file)).filter(|f| f.is_file())
}

/// Relative tolerance: the reference states 3e-14 against its own formulas; the rest is the order of summation.
const TOLERANCE: f64 = 1e-11;

#[test]
fn all_figures_of_three_real_series_agree_with_quantstats_and_empyrical() {
    let Some(path) = shared("oracles/metrics/metrics.json") else {
        println!("skipped: no shared folder");
        return;
    };
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut compared = 0;
    for series in file["series"].as_array().unwrap() {
        let name = series["name"].as_str().unwrap();
        let prices: Vec<f64> = series["prices"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
        let n = PeriodsPerYear::new(series["N_periods_per_year"].as_f64().unwrap()).unwrap();
        let x = simple_returns(&prices).unwrap();
        for library in ["quantstats", "empyrical"] {
            for (key, expected) in series[library].as_object().unwrap() {
                let found = match (key.as_str(), library) {
                    ("sharpe", _) => sharpe(&x, 0.0, n),
                    ("sharpe_rf_3pct", _) => sharpe(&x, 0.03, n),
                    ("sortino", _) => sortino(&x, n),
                    ("cagr", _) => cagr(&x, n),
                    ("max_drawdown", _) => max_drawdown(&x),
                    ("calmar", _) => calmar(&x, n),
                    ("volatility", _) => volatility(&x, n),
                    ("downside_risk", _) => downside_risk(&x, n),
                    ("omega_threshold_0", _) => omega(&x, 0.0, n),
                    ("omega_required_return_5pct", _) => omega(&x, 0.05, n),
                    ("var_95_parametric", _) => var_parametric(&x, 0.05),
                    ("var_99_parametric", _) => var_parametric(&x, 0.01),
                    ("var_95_historical", _) => var_historical(&x, 0.05),
                    ("var_99_historical", _) => var_historical(&x, 0.01),
                    ("cvar_95_parametric", _) => cvar_parametric(&x, 0.05),
                    ("cvar_95_historical", "quantstats") => cvar_historical(&x, 0.05),
                    ("cvar_95_historical", _) => cvar_worst_count(&x, 0.05),
                    ("tail_ratio", _) => tail_ratio(&x),
                    ("psr", _) => probabilistic_sharpe(&x, 0.0),
                    ("skew", _) => skewness(&x),
                    ("excess_kurtosis", _) => excess_kurtosis(&x),
                    ("total_return", _) => total_return(&x),
                    (other, _) => panic!("no figure for {other}"),
                };
                let (found, expected) = (found.unwrap(), expected.as_f64().unwrap());
                let off = (found - expected).abs() / expected.abs().max(1e-3);
                assert!(off < TOLERANCE, "{name} {library} {key}: {found} against {expected}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 3 * (18 + 13), "the reference file has other figures than expected");
}

type Figure = fn(&[f64]) -> Option<f64>;

fn figures() -> Vec<(&'static str, Figure)> {
    const N: PeriodsPerYear = PeriodsPerYear::TRADING_DAYS;
    vec![
        ("sharpe", |x| sharpe(x, 0.0, N)),
        ("sortino", |x| sortino(x, N)),
        ("cagr", |x| cagr(x, N)),
        ("max_drawdown", max_drawdown),
        ("calmar", |x| calmar(x, N)),
        ("volatility", |x| volatility(x, N)),
        ("downside_risk", |x| downside_risk(x, N)),
        ("omega", |x| omega(x, 0.0, N)),
        ("var_parametric", |x| var_parametric(x, 0.05)),
        ("var_historical", |x| var_historical(x, 0.05)),
        ("cvar_parametric", |x| cvar_parametric(x, 0.05)),
        ("cvar_historical", |x| cvar_historical(x, 0.05)),
        ("cvar_worst_count", |x| cvar_worst_count(x, 0.05)),
        ("tail_ratio", tail_ratio),
        ("psr", |x| probabilistic_sharpe(x, 0.0)),
        ("total_return", total_return),
        ("mean", mean),
        ("std", |x| std(x, 1)),
        ("skewness", skewness),
        ("excess_kurtosis", excess_kurtosis),
        ("quantile", |x| quantile(x, 0.3)),
    ]
}

#[test]
fn no_values_and_not_finite_values_give_no_figure() {
    for (name, figure) in figures() {
        for bad in [&[][..], &[f64::NAN, 0.1, 0.2, -0.1, 0.3], &[0.1, f64::INFINITY, -0.1, 0.2, 0.0]] {
            assert_eq!(figure(bad), None, "{name} of {bad:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_figure_is_finite_or_absent(returns in prop::collection::vec(prop_oneof![-2.0..2.0, Just(0.0), -1e200..1e200], 0..12)) {
        for (name, figure) in figures() {
            let found = figure(&returns);
            prop_assert!(found.is_none_or(f64::is_finite), "{name} of {returns:?} is {found:?}");
        }
    }

    #[test]
    fn leverage_does_not_change_a_sharpe_ratio(returns in prop::collection::vec(-0.1..0.1, 3..40), scale in 0.1..5.0) {
        let scaled: Vec<f64> = returns.iter().map(|x| x * scale).collect();
        let n = PeriodsPerYear::CALENDAR_DAYS;
        if let (Some(a), Some(b)) = (sharpe(&returns, 0.0, n), sharpe(&scaled, 0.0, n)) {
            prop_assert!((a - b).abs() <= 1e-6 * a.abs().max(1.0));
        }
    }
}
