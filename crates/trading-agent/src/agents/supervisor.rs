//! Observe, choose the next role, observe again: whoever has nothing new is not asked, and who agrees does not debate.

use super::Role;
use super::config::Chooser;
use super::desk::Desk;
use super::message::{Message, View};
use super::state::{Carried, State};
use super::team::{Table, Team};
use crate::Error;
use crate::tools::moment;
use artifacts::rows::Event;

/// Where the work on one bar stands.
#[derive(Default)]
struct Progress {
    /// Analysts that still have something new, with what their tools found.
    waiting: Vec<(Role, Vec<String>)>,
    rounds: u32,
    proposal: Option<View>,
    /// The critic's reasons, until the trader has answered them.
    objections: Vec<String>,
    criticised: bool,
}

/// Works until nothing is left to do, or the step limit is reached; the last step is then the trader's.
pub(crate) fn run(team: &Team, desk: &mut Desk<'_>, state: &mut State, table: &mut Table) -> Result<View, Error> {
    let mut progress = observe(team, desk, state, table)?;
    let agents = &team.config.agents;
    for step in 1..=agents.step_limit {
        let last = step == agents.step_limit && progress.proposal.is_none();
        let allowed =
            if last { vec![(Role::Trader, "the step limit is reached")] } else { allowed(team, table, &progress) };
        if allowed.is_empty() {
            break;
        }
        let roles: Vec<Role> = allowed.iter().map(|(role, _)| *role).collect();
        let place = match agents.chooser {
            Chooser::Model if roles.len() > 1 => team.reasoner.choose(desk, &so_far(table), &roles)?,
            _ => 0,
        };
        let Some((next, why)) = allowed.get(place).copied() else { break };
        desk.tell(Role::Coordinator, next, &Message::Turn { next, why: why.to_owned() });
        work(team, desk, state, table, &mut progress, next)?;
    }
    Ok(progress.proposal.unwrap_or_else(|| View::neutral(Role::Trader, "the step limit left no proposal")))
}

/// Has every analyst's tools look; who finds what it found last time keeps its view.
fn observe(team: &Team, desk: &mut Desk<'_>, state: &mut State, table: &mut Table) -> Result<Progress, Error> {
    let mut progress = Progress::default();
    let analysts: Vec<Role> = team.analysts().collect();
    for role in analysts {
        let facts = team.look_up(desk, state, table, role)?;
        let seen = fingerprint(desk, &facts);
        let carried = state.saved.carried.get(&role).filter(|carried| carried.seen == seen).cloned();
        if let Some(carried) = carried {
            let response = format!("nothing new since {}: {:+.2}", moment(carried.at), carried.score);
            desk.trace(role.name(), Event::Memory, "last view".into(), response, Vec::new());
            let mut view = View::neutral(role, "nothing new");
            (view.score, view.confidence, view.weight) = (carried.score, carried.confidence, 1.0);
            table.hear(desk, role.name(), &view);
        } else if !facts.is_empty() {
            progress.waiting.push((role, facts));
        }
        state.saved.carried.entry(role).or_insert_with(|| Carried {
            seen: String::new(),
            at: desk.t(),
            score: 0.0,
            confidence: 0.0,
        });
    }
    Ok(progress)
}

/// A hash of what facts are about. Not of their values: an average that fades with time is nothing new.
fn fingerprint(desk: &Desk<'_>, facts: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    for fact in facts.iter().filter_map(|id| desk.fact(id)) {
        hasher.update(format!("{}\0{}\0{}\n", fact.kind, fact.name, fact.event_at).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Who may work next, whom the rules would choose first, and why.
fn allowed(team: &Team, table: &Table, progress: &Progress) -> Vec<(Role, &'static str)> {
    let agents = &team.config.agents;
    if let Some(_proposal) = &progress.proposal {
        if !progress.objections.is_empty() {
            return vec![(Role::Trader, "the critic objects")];
        }
        return if agents.critic && !progress.criticised {
            vec![(Role::Critic, "a proposal is made")]
        } else {
            Vec::new()
        };
    }
    let mut next: Vec<(Role, &'static str)> =
        progress.waiting.iter().map(|(role, _)| (*role, "has something new")).collect();
    if next.is_empty() && progress.rounds < agents.debate_rounds && spread(table) > agents.disagreement {
        next.push((Role::Bull, "the views lie apart"));
    }
    if progress.waiting.len() <= 1 {
        next.push((Role::Trader, "everyone is heard"));
    }
    next
}

/// How far the views lie apart.
fn spread(table: &Table) -> f64 {
    let scores = table.views.iter().map(|(_, view)| view.weighted());
    let (low, high) = scores.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), s| (low.min(s), high.max(s)));
    (high - low).max(0.0)
}

fn so_far(table: &Table) -> String {
    let line =
        |(agent, view): &(String, View)| format!("{agent}: {:+.2}, confidence {:.2}", view.weighted(), view.confidence);
    let lines: Vec<String> = table.views.iter().map(line).collect();
    if lines.is_empty() { "nobody has reported yet".into() } else { lines.join("\n") }
}

fn work(
    team: &Team,
    desk: &mut Desk<'_>,
    state: &mut State,
    table: &mut Table,
    progress: &mut Progress,
    next: Role,
) -> Result<(), Error> {
    match next {
        Role::Bull | Role::Bear => {
            progress.rounds += 1;
            team.debate(desk, table, progress.rounds)
        }
        Role::Trader => {
            let objections = std::mem::take(&mut progress.objections).join(" ");
            progress.proposal = Some(team.propose(desk, state, table, &objections)?);
            Ok(())
        }
        Role::Critic => {
            progress.criticised = true;
            if let Some(view) = &progress.proposal {
                progress.objections = team.criticise(desk, view);
            }
            Ok(())
        }
        role => {
            let Some(place) = progress.waiting.iter().position(|(waiting, _)| *waiting == role) else { return Ok(()) };
            let (_, facts) = progress.waiting.remove(place);
            let seen = fingerprint(desk, &facts);
            let view = team.analyse(desk, table, role, facts)?;
            let carried = view.filter(|view| view.weight > 0.0).map(|view| Carried {
                seen,
                at: desk.t(),
                score: view.weighted(),
                confidence: view.confidence,
            });
            // Who failed is asked again at the next bar.
            match carried {
                Some(carried) => drop(state.saved.carried.insert(role, carried)),
                None => drop(state.saved.carried.remove(&role)),
            }
            Ok(())
        }
    }
}
