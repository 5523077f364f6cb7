//! The page on what a model may have known.

use super::probe::Probe;
use super::split::Split;
use super::twins::{Expected, Twin};
use super::{Found, Knowledge};
use crate::reasoning::claims::Rate;
use report::plot::{IntervalPlot, LinePlot, Series, XAxis, intervals, line};
use report::{Document, Severity, Table, format};
use stats::classification::Interval;

pub(super) fn page(found: &Found) -> Document {
    let mut doc = Document::new("What the model may have known");
    doc.subtitle(format!(
        "{} decisions; what a language model may remember, and what its decisions depend on",
        format::count(found.decisions)
    ));
    doc.paragraph("A language model has read the past. If its training text reaches beyond the bars it decides on, its decisions may be memory and not judgement. Three tests: what it earned before and after its training text ends; whether it knows prices of dates when asked without context; whether its decisions change when only what it should read changes.");
    knowledge(&mut doc, &found.knowledge, found.split.as_ref());
    memory(&mut doc, found.probe.as_ref());
    twins(&mut doc, &found.twins);
    doc
}

fn cell(rate: &Rate) -> String {
    match rate.interval {
        None => format::UNDEFINED.to_owned(),
        Some((low, high)) => format!(
            "{} ({} … {})",
            format::percent(rate.value(), 1),
            format::percent(Some(low), 1),
            format::percent(Some(high), 1)
        ),
    }
}

fn knowledge(doc: &mut Document, knowledge: &Knowledge, split: Option<&Split>) {
    doc.heading("Before and after the training text ends");
    let Some(split) = split else {
        doc.callout(
            Severity::Warning,
            "Cut-off unknown",
            format!(
                "{}: {}. Nothing can be split; read every figure as possibly remembered.",
                knowledge.model, knowledge.source
            ),
        );
        return;
    };
    let cutoff = knowledge.cutoff.as_deref().unwrap_or_default();
    doc.paragraph(format!("{}: training text up to {cutoff} ({}).", knowledge.model, knowledge.source));
    let mut table = Table::new()
        .text("decisions")
        .number("how many")
        .number("right direction")
        .number("earned a bar, bps, before costs")
        .number("information");
    for side in &split.sides {
        table.push([
            side.name.to_owned(),
            format::count(side.decisions),
            cell(&side.right),
            format::number(side.earned.map(|e| e * 1e4), 2),
            format::number(side.information, 3),
        ]);
    }
    doc.table(table);
    match (split.difference, split.p) {
        (Some(d), Some(p)) => {
            doc.paragraph(format!("Before minus after: {:+.2} bps a bar; shifting outcomes in time gives a difference as large in {} of cases.", d * 1e4, format::percent(Some(p), 1)));
        }
        _ => {
            doc.callout(Severity::Note, "Nothing to compare", "One side of the cut-off has fewer than 20 decisions.");
        }
    }
}

fn memory(doc: &mut Document, probe: Option<&Probe>) {
    doc.heading("Does it remember prices?");
    let Some(probe) = probe else {
        doc.paragraph("No model was asked; give one with `--model`.");
        return;
    };
    doc.paragraph(format!("{} was asked for the close of {} bars by their date alone, and whether the price rose or fell in them. Chance: the same answers dealt to other dates. Dealing keeps the level of prices that a model may know, and takes away the date.", probe.model, probe.asked.len()));
    let mut table = Table::new().text("figure").number("value").number("p: dealt answers as good or better");
    table.push(["answers that hold a number".into(), cell(&probe.read), String::new()]);
    table.push(["within 1 % of the close".into(), cell(&probe.near), String::new()]);
    table.push([
        "median |ln(said / close)|".into(),
        format::number(probe.median_error, 4),
        format::number(probe.p_close, 3),
    ]);
    table.push(["right of rise or fall".into(), cell(&probe.direction), format::number(probe.p_direction, 3)]);
    doc.table(table);
    let remembered = [probe.p_close, probe.p_direction].into_iter().flatten().any(|p| p < 0.05);
    if remembered {
        doc.callout(Severity::Critical, "It remembers", "Its answers fit their dates better than dealt answers do (p below 5 %): decisions on these bars may be memory.");
    } else if probe.asked.iter().all(|a| a.said.is_none()) {
        doc.callout(Severity::Note, "Nothing to judge by", "The model gave no number in any answer (a model tuned to answer with labels does that), so only rise or fall could be compared, and there it shows no memory. The probe says little about this model.");
    } else {
        doc.callout(Severity::Note, "No memory found", "Its answers fit their dates no better than dealt answers do. That is no proof of ignorance: another question may find more.");
    }
    answers(doc, probe);
}

/// The answers beside the closes: drawn where there are numbers, and the first ones in words.
fn answers(doc: &mut Document, probe: &Probe) {
    let points = |f: &dyn Fn(&super::probe::Probed) -> Option<f64>| {
        probe.asked.iter().enumerate().filter_map(|(n, a)| Some((n as f64, f(a)?))).collect()
    };
    let plot = LinePlot {
        title: "Asked without context".into(),
        x: XAxis::Number("question, in the order of time".into()),
        y_label: "close".into(),
        series: vec![
            Series { name: "close".into(), points: points(&|a| Some(a.close)) },
            Series { name: "said".into(), points: points(&|a| a.said.filter(|s| *s < 10.0 * a.close)) },
        ],
    };
    if probe.asked.iter().any(|a| a.said.is_some()) {
        doc.figure(
            line(&plot),
            "What the closes were and what the model said (answers above ten times the close are left out).",
        );
    }
    let mut table = Table::new().text("symbol").text("bar").number("close").text("answer");
    for a in probe.asked.iter().take(10) {
        table.push([
            a.symbol.clone(),
            a.at.clone(),
            format::number(Some(a.close), 2),
            a.answer.chars().take(80).collect(),
        ]);
    }
    doc.table(table.caption("The first ten answers."));
}

fn twins(doc: &mut Document, twins: &[Twin]) {
    doc.heading("Twins of the market");
    if twins.is_empty() {
        doc.paragraph("No twins were given; give decisions made on them with `--twin name=DIR`.");
        return;
    }
    doc.paragraph("The same agent decided on twins of the market. Names, levels and dates should not matter; news with the opposite sense and numbers upside down should turn decisions; other texts should change them. Same side: of the bars on which both take a side. p is how often the twin, shifted in time, agrees (for the turned ones: disagrees) as much: small means that the relation is no accident.");
    let mut table = Table::new()
        .text("twin")
        .text("expected")
        .number("same side [95 %]")
        .number("correlation")
        .number("mean distance of positions")
        .number("bars on which only one takes a side")
        .number("p, one-sided")
        .text("verdict");
    for t in twins {
        let expected = match t.expected {
            Expected::Same => "the same",
            Expected::Opposite => "the opposite",
            Expected::Other => "different",
        };
        table.push([
            t.name.clone(),
            expected.to_owned(),
            cell(&t.same),
            format::number(t.correlation, 3),
            format::number(t.distance, 3),
            format::count(t.one_sided),
            format::number(t.p, 3),
            t.verdict.to_owned(),
        ]);
    }
    doc.table(table);
    let bar =
        |t: &Twin| Some(Interval { estimate: t.same.value()?, low: t.same.interval?.0, high: t.same.interval?.1 });
    let plot = IntervalPlot {
        title: "Share of bars with the same side".into(),
        x_label: "share".into(),
        rows: twins.iter().map(|t| t.name.clone()).collect(),
        series: vec![("same side as the original".into(), twins.iter().map(bar).collect())],
        mark: Some(0.5),
    };
    doc.figure(intervals(&plot), "Of the bars on which both take a side.");
}
