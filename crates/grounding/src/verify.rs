use crate::evidence::{Content, Evidence};
use crate::read::direction::{Direction, Way};
use crate::read::{Reading, name};
use crate::{Claim, Reader};
use artifacts::Timestamp;
use artifacts::rows::{Fact, FactKind};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::verdict::{Checked, Verdict};

/// A claim needs so many words before their overlap with a text says anything.
const FEW_WORDS: usize = 4;
/// From which share of its words on a claim is taken from a text.
const TAKEN_FROM: f64 = 0.6;
/// Up to which share of its words a claim is not about a text.
const NOT_ABOUT: f64 = 0.34;

/// Holds a claim against the facts of its prompt, by their local numbers (`F3`). For many claims on the same facts make one
/// [`Verifier`], for many prompts with the same facts one [`Reader`].
///
/// ```
/// use artifacts::{Timestamp, rows::{Fact, FactKind}};
/// use grounding::{Claim, Verdict, verify};
/// let at: Timestamp = "2025-02-24T05:10:00Z".parse()?;
/// let fact = Fact { id: "BTC/rsi_14".into(), symbol: "BTC".into(), bar_at: at, kind: FactKind::Observation, name: "rsi_14".into(),
///     event_at: at, available_at: at, value: Some(61.2347), unit: String::new(), text: "RSI(14) is 61.23".into() };
/// let facts = [("F1".to_owned(), &fact)].into();
/// let verdict = |text: &str| verify(&Claim { text: text.into(), fact: "F1".into() }, &facts).verdict;
/// assert_eq!(verdict("The 14-bar RSI of Bitcoin stands at 61.2"), Verdict::Supported);
/// assert_eq!(verdict("The 14-bar RSI of Bitcoin stands at 62"), Verdict::WrongNumber);
/// assert_eq!(verdict("Ethereum's RSI is 61"), Verdict::WrongName);
/// # Ok::<(), artifacts::Error>(())
/// ```
pub fn verify(claim: &Claim, facts: &BTreeMap<String, &Fact>) -> Checked {
    Verifier::new(facts).verify(claim)
}

/// The facts of one prompt, read once.
#[derive(Debug)]
pub struct Verifier<'a> {
    facts: BTreeMap<&'a str, Evidence<'a>>,
    /// The length of a bar in seconds: how much later than its stamp a decision is made.
    bar: f64,
}

impl<'a> Verifier<'a> {
    /// Reads the facts.
    pub fn new(facts: &'a BTreeMap<String, &'a Fact>) -> Self {
        Reader::default().verifier(facts)
    }

    pub(crate) fn with(facts: &'a BTreeMap<String, &'a Fact>, read: impl Fn(&Fact) -> Arc<Content>) -> Self {
        let prices = facts.values().filter(|f| f.kind == FactKind::Price);
        let bar = prices.map(|f| f.available_at.seconds_since(f.event_at)).fold(0.0, f64::max);
        let evidence = |fact: &'a Fact| Evidence::new(fact, read(fact));
        Self { facts: facts.iter().map(|(number, fact)| (number.as_str(), evidence(fact))).collect(), bar }
    }

    /// Holds a claim against the fact it cites; the others tell a wrong number from a right number with a wrong citation.
    pub fn verify(&self, claim: &Claim) -> Checked {
        let reading = Reading::of(&claim.text);
        let cited = claim.fact.trim().trim_start_matches('[').trim_end_matches(']');
        if cited.is_empty() {
            return if reading.is_checkable() { found(Verdict::Uncited, String::new()) } else { supported() };
        }
        let Some(evidence) = self.facts.get(cited) else {
            return found(Verdict::UnknownFact, String::new());
        };
        let roles = name::roles(&claim.text);
        if let Some(other) = self.about_another(claim, &reading, &roles, evidence, cited) {
            return found(Verdict::WrongFact, other);
        }
        let Some(problem) = self.problem(&reading, &roles, evidence) else { return supported() };
        // The opposite of a direction is often true of something else; a number or a date seldom is.
        let exact = !(reading.quantities.is_empty() && reading.moments.is_empty());
        if !exact || problem.verdict == Verdict::WrongDirection {
            return problem;
        }
        let elsewhere = self.others(cited).find(|(_, other)| {
            let same = reading.topics.is_subset(&other.topics)
                || (reading.content.len() >= FEW_WORDS && other.share(&reading) >= TAKEN_FROM);
            same && self.problem(&reading, &roles, other).is_none()
        });
        match elsewhere {
            Some((number, _)) => found(Verdict::WrongFact, number.to_owned()),
            None => problem,
        }
    }

    fn others<'s>(&'s self, cited: &'s str) -> impl Iterator<Item = (&'s str, &'s Evidence<'a>)> {
        self.facts.iter().filter(move |(number, _)| **number != cited).map(|(number, evidence)| (*number, evidence))
    }

    /// Whether a claim is plainly about something else than the fact it cites; what it is about.
    fn about_another(
        &self,
        claim: &Claim,
        reading: &Reading,
        roles: &[String],
        evidence: &Evidence<'_>,
        cited: &str,
    ) -> Option<String> {
        let coded = |name: &str| name.contains(['_', '=']);
        let code = |e: &Evidence<'_>| {
            e.fact.kind != FactKind::Opinion && coded(&e.fact.name) && has_code(&claim.text, &e.fact.name)
        };
        // who words `mvrv_momentum_change_6` writes `mvrv_momentum` on the way
        let part_of_it = |o: &Evidence<'_>| evidence.fact.name.contains(&o.fact.name);
        if !code(evidence)
            && let Some((number, _)) = self.others(cited).find(|(_, o)| code(o) && !part_of_it(o))
        {
            return Some(number.to_owned());
        }
        let quoted = |e: &Evidence<'_>| e.fact.kind == FactKind::Opinion;
        if !quoted(evidence)
            && roles.iter().any(|r| !evidence.has_word(r))
            && let Some((number, _)) =
                self.others(cited).find(|(_, o)| quoted(o) && roles.iter().all(|r| o.has_role(r)))
        {
            return Some(number.to_owned());
        }
        let share = evidence.share(reading);
        let worded = reading.content.len() >= FEW_WORDS && share <= NOT_ABOUT;
        if worded
            && let Some((number, _)) = self
                .others(cited)
                .find(|(_, o)| !o.is_figure() && o.share(reading) >= TAKEN_FROM.max(share + NOT_ABOUT))
        {
            return Some(number.to_owned());
        }
        let topics = &reading.topics;
        if topics.is_empty() || topics.is_subset(&evidence.topics) {
            return None;
        }
        let measured = |e: &Evidence<'_>| !matches!(e.fact.kind, FactKind::News | FactKind::Opinion);
        let exact = self.others(cited).find(|(_, o)| measured(o) && topics.is_subset(&o.topics));
        let apart = topics.is_disjoint(&evidence.topics);
        match exact {
            Some((number, _)) if evidence.is_figure() || (apart && share <= NOT_ABOUT) => Some(number.to_owned()),
            None if evidence.is_figure() && apart && !evidence.topics.is_empty() => {
                Some(format!("the fact is about {}", evidence.fact.name))
            }
            _ => None,
        }
    }

    /// The first thing in which a claim differs from a fact.
    fn problem(&self, claim: &Reading, roles: &[String], evidence: &Evidence<'_>) -> Option<Checked> {
        let fact = evidence.fact;
        if let Some(role) = roles.iter().find(|r| !evidence.has_role(r)) {
            return Some(found(Verdict::WrongName, format!("{}, not {role}", fact.name)));
        }
        // A first word is taken for a name only where no name of the fact stands in the claim, and the claim is no quotation of it.
        let named = claim.names.sure.iter().any(|n| evidence.has_name(n));
        let quoted = !evidence.is_figure() && claim.content.len() >= FEW_WORDS && evidence.share(claim) >= TAKEN_FROM;
        let perhaps = claim.names.perhaps.iter().filter(|_| !named && !quoted);
        if let Some(name) = claim.names.sure.iter().chain(perhaps).find(|n| !evidence.has_name(n)) {
            return Some(found(Verdict::WrongName, format!("{name} is not in the fact about {}", fact.symbol)));
        }
        let told = |at: Timestamp, moment: &crate::read::moment::Moment| moment.names(at, fact.bar_at, self.bar);
        let known = claim.moments.iter().all(|m| {
            told(fact.event_at, m)
                || told(fact.available_at, m)
                || evidence.reading.moments.iter().any(|own| own.agrees(*m))
        });
        if !known {
            return Some(found(Verdict::WrongDate, fact.event_at.to_string()));
        }
        let directed = !claim.directions.is_empty();
        if !claim.quantities.iter().all(|q| evidence.has_number(q, directed)) {
            return Some(found(Verdict::WrongNumber, evidence.figure()));
        }
        let wrong = claim.directions.iter().find_map(|d| contradicted(d, evidence))?;
        Some(found(Verdict::WrongDirection, wrong.word().to_owned()))
    }
}

/// Whether a text has a feature's name as it is written in code, or with spaces.
fn has_code(text: &str, code: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric();
    let plain = |text: &str| text.to_lowercase().replace('_', " ");
    let (text, code) = (plain(text), plain(code));
    text.match_indices(&code).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + code.len()..).unwrap_or_default());
        !before.ends_with(joins) && !after.starts_with(joins)
    })
}

/// The way a fact says instead, where it denies a claim's direction.
fn contradicted(claimed: &Direction, evidence: &Evidence<'_>) -> Option<Way> {
    let common = |own: &Direction| own.context.intersection(&claimed.context).count();
    let best = |way: Way| evidence.reading.directions.iter().filter(|d| d.way == way).map(common).max();
    let other = claimed.way.opposite();
    if claimed.way == Way::Flat {
        let up = best(Way::Up).is_some();
        let polar = best(Way::Flat).is_none() && (up != best(Way::Down).is_some());
        let way = if up { Way::Up } else { Way::Down };
        return (evidence.is_label() && polar && claimed.state).then_some(way);
    }
    match (best(claimed.way), best(other)) {
        (Some(same), Some(opposite)) => return (opposite > same + 1).then_some(other),
        (None, Some(opposite)) => {
            return (evidence.is_figure() || evidence.is_label() || opposite > 0).then_some(other);
        }
        (Some(_), None) => return None,
        (None, None) => {}
    }
    let side = evidence.side()?;
    let speaks = claimed.state || evidence.is_movement() || !evidence.is_figure();
    match side {
        Way::Flat => (evidence.is_label() && claimed.state).then_some(Way::Flat),
        side => (speaks && side == other).then_some(side),
    }
}

fn supported() -> Checked {
    found(Verdict::Supported, String::new())
}

fn found(verdict: Verdict, expected: String) -> Checked {
    Checked { verdict, expected }
}
