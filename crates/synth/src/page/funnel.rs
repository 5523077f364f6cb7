use super::share;
use crate::known::{Known, Print, Runs};
use crate::{ATTRIBUTES, Config, RUNGS, Strategy, Style, Synthesis};
use artifacts::rows::{Candidate, Example, Sentiment, Verdict};
use report::plot::{BarPlot, bars};
use report::{Document, Table, format};
use stats::distribution::cramers_v;
use std::collections::BTreeMap;

/// What each rung asks.
const fn question(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "passed every rung",
        Verdict::Format => "one whole, sentence-like line of the right length",
        Verdict::Language => "in the language asked for",
        Verdict::LabelLeak => "does not name its label",
        Verdict::TemplateLeak => "has nothing of its prompt or of an assistant's frame",
        Verdict::Contaminated => "is no copy of an evaluation row and shares no long run of words with one",
        Verdict::Duplicate => "is no copy of an earlier candidate or a training row",
        Verdict::Unlike => "reads enough like the real rows to be judged",
        Verdict::Label => "the judges find the label asked for",
        Verdict::Suspicious => "confident learning finds the label in order",
        Verdict::Surplus => "its label still has room",
    }
}

/// How many candidates are left after each rung, as table and figure.
pub(super) fn funnel(doc: &mut Document, synthesis: &Synthesis) {
    let made = synthesis.candidates.len();
    let mut left = made;
    let mut table = Table::new().text("rung").text("asks").number("refused").number("left").number("left of all");
    table.push(["generated".to_owned(), String::new(), String::new(), made.to_string(), share(made, made)]);
    let mut steps = vec![("generated".to_owned(), Some(made as f64))];
    for verdict in RUNGS {
        let count = synthesis.of(verdict).count();
        left -= count;
        table.push([
            verdict.to_string(),
            question(verdict).to_owned(),
            count.to_string(),
            left.to_string(),
            share(left, made),
        ]);
        steps.push((verdict.to_string(), Some(left as f64)));
    }
    doc.heading("Funnel");
    doc.paragraph("Candidates climb the rungs in this order; the first that refuses one is its verdict.");
    let (categories, values) = steps.into_iter().unzip();
    let plot = BarPlot {
        title: "Candidates left after each rung".into(),
        y_label: "candidates".into(),
        categories,
        series: vec![("left".into(), values)],
    };
    doc.figure(bars(&plot), "Candidates left after each rung.");
    doc.table(table);
}

/// What is kept, compared with the evaluation rows once more: independent of the ladder's own books.
pub(super) fn leakage(doc: &mut Document, config: &Config, synthesis: &Synthesis, eval: &[Example]) {
    let (mut known, mut runs) = (Known::default(), Runs::of(config.shared_run()));
    for row in eval {
        known.add(row.id.clone(), Print::of(&row.text));
        runs.add(&row.id, &row.text);
    }
    let kept: Vec<&Candidate> = synthesis.of(Verdict::Kept).collect();
    let similar = kept.iter().filter(|c| known.find(&Print::of(&c.text), config.contamination).is_some()).count();
    let shared = kept.iter().filter(|c| runs.find(&c.text).is_some()).count();
    let mut table = Table::new().text("kept rows that").number("rows");
    table.push([
        format!("resemble an evaluation row (Jaccard of 5-grams of {} or more)", config.contamination),
        similar.to_string(),
    ]);
    table.push([format!("share {} words in a row with an evaluation row", config.shared_run()), shared.to_string()]);
    doc.subheading("Contamination");
    doc.table(table);
}

/// Labels, ways of asking, ways of drawing, and what the label has to do with the attributes.
pub(super) fn balance(doc: &mut Document, config: &Config, synthesis: &Synthesis) {
    let all = &synthesis.candidates;
    let count = |of: &dyn Fn(&Candidate) -> bool| {
        let made = all.iter().filter(|c| of(c)).count();
        (made, all.iter().filter(|c| c.verdict == Verdict::Kept && of(c)).count())
    };
    doc.heading("By label and by way of asking");
    let mut labels =
        Table::new().text("label").number("asked for").number("candidates").number("kept").number("share kept");
    for (label, asked) in Sentiment::ALL.iter().zip(config.shares()) {
        let (made, kept) = count(&|c| c.intended == *label);
        labels.push([label.to_string(), asked.to_string(), made.to_string(), kept.to_string(), share(kept, made)]);
    }
    doc.table(labels);
    let mut ways =
        Table::new().text("asked").text("tokens chosen").number("candidates").number("kept").number("share kept");
    for strategy in Strategy::ALL {
        for style in Style::ALL {
            let (made, kept) = count(&|c| c.strategy == strategy.name() && c.sampling == style.name());
            if made > 0 {
                ways.push([
                    strategy.name().to_owned(),
                    style.name().to_owned(),
                    made.to_string(),
                    kept.to_string(),
                    share(kept, made),
                ]);
            }
        }
    }
    doc.table(ways);
    attributes(doc, all);
}

fn attributes(doc: &mut Document, all: &[Candidate]) {
    if all.iter().all(|c| c.sector.is_none()) {
        return;
    }
    doc.subheading("Attributes and label");
    doc.paragraph("Cramér's V of the label with each attribute: 0 where the label says nothing about it. Among the candidates it is small by construction; among the kept ones it shows what the ladder prefers.");
    let mut table = Table::new().text("attribute").number("values").number("among candidates").number("among kept");
    for (i, (name, values)) in ATTRIBUTES.iter().enumerate() {
        let v = |kept: bool| {
            let rows = all.iter().filter(|c| !kept || c.verdict == Verdict::Kept);
            let mut counts: BTreeMap<(&str, Sentiment), u64> = BTreeMap::new();
            for candidate in rows {
                let wishes = [
                    &candidate.sector,
                    &candidate.event,
                    &candidate.region,
                    &candidate.register,
                    &candidate.length,
                    &candidate.difficulty,
                ];
                if let Some(value) = wishes.get(i).and_then(|wish| wish.as_deref()) {
                    *counts.entry((value, candidate.intended)).or_default() += 1;
                }
            }
            let row = |label: &Sentiment| {
                values.iter().map(|v| counts.get(&(v.name, *label)).copied().unwrap_or(0)).collect::<Vec<_>>()
            };
            cramers_v(&Sentiment::ALL.iter().map(row).collect::<Vec<_>>()).ok().flatten()
        };
        table.push([
            (*name).to_owned(),
            values.len().to_string(),
            format::number(v(false), 3),
            format::number(v(true), 3),
        ]);
    }
    doc.table(table);
}
