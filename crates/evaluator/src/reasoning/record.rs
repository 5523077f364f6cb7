//! What a run of agents left behind.

use super::Error;
use artifacts::rows::{Bar, CheckedClaim, Decision, Event, Fact, Opinion, Trace};
use artifacts::{Reader, Row, Timestamp, read_all};
use grounding::{Claim, Verdict, Verifier};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files of a run; those that only agents write may be missing.
const OPTIONAL: [&str; 5] =
    ["opinions.parquet", "facts.parquet", "checked_claims.parquet", "injected.parquet", "traces.parquet"];

/// A run of agents.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) decisions: Vec<Decision>,
    pub(crate) opinions: Vec<Opinion>,
    pub(crate) facts: BTreeMap<String, Fact>,
    pub(crate) checked: Vec<CheckedClaim>,
    /// The errors that a simulation put in, where there was one.
    pub(crate) injected: Option<Vec<CheckedClaim>>,
    /// How often each kind of event happened, by agent.
    pub(crate) events: BTreeMap<(String, Event), u64>,
    /// Tokens read and written by models.
    pub(crate) tokens: (u64, u64),
}

/// The files of a run that are there. A folder in the place of one counts: reading it says what is wrong.
pub(crate) fn files(agent: &Path) -> Vec<PathBuf> {
    let optional = OPTIONAL.iter().map(|name| agent.join(name)).filter(|path| path.exists());
    std::iter::once(agent.join("decisions.parquet")).chain(optional).collect()
}

fn rows<R: Row + Clone>(agent: &Path, file: &str) -> Result<Option<Vec<R>>, Error> {
    let path = agent.join(file);
    if path.exists() { Ok(Some(read_all(&path)?)) } else { Ok(None) }
}

impl Record {
    pub(crate) fn read(agent: &Path) -> Result<Self, Error> {
        let mut record = Self {
            decisions: read_all(&agent.join("decisions.parquet"))?,
            opinions: rows(agent, "opinions.parquet")?.unwrap_or_default(),
            injected: rows(agent, "injected.parquet")?.filter(|rows: &Vec<CheckedClaim>| !rows.is_empty()),
            ..Self::default()
        };
        for fact in rows::<Fact>(agent, "facts.parquet")?.unwrap_or_default() {
            record.facts.insert(fact.id.clone(), fact);
        }
        // Prompts are long: traces are read a group at a time and only counted.
        let traces = agent.join("traces.parquet");
        if traces.exists() {
            for batch in Reader::<Trace>::open(&traces)? {
                for trace in batch? {
                    *record.events.entry((trace.agent, trace.event)).or_default() += 1;
                    record.tokens.0 += trace.prompt_tokens;
                    record.tokens.1 += trace.answer_tokens;
                }
            }
        }
        record.checked = match rows(agent, "checked_claims.parquet")? {
            Some(checked) => checked,
            None => record.verified(),
        };
        Ok(record)
    }

    /// Verifies the claims of all opinions, where the run itself did not.
    fn verified(&self) -> Vec<CheckedClaim> {
        let mut by_bar: BTreeMap<(&str, Timestamp), BTreeMap<String, &Fact>> = BTreeMap::new();
        for (id, fact) in &self.facts {
            by_bar.entry((&fact.symbol, fact.bar_at)).or_default().insert(id.clone(), fact);
        }
        let none = BTreeMap::new();
        let mut checked = Vec::new();
        for opinion in &self.opinions {
            let facts = by_bar.get(&(opinion.symbol.as_str(), opinion.bar_at)).unwrap_or(&none);
            let verifier = Verifier::new(facts);
            for (place, (text, cited)) in opinion.claims.iter().zip(&opinion.cited).enumerate() {
                let found = verifier.verify(&Claim { text: text.clone(), fact: cited.clone() });
                checked.push(CheckedClaim {
                    symbol: opinion.symbol.clone(),
                    bar_at: opinion.bar_at,
                    agent: opinion.agent.clone(),
                    claim: place as u32,
                    text: text.clone(),
                    cited: cited.clone(),
                    verdict: found.verdict.as_str().to_owned(),
                    expected: found.expected,
                });
            }
        }
        checked
    }
}

/// What a verdict's word stands for; a word that is unknown counts as not supported by anything.
pub(crate) fn verdict(claim: &CheckedClaim) -> Verdict {
    Verdict::from_word(&claim.verdict).unwrap_or(Verdict::UnknownFact)
}

/// The bars of every symbol, in order.
#[derive(Debug)]
pub(crate) struct Prices {
    pub(crate) path: PathBuf,
    by_symbol: BTreeMap<String, Vec<Bar>>,
}

impl Prices {
    pub(crate) fn read(market: &Path) -> Result<Self, Error> {
        let path = market.join("bars.parquet");
        let mut by_symbol: BTreeMap<String, Vec<Bar>> = BTreeMap::new();
        for bar in read_all::<Bar>(&path)? {
            by_symbol.entry(bar.symbol.clone()).or_default().push(bar);
        }
        Ok(Self { path, by_symbol })
    }

    /// The closes of a symbol, and the place of the bar that began at `at`.
    pub(crate) fn at(&self, symbol: &str, at: Timestamp) -> Option<(&[Bar], usize)> {
        let bars = self.by_symbol.get(symbol)?;
        Some((bars, bars.binary_search_by_key(&at, |b| b.event_at).ok()?))
    }
}
