use super::config::Conflicts;
use super::raw::{CleanRow, Split};
use artifacts::rows::{Conflict, Language, Rejected, Sentiment};
use std::collections::{BTreeMap, BTreeSet};

/// What became of equal texts.
#[derive(Debug, Default)]
pub(super) struct Deduplicated {
    /// One row of each text and language.
    pub(super) kept: Vec<CleanRow>,
    pub(super) conflicts: Vec<Conflict>,
}

/// Leaves one row of each text and language.
///
/// Of equal texts, copies in a less protected part of a data set go first (a training copy of a test row is a leak). Where the rest
/// disagree about the label, each source has one vote for each label it gives: repeated rows of one source do not count,
/// since FinGPT repeats its rows on purpose. A tie drops them all, as does the setting. Refused rows keep their reason.
pub(super) fn deduplicate(rows: Vec<CleanRow>, rule: Conflicts, rejected: &mut Vec<Rejected>) -> Deduplicated {
    let mut groups: BTreeMap<(Language, &str), Vec<usize>> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        groups.entry((row.raw.language, &row.key)).or_default().push(i);
    }
    let mut fates: Vec<Fate> = vec![None; rows.len()];
    let mut conflicts = Vec::new();
    for members in groups.values().filter(|m| m.len() > 1) {
        conflicts.extend(judge(members, &rows, rule, &mut fates));
    }
    let mut kept = Vec::new();
    for (row, fate) in rows.into_iter().zip(fates) {
        match fate {
            None => kept.push(row),
            Some((reason, detail)) => rejected.push(refused(&row, reason, &detail)),
        }
    }
    Deduplicated { kept, conflicts }
}

/// Why a row goes, if it does.
type Fate = Option<(&'static str, String)>;

pub(super) fn refused(row: &CleanRow, reason: &str, detail: &str) -> Rejected {
    Rejected::new(&row.raw.source, row.raw.row, &row.raw.text, &row.raw.raw_label, reason, detail)
}

fn judge(members: &[usize], rows: &[CleanRow], rule: Conflicts, fates: &mut [Fate]) -> Option<Conflict> {
    let members: Vec<(usize, &CleanRow)> = members.iter().filter_map(|&i| rows.get(i).map(|r| (i, r))).collect();
    let top = members.iter().map(|(_, r)| r.raw.split).max();
    let (protected, others): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, r)| Some(r.raw.split) == top);
    if top == Some(Split::Test) {
        // An official test part stays as its authors made it, repeated rows and all.
        let place = protected.first().map(|(_, r)| place_of(r)).unwrap_or_default();
        for (i, _) in &others {
            set_fate(fates, *i, "duplicate", format!("same text as {place}"));
        }
        return None;
    }
    let mut votes: BTreeMap<Sentiment, BTreeSet<usize>> = BTreeMap::new();
    for (_, row) in &protected {
        votes.entry(row.label).or_default().insert(row.raw.vote);
    }
    let most = votes.values().map(BTreeSet::len).max().unwrap_or(0);
    let winners: Vec<Sentiment> = votes.iter().filter(|(_, v)| v.len() == most).map(|(label, _)| *label).collect();
    let mut set = |i: usize, reason, detail| set_fate(fates, i, reason, detail);
    let winner = match winners.as_slice() {
        [winner] if votes.len() == 1 || rule == Conflicts::Vote => Some(*winner),
        _ => None,
    };
    let conflict = (votes.len() > 1).then(|| conflict(&protected, &votes, winner)).flatten();
    let Some(winner) = winner else {
        let labels = votes.keys().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        for (i, _) in protected.iter().chain(&others) {
            set(*i, "conflicting-labels", format!("equal texts are {labels}"));
        }
        return conflict;
    };
    let first = protected.iter().find(|(_, r)| r.label == winner);
    let place = first.map(|(_, r)| place_of(r)).unwrap_or_default();
    for (i, row) in protected.iter().chain(&others) {
        if first.is_some_and(|(f, _)| f == i) {
            continue;
        }
        if row.label == winner {
            set(*i, "duplicate", format!("same text as {place}"));
        } else {
            set(*i, "outvoted-label", format!("same text as {place}, which is {winner}"));
        }
    }
    conflict
}

fn set_fate(fates: &mut [Fate], row: usize, reason: &'static str, detail: String) {
    if let Some(fate) = fates.get_mut(row) {
        *fate = Some((reason, detail));
    }
}

fn place_of(row: &CleanRow) -> String {
    format!("{} row {}", row.raw.source, row.raw.row)
}

/// How many rows of a conflict its table lists.
const LISTED: usize = 20;

fn conflict(
    rows: &[(usize, &CleanRow)],
    votes: &BTreeMap<Sentiment, BTreeSet<usize>>,
    winner: Option<Sentiment>,
) -> Option<Conflict> {
    let (_, first) = rows.first()?;
    let mut listed: Vec<String> = rows
        .iter()
        .take(LISTED)
        .map(|(_, row)| format!("{} row {}: {}", row.raw.source, row.raw.row, row.raw.raw_label))
        .collect();
    if rows.len() > LISTED {
        listed.push(format!("{} more", rows.len() - LISTED));
    }
    Some(Conflict {
        language: first.raw.language,
        text: first.raw.text.clone(),
        rows: listed.join("; "),
        votes: votes.iter().map(|(label, by)| format!("{label} {}", by.len())).collect::<Vec<_>>().join(", "),
        outcome: if winner.is_some() { "voted" } else { "dropped" }.to_owned(),
        label: winner,
    })
}
