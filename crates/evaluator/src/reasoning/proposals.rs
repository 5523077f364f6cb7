//! What to change, each proposal with the figure it rests on.

use super::claims::{AgentClaims, Rate};
use super::consistency::Consistency;
use super::signal::Hits;
use super::sureness::Sureness;
use super::{Figures, Limits};
use grounding::Verdict;
use report::format;

/// At least so many proposals are made.
const LEAST: usize = 2;

/// Something to change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Proposal {
    /// What to do.
    pub(crate) action: String,
    /// The figure that says so.
    pub(crate) because: String,
    /// The figure as a multiple of its limit: 1 or more calls for a change.
    pub(crate) weight: f64,
}

/// Every figure beyond its limit, the farthest first. Where fewer than two are, those that come nearest to their limits.
pub(crate) fn proposals(figures: &Figures, limits: &Limits) -> Vec<Proposal> {
    let mut all: Vec<Proposal> = Vec::new();
    all.extend(hallucination(&figures.claims, limits));
    all.extend(contradiction(&figures.claims, limits));
    all.extend(calibration(&figures.sureness, limits));
    all.extend(information(figures));
    all.extend(turnover(figures, limits));
    all.extend(regimes(&figures.signal.hits, limits));
    all.extend(confidence(&figures.signal.hits));
    all.extend(figures.consistency.as_ref().and_then(|c| disagreement(c, limits)));
    all.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.action.cmp(&b.action)));
    let beyond = all.iter().filter(|p| p.weight >= 1.0).count();
    all.truncate(beyond.max(LEAST));
    all
}

fn shown(rate: &Rate) -> String {
    let (low, high) = rate.interval.unwrap_or((0.0, 1.0));
    format!(
        "{} ({} … {}, {} of {})",
        format::percent(rate.value(), 1),
        format::percent(Some(low), 1),
        format::percent(Some(high), 1),
        rate.hits,
        rate.of
    )
}

/// The agent whose claims are worst, and the kind of error it makes most.
fn hallucination(claims: &[AgentClaims], limits: &Limits) -> Option<Proposal> {
    let worst = claims
        .iter()
        .skip(1)
        .filter(|a| a.claims >= 20)
        .max_by(|a, b| a.hallucinated.value().unwrap_or(0.0).total_cmp(&b.hallucinated.value().unwrap_or(0.0)))?;
    let errors = Verdict::ALL.iter().zip(&worst.verdicts).filter(|(v, _)| super::claims::is_hallucination(**v));
    let (kind, _) = errors.max_by_key(|(_, rate)| rate.hits)?;
    Some(Proposal {
        action: format!(
            "Drop claims that the verifier refuses before the {} is heard (grounding filter), and look at its {kind} claims first.",
            worst.agent
        ),
        because: format!("hallucination rate of the {}: {}", worst.agent, shown(&worst.hallucinated)),
        weight: worst.hallucinated.value()? / limits.hallucination,
    })
}

fn contradiction(claims: &[AgentClaims], limits: &Limits) -> Option<Proposal> {
    let worst =
        claims.iter().skip(1).filter(|a| a.contradictions.of >= 20).max_by(|a, b| {
            a.contradictions.value().unwrap_or(0.0).total_cmp(&b.contradictions.value().unwrap_or(0.0))
        })?;
    Some(Proposal {
        action: format!("Ask the {} again where its score goes against its own rationale (critic).", worst.agent),
        because: format!("contradiction rate of the {}: {}", worst.agent, shown(&worst.contradictions)),
        weight: worst.contradictions.value()? / limits.contradiction,
    })
}

fn calibration(sureness: &[Sureness], limits: &Limits) -> Option<Proposal> {
    let decision = sureness.first().filter(|s| s.calls >= 20)?;
    let (sure, right, error) = (decision.confidence?, decision.right?, decision.error?);
    let (action, how) = if sure > right {
        (
            "Map confidence to the share that was right so far (isotonic or Platt, past outcomes only); positions sized by it become smaller.",
            "too sure",
        )
    } else {
        (
            "Map confidence to the share that was right so far (isotonic or Platt, past outcomes only); positions sized by it become larger.",
            "too timid",
        )
    };
    Some(Proposal {
        action: action.to_owned(),
        because: format!(
            "calibration error of the decisions: {} ({how}: mean confidence {}, {} right, Brier {})",
            format::percent(Some(error), 1),
            format::percent(Some(sure), 1),
            format::percent(Some(right), 1),
            format::number(decision.brier, 3)
        ),
        weight: error / limits.calibration_error,
    })
}

/// No information, information that points the wrong way, or more of it over another horizon.
fn information(figures: &Figures) -> Vec<Proposal> {
    let mut found = Vec::new();
    let show = |i: &stats::selection::Interval| format!("{:+.3} ({:+.3} … {:+.3})", i.estimate, i.low, i.high);
    if let Some((first, interval)) = figures.signal.decay.first().and_then(|f| Some((f, f.interval?))) {
        let half = (interval.high - interval.low) / 2.0;
        if interval.low <= 0.0 {
            found.push(Proposal {
                action: "Trade smaller, or not at all, until the positions carry information: costs are certain, the gain is not.".into(),
                because: format!("information coefficient, {} ahead: {}, its interval holds 0", super::page::bars_in_words(first.horizon), show(&interval)),
                weight: 1.0 + (half - interval.estimate).max(0.0),
            });
        }
        let best = figures.signal.decay.iter().filter_map(|f| Some((f, f.interval?))).filter(|(_, i)| i.low > 0.0);
        let best = best.max_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate));
        if let Some((slow, i)) = best.filter(|(f, i)| f.horizon > first.horizon && i.estimate > 1.2 * interval.estimate)
        {
            found.push(Proposal {
                action: format!(
                    "Hold positions for about {} bars: there the signal says more than over one.",
                    slow.horizon
                ),
                because: format!(
                    "information coefficient over {} bars: {} against {} over {}",
                    slow.horizon,
                    show(&i),
                    show(&interval),
                    first.horizon
                ),
                weight: 1.0 + i.estimate - interval.estimate,
            });
        }
    }
    let wrong = figures.signal.agents.iter().filter_map(|f| Some((f, f.interval?))).filter(|(_, i)| i.high < 0.0);
    if let Some((agent, i)) = wrong.min_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate)) {
        found.push(Proposal {
            action: format!("Leave the {} out, or halve its weight: its scores point the wrong way.", agent.who),
            because: format!("information coefficient of the {}: {}", agent.who, show(&i)),
            weight: 1.0 - i.estimate,
        });
    }
    found
}

fn turnover(figures: &Figures, limits: &Limits) -> Option<Proposal> {
    let turnover = figures.signal.turnover?;
    Some(Proposal {
        action: "Widen the band in which a position is kept, or limit its change a bar: turnover is paid for in costs."
            .into(),
        because: format!("mean change of position a bar: {turnover:.3}"),
        weight: turnover / limits.turnover,
    })
}

/// The widest gap between the hit rates of two regimes whose intervals do not meet.
fn regimes(hits: &[Hits], limits: &Limits) -> Option<Proposal> {
    let mut widest: Option<(f64, &Hits, &Hits)> = None;
    for a in hits.iter().filter(|h| h.by == "volatility" || h.by == "trend") {
        for b in hits.iter().filter(|b| b.by == a.by) {
            let (Some((low, _)), Some((_, high))) = (a.rate.interval, b.rate.interval) else { continue };
            let (Some(better), Some(worse)) = (a.rate.value(), b.rate.value()) else { continue };
            if low > high && widest.is_none_or(|w| better - worse > w.0) {
                widest = Some((better - worse, a, b));
            }
        }
    }
    let (gap, better, worse) = widest?;
    Some(Proposal {
        action: format!("Trade less where {} is {}.", worse.by, worse.slice),
        because: format!(
            "hit rate with {} {}: {}; {}: {}",
            better.by,
            better.slice,
            shown(&better.rate),
            worse.slice,
            shown(&worse.rate)
        ),
        weight: gap / limits.regime_gap,
    })
}

/// Confidence that does not tell right from wrong.
fn confidence(hits: &[Hits]) -> Option<Proposal> {
    let of = |slice: &str| hits.iter().find(|h| h.by == "confidence" && h.slice == slice).filter(|h| h.rate.of >= 20);
    let (least, most) = (of("least sure")?, of("most sure")?);
    let gain = most.rate.value()? - least.rate.value()?;
    (gain <= 0.0).then(|| Proposal {
        action: "Do not size positions by confidence as it is: the surest calls are not the best.".into(),
        because: format!(
            "hit rate of the most sure third: {}; of the least sure: {}",
            shown(&most.rate),
            shown(&least.rate)
        ),
        weight: 1.0 - gain,
    })
}

fn disagreement(consistency: &Consistency, limits: &Limits) -> Option<Proposal> {
    let apart = 1.0 - consistency.agreement.value()?;
    Some(Proposal {
        action: format!(
            "Average the scores of {} or more runs with other seeds before taking a side.",
            consistency.runs.max(3)
        ),
        because: format!(
            "runs with other seeds take another side on {} of bars (mean standard deviation of positions {})",
            format::percent(Some(apart), 1),
            format::number(consistency.spread, 3)
        ),
        weight: apart / limits.disagreement,
    })
}
