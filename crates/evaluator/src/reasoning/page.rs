//! The report on the reasoning.

use super::claims::{AgentClaims, Rate};
use super::outcome::Outcome;
use super::record::Record;
use super::signal::{Hits, Information};
use super::{Figures, ReasoningConfig, sheet};
use artifacts::rows::Event;
use grounding::Verdict;
use report::plot::{
    BarPlot, HistogramPlot, IntervalPlot, LinePlot, ReliabilityPlot, Series, XAxis, bars, histogram, intervals, line,
    reliability,
};
use report::{Document, Severity, Table, Tile, format};
use stats::classification::Interval;

pub(super) fn page(config: &ReasoningConfig, record: &Record, outcomes: &[Outcome<'_>], figures: &Figures) -> Document {
    let mut doc = Document::new("How the agents reason");
    let bars = record.decisions.len() as u64;
    doc.subtitle(format!(
        "{} decisions, {} opinions, {} claims",
        format::count(bars),
        format::count(record.opinions.len() as u64),
        format::count(record.checked.len() as u64)
    ));
    tiles(&mut doc, figures);
    doc.heading("What to change");
    doc.paragraph("Made by rules from the figures below. The last column is the figure as a multiple of its limit: below 1 it is within the limit, and the proposal is only the next best.");
    let mut table = Table::new().text("proposal").text("figure it rests on").number("times its limit");
    for p in &figures.proposals {
        table.push([p.action.clone(), p.because.clone(), format!("{:.2}", p.weight)]);
    }
    doc.table(table);
    claims(&mut doc, figures);
    sureness(&mut doc, config, figures);
    consistency(&mut doc, figures);
    signal(&mut doc, config, figures);
    work(&mut doc, record);
    sheet::section(&mut doc, record, outcomes, figures, config.shown);
    doc
}

fn tiles(doc: &mut Document, figures: &Figures) {
    let mut tiles = Vec::new();
    if let Some(all) = figures.claims.first().filter(|a| a.claims > 0) {
        tiles.push(Tile::new(
            "claims not as their facts say",
            format::percent(all.hallucinated.value(), 1),
            bounds(&all.hallucinated),
        ));
        tiles.push(Tile::new(
            "opinions against their rationale",
            format::percent(all.contradictions.value(), 1),
            bounds(&all.contradictions),
        ));
    }
    if let Some(s) = figures.sureness.first().filter(|s| s.calls > 0) {
        tiles.push(Tile::new(
            "calibration error of decisions",
            format::percent(s.error, 1),
            format!("{} decisions with a side", format::count(s.calls)),
        ));
    }
    if let Some(i) = figures.signal.decay.first() {
        let note = i.interval.map_or_else(String::new, |v| format!("{:+.3} … {:+.3}", v.low, v.high));
        tiles.push(Tile::new(
            format!("information coefficient, {} ahead", bars_in_words(i.horizon)),
            format::number(i.interval.map(|v| v.estimate), 3),
            note,
        ));
    }
    if let Some(h) = figures.signal.hits.first() {
        tiles.push(Tile::new("right direction", format::percent(h.rate.value(), 1), bounds(&h.rate)));
    }
    doc.tiles(tiles);
}

/// `1 bar`, `2 bars`.
pub(super) fn bars_in_words(n: usize) -> String {
    if n == 1 { "1 bar".to_owned() } else { format!("{n} bars") }
}

fn bounds(rate: &Rate) -> String {
    match rate.interval {
        Some((low, high)) => format!("{} … {}", format::percent(Some(low), 1), format::percent(Some(high), 1)),
        None => "no rows".into(),
    }
}

fn cell(rate: &Rate) -> String {
    if rate.of == 0 {
        format::UNDEFINED.to_owned()
    } else {
        format!("{} ({})", format::percent(rate.value(), 1), bounds(rate))
    }
}

fn claims(doc: &mut Document, figures: &Figures) {
    doc.heading("Are the claims what their facts say?");
    let spoken: Vec<&AgentClaims> = figures.claims.iter().filter(|a| a.claims > 0).collect();
    if spoken.is_empty() {
        doc.callout(Severity::Note, "No claims", "This run has no opinions with claims: there is nothing to verify.");
        return;
    }
    doc.paragraph("Each claim is held against the fact it cites by a deterministic verifier: numbers to the precision they are written to, dates, names, directions, and whether the fact is about the same thing. Uncited claims state something checkable and cite nothing; they are not counted as hallucinations. Intervals are Wilson's.");
    let mut table = Table::new()
        .text("agent")
        .number("claims")
        .number("not as the fact says [95 %]")
        .number("uncited [95 %]")
        .number("score against own rationale [95 %]");
    for a in &spoken {
        let uncited = Verdict::ALL
            .iter()
            .zip(&a.verdicts)
            .find(|(v, _)| **v == Verdict::Uncited)
            .map_or_else(String::new, |(_, r)| cell(r));
        table.push([a.agent.clone(), format::count(a.claims), cell(&a.hallucinated), uncited, cell(&a.contradictions)]);
    }
    doc.table(table);
    let kinds = Verdict::ALL.iter().enumerate().filter(|(_, v)| **v != Verdict::Supported);
    let mut table = kinds.clone().fold(Table::new().text("agent"), |t, (_, kind)| t.number(kind.to_string()));
    for a in &spoken {
        let share = |n: usize| format::percent(a.verdicts.get(n).and_then(Rate::value), 1);
        table.push(std::iter::once(a.agent.clone()).chain(kinds.clone().map(|(n, _)| share(n))));
    }
    doc.table(table.caption("Share of each agent's claims, by kind of error."));
    doc.list([
        "wrong-number, wrong-date, wrong-name, wrong-direction: the cited fact says another number, time, instrument or sign.",
        "wrong-fact: the cited fact is about something else. unknown-fact: the number cited was not given. uncited: states something checkable and \
         cites nothing.",
    ]);
    let plot = BarPlot {
        title: "Claims that are not what their facts say".into(),
        y_label: "% of the agent's claims".into(),
        categories: spoken.iter().map(|a| a.agent.clone()).collect(),
        series: kinds
            .map(|(n, kind)| {
                let of = |a: &&AgentClaims| a.verdicts.get(n).and_then(Rate::value).map(|v| 100.0 * v);
                (kind.to_string(), spoken.iter().map(of).collect())
            })
            .collect(),
    };
    doc.figure(bars(&plot), "By agent and kind of error, as the verifier finds it.");
    let a = &figures.against;
    doc.paragraph(format!("The position has the other sign than the trader's score in {}; it goes against the decision's own words in {}. (Risk limits and other parts of a hybrid may turn a position on purpose; the words then say so.)", cell(&a.trader), cell(&a.rationale)));
    if let Some(scores) = &figures.verifier {
        doc.subheading("The verifier itself");
        doc.paragraph("The sentences of this run were made by a simulation that knows which of its claims it spoiled, so the verifier can be measured on this very run. Precision: of the claims given this verdict, how many were of this kind; recall: of the claims of this kind, how many were found. All figures with 95 % intervals (Wilson).");
        let mut table = Table::new().text("kind").number("precision").number("recall");
        for s in scores {
            table.push([s.kind.to_string(), cell(&s.precision), cell(&s.recall)]);
        }
        doc.table(table);
    }
}

fn sureness(doc: &mut Document, config: &ReasoningConfig, figures: &Figures) {
    doc.heading("Are the agents as sure as they are right?");
    doc.paragraph(format!("Confidence is taken as the probability that the close moves in the direction of the position (or the score) over {}. Calls are those with a direction; who has none never took a side. The calibration error is the mean gap between confidence and the share that was right, in groups of like confidence. The Brier score is the mean squared error of the confidence: always saying one half gives 0.25, lower is better.", bars_in_words(config.horizon)));
    let mut table = Table::new()
        .text("who")
        .number("calls")
        .number("mean confidence")
        .number("right")
        .number("calibration error")
        .number("Brier");
    for s in &figures.sureness {
        table.push([
            s.who.clone(),
            format::count(s.calls),
            format::percent(s.confidence, 1),
            format::percent(s.right, 1),
            format::percent(s.error, 1),
            format::number(s.brier, 3),
        ]);
    }
    doc.table(table);
    if let Some(s) = figures.sureness.iter().find(|s| s.calls > 0) {
        let plot =
            ReliabilityPlot { title: format!("Reliability, {}", s.who), series: vec![(s.who.clone(), s.bins.clone())] };
        doc.figure(
            reliability(&plot),
            "Share right against confidence: on the diagonal both are equal, below it too sure.",
        );
    }
}

fn consistency(doc: &mut Document, figures: &Figures) {
    doc.heading("Would another seed have decided the same?");
    let Some(c) = &figures.consistency else {
        doc.paragraph("Only one run was given; give others with `--other`.");
        return;
    };
    doc.paragraph(format!("{} runs over {} bars that differ in their seed alone. All take the same side (up, down, none) on {}; two of them agree on {}. The standard deviation of a bar's positions over the runs is {} on average, of positions in [-1, 1].", c.runs, format::count(c.bars), cell(&c.unanimous), cell(&c.agreement), format::number(c.spread, 3)));
    let plot = HistogramPlot {
        title: "How far the runs are apart".into(),
        x_label: "standard deviation of the positions of a bar".into(),
        bins: 20,
        series: vec![("bars".into(), c.spreads.clone())],
    };
    doc.figure(histogram(&plot), "0: all runs took the same position.");
}

fn interval(i: &Information) -> Option<Interval> {
    i.interval.map(|v| Interval { estimate: v.estimate, low: v.low, high: v.high })
}

fn signal(doc: &mut Document, config: &ReasoningConfig, figures: &Figures) {
    doc.heading("Do the positions know anything?");
    doc.paragraph(format!("The information coefficient (IC) is Spearman's rank correlation of the position with the return of the close over the next bars; intervals by a stationary bootstrap (blocks of {} decisions on average, or the horizon). p is two-sided: of a coefficient as far from 0 if there were no relation. A score that never changes has none. Nothing here is after costs: the backtest says what is left.", config.mean_block));
    let mut table = Table::new()
        .text("who")
        .number("bars ahead")
        .number("pairs")
        .number("information coefficient")
        .number("95 % interval")
        .number("p, two-sided");
    for i in figures.signal.decay.iter().chain(&figures.signal.agents) {
        let v = i.interval;
        let ends = v.map_or_else(|| format::UNDEFINED.to_owned(), |v| format!("{:+.3} … {:+.3}", v.low, v.high));
        table.push([
            i.who.clone(),
            i.horizon.to_string(),
            format::count(i.pairs),
            format::number(v.map(|v| v.estimate), 3),
            ends,
            format::number(v.map(|v| v.p_value), 3),
        ]);
    }
    doc.table(table);
    let points = |f: &dyn Fn(Interval) -> f64| {
        figures.signal.decay.iter().filter_map(|i| Some((i.horizon as f64, f(interval(i)?)))).collect()
    };
    let plot = LinePlot {
        title: "How the information decays".into(),
        x: XAxis::Number("bars ahead".into()),
        y_label: "information coefficient".into(),
        series: vec![
            Series { name: "estimate".into(), points: points(&|i| i.estimate) },
            Series { name: "lower bound".into(), points: points(&|i| i.low) },
            Series { name: "upper bound".into(), points: points(&|i| i.high) },
        ],
    };
    doc.figure(line(&plot), "Rank correlation of position and return, by horizon.");
    if !figures.signal.agents.is_empty() {
        let plot = IntervalPlot {
            title: "Information of each agent's score".into(),
            x_label: format!("information coefficient, {} ahead", bars_in_words(config.horizon)),
            rows: figures.signal.agents.iter().map(|i| i.who.clone()).collect(),
            series: vec![("score".into(), figures.signal.agents.iter().map(interval).collect())],
            mark: Some(0.0),
        };
        doc.figure(intervals(&plot), "An interval that holds 0 is no information that could be told from chance.");
    }
    doc.subheading("Right directions, by kind of market and by confidence");
    doc.paragraph("Terciles of volatility and confidence are taken over the whole run: they describe it and were not known while it was decided.");
    let slices: Vec<&Hits> = figures.signal.hits.iter().filter(|h| h.rate.of > 0).collect();
    let mut table = Table::new().text("by").text("group").number("calls").number("right [95 % interval]");
    for h in &slices {
        table.push([h.by.to_owned(), h.slice.clone(), format::count(h.rate.of), cell(&h.rate)]);
    }
    doc.table(table);
    let bar =
        |h: &&Hits| Some(Interval { estimate: h.rate.value()?, low: h.rate.interval?.0, high: h.rate.interval?.1 });
    let plot = IntervalPlot {
        title: "Share of right directions".into(),
        x_label: "share right".into(),
        rows: slices
            .iter()
            .map(|h| if h.by == "all" { "all".to_owned() } else { format!("{}: {}", h.by, h.slice) })
            .collect(),
        series: vec![("decisions".into(), slices.iter().map(bar).collect())],
        mark: Some(0.5),
    };
    doc.figure(intervals(&plot), "Wilson intervals; they take calls for independent, which overlapping ones are not.");
    doc.paragraph(format!(
        "Positions are held on {} of bars and change by {} of equity a bar on average.",
        format::percent(figures.signal.active, 1),
        format::percent(figures.signal.turnover, 1)
    ));
}

fn work(doc: &mut Document, record: &Record) {
    if record.events.is_empty() {
        return;
    }
    doc.heading("How the agents worked");
    let mut agents: Vec<&str> = record.events.keys().map(|(agent, _)| agent.as_str()).collect();
    agents.dedup();
    let mut table = Table::new().text("agent");
    for event in Event::ALL {
        table = table.number(event.as_str());
    }
    for agent in agents {
        let count = |event: &Event| record.events.get(&(agent.to_owned(), *event)).copied().unwrap_or(0);
        table.push(std::iter::once(agent.to_owned()).chain(Event::ALL.iter().map(|e| format::count(count(e)))));
    }
    doc.table(table.caption(format!(
        "Steps by agent; models read {} tokens and wrote {}.",
        format::count(record.tokens.0),
        format::count(record.tokens.1)
    )));
}
