//! Whether positions know anything of what follows.

use super::claims::{Rate, agent_of};
use super::outcome::{Outcome, VOLATILITIES};
use super::record::Record;
use super::{Error, ReasoningConfig};
use artifacts::{Seed, Timestamp};
use stats::selection::{Interval, Resampling, spearman, stationary_interval};
use std::collections::BTreeMap;

/// An agent's scores with what followed, by bar and symbol.
type Calls<'a> = BTreeMap<(Timestamp, &'a str), (f64, f64)>;

/// Rank correlation of a signal with what followed over so many bars.
#[derive(Debug, Clone)]
pub(crate) struct Information {
    pub(crate) who: String,
    pub(crate) horizon: usize,
    pub(crate) pairs: u64,
    /// None where it is not defined: a constant signal, too few pairs.
    pub(crate) interval: Option<Interval>,
}

/// The share of right directions among some decisions.
#[derive(Debug, Clone)]
pub(crate) struct Hits {
    /// By what decisions are told apart.
    pub(crate) by: &'static str,
    pub(crate) slice: String,
    pub(crate) rate: Rate,
}

/// Everything about the signal.
#[derive(Debug, Clone)]
pub(crate) struct Signal {
    /// Of the positions, over each horizon.
    pub(crate) decay: Vec<Information>,
    /// Of each agent's scores, over the horizon of the settings.
    pub(crate) agents: Vec<Information>,
    pub(crate) hits: Vec<Hits>,
    /// Mean absolute change of position from one bar of a symbol to its next.
    pub(crate) turnover: Option<f64>,
    /// Share of bars with a position.
    pub(crate) active: Option<f64>,
}

pub(crate) fn signal(
    config: &ReasoningConfig,
    record: &Record,
    outcomes: &[Outcome<'_>],
    seed: Seed,
) -> Result<Signal, Error> {
    let mut decay = Vec::new();
    for (n, horizon) in config.horizons.iter().enumerate() {
        let pairs: Vec<(f64, f64)> =
            outcomes.iter().filter_map(|o| Some((o.decision.position, (*o.forward.get(n)?)?))).collect();
        decay.push(information("decision", *horizon, &pairs, config, seed)?);
    }
    let moved: BTreeMap<(&str, Timestamp), f64> =
        outcomes.iter().filter_map(|o| Some(((o.decision.symbol.as_str(), o.decision.bar_at), o.main?))).collect();
    let mut by_agent: BTreeMap<&str, Calls<'_>> = BTreeMap::new();
    for opinion in &record.opinions {
        if let Some(moved) = moved.get(&(opinion.symbol.as_str(), opinion.bar_at)) {
            // Of several rounds the last counts.
            let calls = by_agent.entry(agent_of(&opinion.agent)).or_default();
            calls.insert((opinion.bar_at, &opinion.symbol), (opinion.score, *moved));
        }
    }
    let mut agents = Vec::new();
    for (agent, calls) in by_agent {
        let pairs: Vec<(f64, f64)> = calls.into_values().collect();
        agents.push(information(agent, config.horizon, &pairs, config, seed)?);
    }
    let changes = changes(outcomes);
    let active = outcomes.iter().filter(|o| o.decision.position != 0.0).count();
    Ok(Signal {
        decay,
        agents,
        hits: hits(config, outcomes),
        turnover: stats::distribution::mean(&changes),
        active: (!outcomes.is_empty()).then(|| active as f64 / outcomes.len() as f64),
    })
}

fn information(
    who: &str,
    horizon: usize,
    pairs: &[(f64, f64)],
    config: &ReasoningConfig,
    seed: Seed,
) -> Result<Information, Error> {
    let settings = Resampling {
        resamples: config.resamples,
        level: config.confidence,
        seed: seed.derive(&format!("information/{who}/{horizon}")).0,
        // Outcomes over several bars overlap: shorter blocks would take them for independent.
        mean_block: config.mean_block.max(horizon as f64),
    };
    let figure = |rows: &[usize]| {
        let (x, y): (Vec<f64>, Vec<f64>) = rows.iter().filter_map(|r| pairs.get(*r).copied()).unzip();
        spearman(&x, &y)
    };
    let all: Vec<usize> = (0..pairs.len()).collect();
    let interval = match figure(&all) {
        None => None,
        Some(_) => match stationary_interval(pairs.len(), &settings, figure) {
            Ok(interval) => Some(interval),
            // A signal that is constant on most resamples has no interval.
            Err(stats::Error::Undefined { .. }) => None,
            Err(other) => return Err(other.into()),
        },
    };
    Ok(Information { who: who.to_owned(), horizon, pairs: pairs.len() as u64, interval })
}

fn changes(outcomes: &[Outcome<'_>]) -> Vec<f64> {
    let mut held: BTreeMap<&str, f64> = BTreeMap::new();
    let mut changes = Vec::new();
    for o in outcomes {
        let before = held.insert(&o.decision.symbol, o.decision.position).unwrap_or(0.0);
        changes.push((o.decision.position - before).abs());
    }
    changes
}

fn hits(config: &ReasoningConfig, outcomes: &[Outcome<'_>]) -> Vec<Hits> {
    let called: Vec<(&Outcome<'_>, bool)> = outcomes
        .iter()
        .filter_map(|o| {
            let moved = o.main.filter(|m| *m != 0.0)?;
            (o.decision.position != 0.0).then_some((o, (o.decision.position > 0.0) == (moved > 0.0)))
        })
        .collect();
    let rate = |by, slice: &str, keep: &dyn Fn(&Outcome<'_>) -> bool| {
        let (hits, of) = called
            .iter()
            .filter(|(o, _)| keep(o))
            .fold((0, 0), |(hits, of), (_, right)| (hits + u64::from(*right), of + 1));
        Hits { by, slice: slice.to_owned(), rate: Rate::of(hits, of, config.confidence) }
    };
    let mut found = vec![
        rate("all", "all", &|_| true),
        rate("side", "long", &|o| o.decision.position > 0.0),
        rate("side", "short", &|o| o.decision.position < 0.0),
    ];
    for (n, name) in VOLATILITIES.iter().enumerate() {
        found.push(rate("volatility", name, &|o| o.volatility == Some(n)));
    }
    found.push(rate("trend", "rising", &|o| o.rising == Some(true)));
    found.push(rate("trend", "falling", &|o| o.rising == Some(false)));
    let mut sure: Vec<f64> = called.iter().filter_map(|(o, _)| o.decision.confidence).collect();
    sure.sort_by(f64::total_cmp);
    let edge = |q| stats::distribution::quantile_sorted(&sure, q);
    if let (Some(low), Some(high)) = (edge(1.0 / 3.0), edge(2.0 / 3.0)) {
        let place = |c: f64| usize::from(c > low) + usize::from(c > high);
        for (n, name) in ["least sure", "middle", "most sure"].iter().enumerate() {
            found.push(rate("confidence", name, &|o| o.decision.confidence.is_some_and(|c| place(c) == n)));
        }
    }
    found
}
