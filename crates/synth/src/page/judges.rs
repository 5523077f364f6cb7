use super::share;
use crate::{Config, JUDGES, Measured, Panel, Rule, Synthesis};
use artifacts::rows::{Candidate, Sentiment};
use report::{Document, Severity, Table, format};

type LabelOf = fn(&Candidate) -> Option<Sentiment>;

/// What the judges said, and how far they are to be trusted.
pub(super) fn judges(doc: &mut Document, config: &Config, synthesis: &Synthesis) {
    doc.heading("Judges");
    let check = &synthesis.judge;
    doc.paragraph("Three judges look at what the rungs before them let pass; none is told the label asked for. Before any is heard, each is measured on real training rows that it did not learn from.");
    fitness(doc, config, &synthesis.panel);
    doc.paragraph(rule(config, &synthesis.panel));
    doc.subheading("On evaluation rows");
    doc.paragraph(format!(
        "Nothing was chosen on these {} real rows. Sure is a judge that gives a label a probability of {} or more:",
        check.rows, config.judges.probability
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
        "Together they pass {} of these rows under their own label and {} under a wrong one. If labels were given by chance, {} of what passes would be right: the quality to expect of kept rows at worst, where the model that writes does not heed the label it is asked for.",
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

/// What the judges are worth on held-out rows, and a warning about each that is worth too little.
fn fitness(doc: &mut Document, config: &Config, panel: &Panel) {
    if panel.rows == 0 {
        doc.callout(
            Severity::Warning,
            "The judges are not measured.",
            "There are too few real rows of some label to hold any out, so all three count as fit. Give more real rows.",
        );
        return;
    }
    let bar = config.judges.least_accuracy;
    let mut table = Table::new()
        .text("judge")
        .number("accuracy")
        .number("95 % interval")
        .text("fit to judge")
        .text("true label")
        .number("rows");
    for label in Sentiment::ALL {
        table = table.number(format!("says {label}"));
    }
    table = table.number("says none");
    for (name, judge) in JUDGES.iter().zip(&panel.judges) {
        let Some(judge) = judge else { continue };
        for (label, said) in Sentiment::ALL.iter().zip(&judge.confusion) {
            let mut row = if *label == Sentiment::Negative {
                let (accuracy, interval) = judge.accuracy().map_or((None, None), |(a, i)| (Some(a), Some(i)));
                let interval = interval
                    .map_or_else(String::new, |(low, high)| format!("{:.1} to {:.1} %", 100.0 * low, 100.0 * high));
                let fit = if judge.fit { "yes" } else { "no" };
                vec![(*name).to_owned(), format::percent(accuracy, 1), interval, fit.to_owned()]
            } else {
                vec![String::new(); 4]
            };
            row.extend([label.to_string(), said.iter().sum::<u64>().to_string()]);
            row.extend(said.iter().map(u64::to_string));
            table.push(row);
        }
    }
    doc.subheading("On held-out training rows");
    doc.table(table);
    doc.paragraph(format!(
        "Accuracy is the mean over the labels, so that guessing gives a third. Fit is a judge whose interval lies above {:.0} %: only judges that are more often right than wrong are better together than alone.",
        100.0 * bar
    ));
    for ((name, judge), fit) in JUDGES.iter().zip(&panel.judges).zip(panel.fit()) {
        let Some((accuracy, (low, _))) = judge.as_ref().filter(|_| !fit).and_then(Measured::accuracy) else { continue };
        doc.callout(
            Severity::Warning,
            format!("Unfit: {name}"),
            format!(
                "It finds {:.1} % of the held-out labels (interval from {:.1} %, the bar is {:.0} %). {}",
                100.0 * accuracy,
                100.0 * low,
                100.0 * bar,
                if matches!(panel.rule, Rule::Agree(_)) {
                    "The settings let it vote all the same."
                } else {
                    "It abstains; a model that knows more would be heard."
                }
            ),
        );
    }
    for (label, reached) in panel.out_of_reach() {
        let reached = reached.map_or_else(
            || "Nothing that they say speaks for it: no row of this label passes.".to_owned(),
            |t| format!("They reach {:.1} % on the held-out rows; what is kept is no better.", 100.0 * t.precision),
        );
        doc.callout(
            Severity::Critical,
            format!("{label}: the {:.0} % of judges.precision are out of reach.", 100.0 * config.judges.precision),
            format!("{reached} Give a better model or more real rows, or ask for less."),
        );
    }
    if panel.rule == Rule::Nobody {
        doc.callout(
            Severity::Critical,
            "No judge is fit.",
            "Nothing can be verified, so nothing was written. Give a better model or more real rows.",
        );
    }
}

/// How they decide, in words.
fn rule(config: &Config, panel: &Panel) -> String {
    match panel.rule {
        Rule::Nobody => "Nobody decides.".to_owned(),
        Rule::Agree(needed) => format!(
            "{needed} of the three must find the label asked for, each with a probability of {} or more.",
            config.judges.probability
        ),
        Rule::Posterior(thresholds) => {
            let fit: Vec<&str> = JUDGES.into_iter().zip(panel.fit()).filter(|(_, fit)| *fit).map(|(n, _)| n).collect();
            let each: Vec<String> = Sentiment::ALL
                .iter()
                .zip(thresholds)
                .map(|(label, threshold)| match threshold {
                    Some(t) => format!(
                        "{label} {:.3} ({:.1} % right, {:.1} % of the label's own rows passed)",
                        t.value,
                        100.0 * t.precision,
                        100.0 * t.passes
                    ),
                    None => format!("{label} never"),
                })
                .collect();
            format!(
                "Fewer than three are heard ({}), or the settings want it so: a candidate passes where its label is probable enough, given what they say and how often each errs in which way (the counts above, by confidence). The least probability of each label, with what it did on the held-out rows if labels were given by chance: {}.",
                fit.join(", "),
                each.join("; ")
            )
        }
    }
}
