//! Figures, comparisons and slices.

use super::{Page, number, p_value, points, share};
use crate::track::Way;
use artifacts::rows::Sentiment;
use report::plot::{IntervalPlot, intervals};
use report::{Document, Severity, Table, format};

pub(super) fn all(doc: &mut Document, page: &Page<'_>) {
    doc.heading("Figures");
    let mut table = Table::new().text("who").text("answer").number("accuracy, %").number("balanced, %");
    table = table.number("macro F1, %").number("weighted F1, %").number("Matthews").number("Brier").number("ECE, %");
    let whole = page.results.figures.first();
    for (n, (track, figures)) in page.results.tracks.iter().zip(whole.into_iter().flatten()).enumerate() {
        let sure = page.results.calibrations.iter().find(|(track, _)| *track == n).map(|(_, c)| &c.before);
        table.push([
            track.subject.to_owned(),
            track.way.name().to_owned(),
            share(figures.accuracy),
            share(figures.balanced_accuracy),
            share(figures.macro_f1),
            share(figures.weighted_f1),
            number(figures.matthews),
            format::number(sure.and_then(|s| s.brier), 3),
            format::number(sure.and_then(|s| s.error).map(|e| e * 100.0), 1),
        ]);
    }
    let known = if page.results.tracks.iter().any(|t| t.subject == "tfidf") {
        "Majority: the commonest label of the training rows, always. TF-IDF: a logistic regression on words and pieces of words, trained on the training rows."
    } else {
        "Majority: the commonest label of the evaluated rows, always; no training rows were given."
    };
    doc.table(
        table.caption(format!("All rows, with {} intervals. {known} Unparseable answers are wrong.", page.level())),
    );
}

pub(super) fn compared(doc: &mut Document, page: &Page<'_>) {
    let shown: Vec<_> = page.results.comparisons.iter().filter(|c| c.name.contains("_minus_")).collect();
    if shown.is_empty() {
        return;
    }
    doc.heading("Comparison");
    let mut table = Table::new().text("difference").text("rows").text("answer").number("macro F1").number("interval");
    table = table.number("accuracy").number("interval").number("only first").number("only second").number("p");
    for c in shown {
        let range = |i: &stats::classification::BootstrapInterval| format!("{} … {}", points(i.low), points(i.high));
        table.push([
            c.name.replace("_minus_", " − "),
            c.slice.clone(),
            c.way.clone(),
            points(c.found.macro_f1.estimate),
            range(&c.found.macro_f1),
            points(c.found.accuracy.estimate),
            range(&c.found.accuracy),
            c.found.only_second.to_string(),
            c.found.only_first.to_string(),
            p_value(c.found.p_value),
        ]);
    }
    doc.paragraph(format!(
        "The first minus the second on the same rows, in points, with {} intervals of a paired bootstrap; rows that only one of the two answers rightly, with McNemar's p. Where an interval holds 0, the rows do not tell the two apart.",
        page.level()
    ));
    doc.table(table);
}

pub(super) fn gap(doc: &mut Document, page: &Page<'_>) {
    doc.heading("Form and sense");
    doc.paragraph("How much better a model does when it may only choose among the labels than when it must write one itself: what it loses to the form of the answer. A model that was tuned well loses nothing.");
    let mut table = Table::new()
        .text("who")
        .text("rows")
        .text("choosing")
        .number("gain in macro F1")
        .number("interval")
        .number("McNemar's p of right answers");
    for c in page.results.comparisons.iter().filter(|c| c.way.ends_with("_minus_generated")) {
        let f1 = &c.found.macro_f1;
        table.push([
            c.name.clone(),
            c.slice.clone(),
            c.way.trim_end_matches("_minus_generated").to_owned(),
            points(f1.estimate),
            format!("{} … {}", points(f1.low), points(f1.high)),
            p_value(c.found.p_value),
        ]);
    }
    doc.table(table);
    let mut table = Table::new().text("who").text("asked about nothing");
    for label in Sentiment::ALL {
        table = table.number(label.as_str());
    }
    for subject in &page.answered.subjects {
        for (frame, prior) in subject.priors.all() {
            let p = stats::classification::softmax(prior, 1.0);
            let cells = p.into_iter().map(|p| format::percent(Some(p), 1));
            let asked: String = frame.replace('\u{fffc}', "…").split_whitespace().collect::<Vec<_>>().join(" ");
            table.push([subject.name.to_owned(), asked].into_iter().chain(cells));
        }
    }
    doc.table(table.caption("What each model answers where there is no text to judge, if it may only choose: its prior. An unbiased model gives each label a third. The calibrated answers take it away."));
    for subject in &page.answered.subjects {
        let f1 = |way| page.figures(subject.name, way).and_then(|f| f.macro_f1).map(|i| i.estimate);
        let Some(lost) = f1(Way::Scored).zip(f1(Way::Calibrated)).map(|(scored, calibrated)| scored - calibrated)
        else {
            continue;
        };
        if lost > 0.0 {
            doc.callout(
                Severity::Note,
                format!("Calibration costs the {} model {:.1} points of macro F1", subject.name, lost * 100.0),
                "It takes what a model answers about nothing for a bias. A model that was taught the labels may answer there what is right, such as neutral, and without it hardly ever gives that label: its scored figures are those to read. Calibrated ones are for a model that was not taught the labels.",
            );
        }
    }
}

pub(super) fn sliced(doc: &mut Document, page: &Page<'_>) {
    doc.heading("By language, source, length and template");
    let results = page.results;
    let shown: Vec<usize> =
        [("base", Way::Scored), (page.last(), Way::Generated), (page.last(), Way::Scored), ("tfidf", Way::Scored)]
            .into_iter()
            .filter_map(|(subject, way)| results.track(subject, way))
            .fold(Vec::new(), |mut all, track| {
                if !all.contains(&track) {
                    all.push(track);
                }
                all
            });
    let series = shown
        .iter()
        .filter_map(|&n| {
            let of = |figures: &Vec<crate::Figures>| figures.get(n)?.macro_f1;
            Some((results.tracks.get(n)?.name(), results.figures.iter().map(of).collect()))
        })
        .collect();
    let rows = results.slices.iter().map(|s| format!("{} ({})", s.name, s.rows.len())).collect();
    let title = "Macro F1 by slice".to_owned();
    let plot = IntervalPlot { title, x_label: "macro F1".into(), rows, series, mark: None };
    doc.figure(
        intervals(&plot),
        format!(
            "Macro F1 with {} intervals; in brackets the rows of the slice. Few rows give wide intervals.",
            page.level()
        ),
    );
    let mut table = Table::new().text("rows").number("count").text("who").text("answer");
    table = table.number("accuracy, %").number("macro F1, %").number("neutral F1, %");
    for (slice, figures) in results.slices.iter().zip(&results.figures) {
        for &n in &shown {
            let (Some(track), Some(figures)) = (results.tracks.get(n), figures.get(n)) else { continue };
            table.push([
                slice.name.clone(),
                slice.rows.len().to_string(),
                track.subject.to_owned(),
                track.way.name().to_owned(),
                share(figures.accuracy),
                share(figures.macro_f1),
                share(figures.class_f1[Sentiment::Neutral as usize]),
            ]);
        }
    }
    doc.table(table);
}

pub(super) fn classes(doc: &mut Document, page: &Page<'_>) {
    doc.heading("By class");
    let mut table = Table::new().text("who").text("answer").text("class").number("rows");
    table = table.number("precision").number("recall").number("F1, %");
    let whole = page.results.figures.first();
    for (track, figures) in page.results.tracks.iter().zip(whole.into_iter().flatten()) {
        for (label, (class, f1)) in Sentiment::ALL.iter().zip(figures.classes.iter().zip(figures.class_f1)) {
            table.push([
                track.subject.to_owned(),
                track.way.name().to_owned(),
                label.to_string(),
                class.support.to_string(),
                format::percent(class.precision, 1),
                format::percent(class.recall, 1),
                share(f1),
            ]);
        }
    }
    doc.table(table);
    let neutral =
        page.figures(page.last(), Way::Generated).and_then(|f| f.classes.get(Sentiment::Neutral as usize).copied());
    if let Some(neutral) = neutral {
        doc.paragraph(format!(
            "Neutral is the class to watch: {} rows of it are here, the {} model finds {} of them, and of what it calls neutral {} is.",
            neutral.support,
            page.last(),
            format::percent(neutral.recall, 1),
            format::percent(neutral.precision, 1)
        ));
    }
}
