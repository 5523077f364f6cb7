use super::raw::CleanRow;
use artifacts::rows::{Language, Rejected, Sentiment};
use std::collections::{BTreeMap, BTreeSet};

/// Leaves one row of each text and language.
///
/// Of equal texts, copies in a less protected part of a data set go first (a training copy of a test row is a leak). Where the rest
/// disagree about the label, each source has one vote for each label it gives: repeated rows of one source do not count,
/// since FinGPT repeats its rows on purpose. A tie drops them all. Refused rows keep their reason.
pub(super) fn deduplicate(rows: Vec<CleanRow>, rejected: &mut Vec<Rejected>) -> Vec<CleanRow> {
    let mut groups: BTreeMap<(Language, &str), Vec<usize>> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        groups.entry((row.raw.language, &row.key)).or_default().push(i);
    }
    let mut fates: Vec<Option<(&'static str, String)>> = vec![None; rows.len()];
    for members in groups.values().filter(|m| m.len() > 1) {
        judge(members, &rows, &mut fates);
    }
    let mut kept = Vec::new();
    for (row, fate) in rows.into_iter().zip(fates) {
        match fate {
            None => kept.push(row),
            Some((reason, detail)) => rejected.push(refused(&row, reason, &detail)),
        }
    }
    kept
}

pub(super) fn refused(row: &CleanRow, reason: &str, detail: &str) -> Rejected {
    Rejected::new(&row.raw.source, row.raw.row, &row.raw.text, &row.raw.raw_label, reason, detail)
}

fn judge(members: &[usize], rows: &[CleanRow], fates: &mut [Option<(&'static str, String)>]) {
    let members: Vec<(usize, &CleanRow)> = members.iter().filter_map(|&i| rows.get(i).map(|r| (i, r))).collect();
    let top = members.iter().map(|(_, r)| r.raw.split).max();
    let (protected, others): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, r)| Some(r.raw.split) == top);
    let mut votes: BTreeMap<Sentiment, BTreeSet<usize>> = BTreeMap::new();
    for (_, row) in &protected {
        votes.entry(row.label).or_default().insert(row.raw.vote);
    }
    let most = votes.values().map(BTreeSet::len).max().unwrap_or(0);
    let winners: Vec<Sentiment> = votes.iter().filter(|(_, v)| v.len() == most).map(|(label, _)| *label).collect();
    let mut set = |i: usize, reason, detail| {
        if let Some(fate) = fates.get_mut(i) {
            *fate = Some((reason, detail));
        }
    };
    let winner = match winners.as_slice() {
        [winner] => *winner,
        tied => {
            let labels = tied.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            for (i, _) in protected.iter().chain(&others) {
                set(*i, "conflicting-labels", format!("equal texts are {labels}, with {most} vote(s) each"));
            }
            return;
        }
    };
    let first = protected.iter().find(|(_, r)| r.label == winner);
    let place = first.map(|(_, r)| format!("{} row {}", r.raw.source, r.raw.row)).unwrap_or_default();
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
}
