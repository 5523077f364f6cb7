use crate::{Config, Error, Missing};
use artifacts::read_all;
use artifacts::rows::{Bar, Decision};
use std::collections::BTreeSet;
use std::path::Path;

/// Bars and decisions that belong together, of one instrument (of several where `portfolio` is set).
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The instrument, or the names of several.
    pub symbol: String,
    /// Its bars, in order of time (of several: by symbol, then time); at least 2 of each.
    pub bars: Vec<Bar>,
    /// Its decisions, in order of their bars; each bar has at most one.
    pub decisions: Vec<Decision>,
}

/// Reads both files and checks that they belong together.
///
/// # Errors
/// A file that cannot be read or breaks its row type's rules; decisions about several instruments without the setting
/// `symbol`; no bars of the instrument; a decision on no bar; a bar without a decision (see [`Missing`]).
pub fn load(bars_path: &Path, decisions_path: &Path, config: &Config) -> Result<Input, Error> {
    let decisions: Vec<Decision> = read_all(decisions_path)?;
    let bars: Vec<Bar> = read_all(bars_path)?;
    if config.portfolio {
        return load_portfolio(bars, bars_path, decisions, decisions_path, config);
    }
    let symbol = choose(&decisions, config).map_err(|e| e.within(decisions_path))?;
    let traded: BTreeSet<&str> = bars.iter().map(|b| b.symbol.as_str()).collect();
    if !traded.contains(symbol.as_str()) {
        return Err(Error::NoBars { choices: listed(&traded), symbol }.within(bars_path));
    }
    let bars: Vec<Bar> = bars.into_iter().filter(|b| b.symbol == symbol).collect();
    if bars.len() < 2 {
        return Err(Error::TooFewBars { symbol, bars: bars.len() }.within(bars_path));
    }
    // rows are numbered as in the file, so errors find them
    let numbered = decisions.iter().enumerate().filter(|(_, d)| d.symbol == symbol);
    for (row, decision) in numbered {
        if bars.binary_search_by_key(&decision.bar_at, |b| b.event_at).is_err() {
            return Err(Error::NoSuchBar { row, bar_at: decision.bar_at }.within(decisions_path));
        }
    }
    let decisions: Vec<Decision> = decisions.into_iter().filter(|d| d.symbol == symbol).collect();
    if config.missing_decisions == Missing::Refuse {
        complete(&bars, &decisions).map_err(|e| e.within(decisions_path))?;
    }
    Ok(Input { symbol, bars, decisions })
}

/// All instruments that decisions are about, each with the checks of a single one.
fn load_portfolio(
    mut bars: Vec<Bar>,
    bars_path: &Path,
    decisions: Vec<Decision>,
    decisions_path: &Path,
    config: &Config,
) -> Result<Input, Error> {
    let traded: BTreeSet<String> = decisions.iter().map(|d| d.symbol.clone()).collect();
    let offered: BTreeSet<String> = bars.iter().map(|b| b.symbol.clone()).collect();
    if let Some(symbol) = traded.iter().find(|s| !offered.contains(*s)).cloned() {
        let offered = offered.iter().map(String::as_str).collect();
        return Err(Error::NoBars { symbol, choices: listed(&offered) }.within(bars_path));
    }
    bars.retain(|b| traded.contains(&b.symbol));
    for own in bars.chunk_by(|a, b| a.symbol == b.symbol) {
        let symbol = own.first().map(|b| b.symbol.clone()).unwrap_or_default();
        if own.len() < 2 {
            return Err(Error::TooFewBars { symbol, bars: own.len() }.within(bars_path));
        }
        for (row, decision) in decisions.iter().enumerate().filter(|(_, d)| d.symbol == symbol) {
            if own.binary_search_by_key(&decision.bar_at, |b| b.event_at).is_err() {
                return Err(Error::NoSuchBar { row, bar_at: decision.bar_at }.within(decisions_path));
            }
        }
        if config.missing_decisions == Missing::Refuse {
            let decisions: Vec<Decision> = decisions.iter().filter(|d| d.symbol == symbol).cloned().collect();
            complete(own, &decisions).map_err(|e| e.within(decisions_path))?;
        }
    }
    let names = traded.iter().map(String::as_str).collect::<BTreeSet<_>>();
    Ok(Input { symbol: listed(&names), bars, decisions })
}

fn choose(decisions: &[Decision], config: &Config) -> Result<String, Error> {
    let symbols: BTreeSet<&str> = decisions.iter().map(|d| d.symbol.as_str()).collect();
    match &config.symbol {
        Some(wanted) if symbols.contains(wanted.as_str()) => Ok(wanted.clone()),
        Some(wanted) => Err(Error::UnknownSymbol { wanted: wanted.clone(), choices: listed(&symbols) }),
        None => match (symbols.first(), symbols.len()) {
            (Some(only), 1) => Ok((*only).to_owned()),
            _ => Err(Error::SeveralSymbols { choices: listed(&symbols) }),
        },
    }
}

fn complete(bars: &[Bar], decisions: &[Decision]) -> Result<(), Error> {
    let decided: BTreeSet<_> = decisions.iter().map(|d| d.bar_at).collect();
    let mut without = bars.iter().enumerate().filter(|(_, b)| !decided.contains(&b.event_at));
    match without.next() {
        None => Ok(()),
        Some((bar, b)) => {
            let missing = 1 + without.count();
            Err(Error::MissingDecision { bar, bars: bars.len(), bar_at: b.event_at, missing })
        }
    }
}

/// The first few names, for a message.
fn listed(names: &BTreeSet<&str>) -> String {
    let shown = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 8 { format!("{shown} and {} more", names.len() - 8) } else { shown }
}
