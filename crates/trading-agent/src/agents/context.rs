//! Which facts a prompt has room for.

use super::desk::Desk;

/// The facts that are shown, in the order in which they were asked for, and those left out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    /// Ids of the facts shown.
    pub kept: Vec<String>,
    /// Ids of the facts left out, least relevant first.
    pub dropped: Vec<String>,
}

/// Leaves out the least relevant facts (of equally relevant ones the oldest) until the rest fits into so many characters.
pub(super) fn select(desk: &Desk<'_>, ids: &[String], characters: usize) -> Selection {
    let size = |id: &String| desk.line(id).map_or(0, |line| line.chars().count() + LINE);
    let mut ranked: Vec<(usize, &String)> = ids.iter().enumerate().filter(|(_, id)| desk.fact(id).is_some()).collect();
    ranked.sort_by(|(a_place, a), (b_place, b)| {
        let at = |id: &String| desk.fact(id).map(|f| f.available_at);
        desk.relevance(b).total_cmp(&desk.relevance(a)).then(at(b).cmp(&at(a))).then(a_place.cmp(b_place))
    });
    let mut room = characters;
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    for (place, id) in ranked {
        let size = size(id);
        if size <= room {
            room -= size;
            kept.push((place, id.clone()));
        } else {
            dropped.push(id.clone());
        }
    }
    kept.sort_unstable();
    dropped.reverse();
    Selection { kept: kept.into_iter().map(|(_, id)| id).collect(), dropped }
}

/// Characters of a line beside the fact's own: its number and the line break.
const LINE: usize = 7;
