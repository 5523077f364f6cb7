use super::share;
use crate::{Config, JUDGES, Synthesis};
use artifacts::rows::{Candidate, Sentiment};
use report::{Document, Table, format};

type LabelOf = fn(&Candidate) -> Option<Sentiment>;

/// What the judges said, and how far they are to be trusted.
pub(super) fn judges(doc: &mut Document, config: &Config, synthesis: &Synthesis) {
    doc.heading("Judges");
    let check = &synthesis.judge;
    doc.paragraph(format!(
        "{} of the three judges must find the label asked for, each with a probability of {} or more. None of them is told that label. On {} real evaluation rows that none of them learned from:",
        config.judges.agree, config.judges.probability, check.rows
    ));
    let mut table = Table::new()
        .text("judge")
        .number("rows")
        .number("right")
        .number("95 % interval")
        .number("sure about")
        .number("right where sure");
    for (name, record) in JUDGES.iter().zip(check.judges) {
        let interval = record.accuracy().map_or_else(
            || format::number(None, 2),
            |(_, (low, high))| format!("{:.1} to {:.1} %", 100.0 * low, 100.0 * high),
        );
        table.push([
            (*name).to_owned(),
            record.rows.to_string(),
            share(record.right as usize, record.rows as usize),
            interval,
            share(record.sure as usize, record.rows as usize),
            share(record.sure_and_right as usize, record.sure as usize),
        ]);
    }
    doc.table(table);
    doc.paragraph(format!(
        "Together they pass {} of these rows under their own label and {} under a wrong one. If right and wrong labels were offered equally often, {} of what passes would be right: the quality to expect of kept rows at worst, where the model that writes does not heed the label it is asked for.",
        share(check.true_label_passes as usize, check.rows as usize),
        share(check.wrong_label_passes as usize, 2 * check.rows as usize),
        format::percent(check.precision(), 1)
    ));
    doc.subheading("On the candidates");
    let labels: [LabelOf; 3] = [|c| c.classifier_label, |c| c.model_label, |c| c.vote_label];
    let mut table = Table::new().text("judge").number("asked").number("says the label asked for");
    for name in JUDGES {
        table = table.number(format!("agrees with the {name}"));
    }
    let asked: Vec<&Candidate> = synthesis.candidates.iter().filter(|c| c.classifier_probability.is_some()).collect();
    for (name, label) in JUDGES.iter().zip(labels) {
        let of: Vec<&&Candidate> = asked.iter().filter(|c| label(c).is_some()).collect();
        let right = of.iter().filter(|c| label(c) == Some(c.intended)).count();
        let mut row = vec![(*name).to_owned(), of.len().to_string(), share(right, of.len())];
        for other in labels {
            let both: Vec<_> = of.iter().filter(|c| other(c).is_some()).collect();
            row.push(share(both.iter().filter(|c| other(c) == label(c)).count(), both.len()));
        }
        table.push(row);
    }
    doc.table(table);
}
