//! What to read: confusions, what could not be read, the worst errors.

use super::Page;
use crate::track::Way;
use crate::unread::shown;
use artifacts::rows::Sentiment;
use report::plot::{ConfusionPlot, confusion};
use report::{Document, Table, format};

pub(super) fn confusions(doc: &mut Document, page: &Page<'_>) {
    doc.heading("Confusion");
    doc.paragraph("Rows are the truth, columns the answer. An answer that is not exactly one label is unparseable, which is wrong and no class.");
    let mut ways: Vec<(&str, Way)> = page.answered.subjects.iter().map(|s| (s.name, Way::Generated)).collect();
    ways.push((page.last(), Way::Scored));
    for (subject, way) in ways {
        let Some(figures) = page.figures(subject, way) else { continue };
        let title = format!("{subject}, {}", way.name());
        doc.figure(
            confusion(&ConfusionPlot { title, confusion: &figures.confusion }),
            format!("{subject} model, {} answers.", way.name()),
        );
    }
}

pub(super) fn unread(doc: &mut Document, page: &Page<'_>) {
    doc.heading("Answers that could not be read");
    for (subject, unread) in &page.results.unread {
        let share = format::percent(Some(unread.failed as f64 / unread.rows.max(1) as f64), 1);
        doc.paragraph(format!("{subject}: {} of {} ({share}).", unread.failed, unread.rows));
        if unread.commonest.is_empty() {
            continue;
        }
        let mut table = Table::new().text(format!("the {} model wrote", *subject)).number("times");
        for (response, times) in &unread.commonest {
            table.push([shown(response), times.to_string()]);
        }
        doc.table(table.caption("The ten commonest."));
    }
}

/// The wrong answers that the last model was surest of.
pub(super) fn worst(doc: &mut Document, page: &Page<'_>) {
    doc.heading("The most confident errors");
    let (Some(subject), Some(track)) = (page.answered.subjects.last(), page.results.track(page.last(), Way::Scored))
    else {
        return;
    };
    let Some((_, calibration)) = page.results.calibrations.iter().find(|(n, _)| *n == track) else { return };
    let answers = page.results.tracks.get(track).map(|t| t.answers.as_slice()).unwrap_or_default();
    let mut wrong: Vec<(usize, f64)> = Vec::new();
    for (row, (answer, p)) in answers.iter().zip(&calibration.probabilities).enumerate() {
        if let Some(answer) = answer.filter(|a| page.results.truth.get(row) != Some(a)) {
            wrong.push((row, p[answer as usize]));
        }
    }
    let id = |row: usize| page.answered.questions.get(row).map(|q| q.id.as_str());
    wrong.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| id(a.0).cmp(&id(b.0))));
    if wrong.is_empty() {
        doc.paragraph(format!("The {} model chose the right label for every row.", subject.name));
        return;
    }
    doc.paragraph(format!(
        "Of the {} rows for which the {} model finds a wrong label likeliest, those of whose wrong label it is surest, after the temperature. Read them: some are errors of the labels and not of the model.",
        wrong.len(),
        subject.name
    ));
    let base = page.answered.subjects.first().filter(|s| s.name != subject.name);
    let mut table = Table::new().text("text").text("language").text("truth").text("chosen").number("sure");
    table = table.number("of the truth").text("wrote");
    if base.is_some() {
        table = table.text("base wrote");
    }
    for (row, sure) in wrong.into_iter().take(page.config.worst) {
        let (Some(question), Some(reply)) = (page.answered.questions.get(row), subject.replies.get(row)) else {
            continue;
        };
        let p = calibration.probabilities.get(row).copied().unwrap_or_default();
        let chosen = answers.get(row).copied().flatten().map_or("", Sentiment::as_str);
        let mut cells = vec![
            question.text.clone(),
            question.language.to_string(),
            question.label.to_string(),
            chosen.to_owned(),
            format::percent(Some(sure), 1),
            format::percent(Some(p[question.label as usize]), 1),
            shown(&reply.response),
        ];
        cells.extend(base.and_then(|b| b.replies.get(row)).map(|r| shown(&r.response)));
        table.push(cells);
    }
    doc.table(table);
}
