//! How sure the models are, and how sure they should be.

use super::Page;
use crate::track::Way;
use report::plot::{ReliabilityPlot, reliability};
use report::{Document, Table, format};

pub(super) fn section(doc: &mut Document, page: &Page<'_>) {
    doc.heading("Calibration");
    let held_out = page.results.calibrations.iter().any(|(_, c)| c.held_out);
    let how = if held_out {
        "The temperature is fitted on held-out rows."
    } else {
        "No held-out rows were given: each tenth of the rows gets the temperature that fits the others."
    };
    doc.paragraph(format!("A probability of 80 % should be right four times in five. One number, the temperature, makes a model more or less sure without changing any answer. {how}"));
    let mut table =
        Table::new().text("who").text("answer").number("temperature").number("Brier before").number("after");
    table = table.number("calibration error before").number("after");
    for (n, calibration) in &page.results.calibrations {
        let Some(track) = page.results.tracks.get(*n) else { continue };
        let (before, after) = (&calibration.before, &calibration.after);
        let all = || calibration.temperatures.iter().copied();
        let show = |t| format::number(Some(t), 2);
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
        let temperatures =
            if calibration.temperatures.len() == 1 { show(low) } else { format!("{} … {}", show(low), show(high)) };
        table.push([
            track.subject.to_owned(),
            track.way.name().to_owned(),
            temperatures,
            format::number(before.brier, 3),
            format::number(after.brier, 3),
            format::percent(before.error, 1),
            format::percent(after.error, 1),
        ]);
    }
    doc.table(table);
    let last = page.results.track(page.last(), Way::Scored);
    if let Some((_, found)) = page.results.calibrations.iter().find(|(n, _)| Some(*n) == last) {
        let title = format!("Reliability, {}, scored", page.last());
        let series = vec![
            ("before the temperature".to_owned(), found.before.bins.clone()),
            ("after".to_owned(), found.after.bins.clone()),
        ];
        doc.figure(
            reliability(&ReliabilityPlot { title, series }),
            "Share right against confidence: on the diagonal both are equal, below it the model is too sure. Under it, how many answers each bin holds.",
        );
    }
}
