use super::compare::Outputs;
use super::{Bench, Leak, Twin};
use anyhow::Context;
use artifacts::{Seed, Timestamp};

/// Garbage may by chance mean the same as what it replaced; so often it is drawn anew.
const DRAWS: u64 = 3;

/// The parts of the market that bring a difference about by themselves, and how many runs it took to find them.
pub(super) struct Found {
    pub(super) leaks: Vec<Leak>,
    pub(super) runs: usize,
}

/// Poisons one part of the future at a time; where none of them makes a difference, takes one part away at a time.
pub(super) fn leaks(bench: &Bench<'_>, base: &Outputs, t: Timestamp, seed: Seed) -> anyhow::Result<Found> {
    let mut found = Found { leaks: Vec::new(), runs: 0 };
    for part in bench.market.parts() {
        for draw in 0..DRAWS {
            let seed = seed.derive(&format!("{part}/{draw}"));
            let twin = bench.market.poisoned(t, Some(&part), seed);
            if twin == *bench.market {
                continue;
            }
            found.runs += 1;
            let outputs = bench.outputs(&twin).with_context(|| format!("poisoned after {t} in {part}"))?;
            if let Some(first) = base.first_difference(&outputs, Some(t)) {
                found.leaks.push(Leak { part: part.clone(), twin: Twin::Poisoned, t, first });
                break;
            }
        }
    }
    if !found.leaks.is_empty() {
        return Ok(found);
    }
    let mut last = None;
    for part in bench.market.parts() {
        let twin = bench.market.truncated(t, Some(&part));
        if twin == *bench.market || last.as_ref() == Some(&twin) {
            continue;
        }
        found.runs += 1;
        let outputs = bench.outputs(&twin).with_context(|| format!("truncated at {t} in {part}"))?;
        if let Some(first) = base.first_difference(&outputs, Some(t)) {
            found.leaks.push(Leak { part, twin: Twin::Truncated, t, first });
        }
        last = Some(twin);
    }
    Ok(found)
}
