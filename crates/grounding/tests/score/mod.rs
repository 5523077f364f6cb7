//! Precision and recall by kind of error.
#![allow(clippy::print_stdout, dead_code, unreachable_pub, reason = "each test uses its part, and shows its figures")]

use crate::common::Prompt;
use artifacts::Seed;
use artifacts::rows::Fact;
use grounding::{Answer, Verdict, Verifier, corrupt};
use std::collections::BTreeMap;

/// Share of claims that get an error.
const RATE: f64 = 0.2;

/// (what was put in, what was found): how often.
#[derive(Default)]
pub struct Score {
    pub counts: BTreeMap<(Verdict, Verdict), u64>,
    /// Some of the claims that were misjudged.
    pub missed: Vec<String>,
}

impl Score {
    /// Lets `write` answer on every prompt, spoils a fifth of its claims, and verifies them all.
    pub fn of(prompts: &[Prompt], seed: u64, write: impl Fn(&[(String, &Fact)], u64) -> Answer) -> Self {
        let mut score = Self::default();
        for (n, prompt) in prompts.iter().enumerate() {
            let facts: Vec<(String, &Fact)> = prompt.iter().map(|(number, fact)| (number.clone(), fact)).collect();
            let seed = Seed(seed).derive(&n.to_string()).0;
            let honest = write(&facts, seed);
            let (answer, injected) = corrupt(&honest, &facts, RATE, seed);
            let by_number = facts.iter().cloned().collect();
            let verifier = Verifier::new(&by_number);
            for (place, claim) in answer.claims.iter().enumerate() {
                let put_in = injected.iter().find(|i| i.claim == place).map_or(Verdict::Supported, |i| i.kind);
                let checked = verifier.verify(claim);
                *score.counts.entry((put_in, checked.verdict)).or_default() += 1;
                if put_in != checked.verdict {
                    let text = by_number.get(&claim.fact).map_or("", |f| f.text.as_str());
                    score.missed.push(format!(
                        "{put_in} taken for {} ({}): [{}] {:?} <- {:?} <- {text:?}",
                        checked.verdict, checked.expected, claim.fact, claim.text, honest.claims[place].text
                    ));
                }
            }
        }
        score
    }

    pub fn add(&mut self, other: &Self) {
        for (key, count) in &other.counts {
            *self.counts.entry(*key).or_default() += count;
        }
        self.missed.extend(other.missed.iter().cloned());
    }

    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Precision, recall and how many were put in, of one kind.
    pub fn of_kind(&self, kind: Verdict) -> (f64, f64, u64) {
        let sum = |f: &dyn Fn(&(Verdict, Verdict)) -> bool| {
            self.counts.iter().filter(|(key, _)| f(key)).map(|(_, n)| *n).sum::<u64>()
        };
        let hits = sum(&|k| *k == (kind, kind));
        let (put_in, found) = (sum(&|k| k.0 == kind), sum(&|k| k.1 == kind));
        (hits as f64 / found.max(1) as f64, hits as f64 / put_in.max(1) as f64, put_in)
    }

    /// Prints the figures of every kind that can be put in.
    pub fn print(&self, name: &str) {
        println!("{name}: {} claims", self.total());
        for kind in KINDS {
            let (precision, recall, n) = self.of_kind(kind);
            println!("  {kind:<16} precision {precision:.4} recall {recall:.4} of {n}");
        }
        for ((put_in, found), n) in self.counts.iter().filter(|((p, f), _)| p != f) {
            println!("  {put_in} taken for {found}: {n}");
        }
        for line in self.missed.iter().step_by(1 + self.missed.len() / 60) {
            println!("    {line}");
        }
    }

    pub fn demand(&self, name: &str, claims: u64) {
        self.print(name);
        assert!(self.total() >= claims, "{name}: {} claims", self.total());
        for kind in KINDS {
            let (precision, recall, n) = self.of_kind(kind);
            assert!(n >= 50, "{name}: {kind} {n} times");
            assert!(precision >= 0.95 && recall >= 0.9, "{name}: {kind}: precision {precision:.4}, recall {recall:.4}");
        }
    }
}

pub const KINDS: [Verdict; 6] = [
    Verdict::WrongNumber,
    Verdict::WrongDate,
    Verdict::WrongName,
    Verdict::WrongDirection,
    Verdict::WrongFact,
    Verdict::UnknownFact,
];
