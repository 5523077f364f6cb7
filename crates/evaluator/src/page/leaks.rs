//! Whether evaluation rows were trained on.

use super::Page;
use report::plot::{HistogramPlot, histogram};
use report::{Document, Severity, Table, format};

/// How many of the nearest pairs are shown.
const SHOWN: usize = 10;

pub(super) fn section(doc: &mut Document, page: &Page<'_>) {
    doc.heading("Leakage");
    let Some(leakage) = &page.results.leakage else {
        doc.callout(
            Severity::Warning,
            "Not checked",
            "No training rows were given, so nothing is known about what was seen in training.",
        );
        return;
    };
    doc.paragraph(format!(
        "{} evaluation rows against {} training rows: {} have the comparison key of a training row, {} a Jaccard similarity of {} or more of their character 5-grams.",
        format::count(leakage.rows as u64),
        format::count(leakage.train_rows as u64),
        leakage.same_key,
        leakage.near,
        page.config.leakage
    ));
    let values: Vec<f64> = leakage.nearest.iter().map(|n| n.jaccard).collect();
    if values.is_empty() {
        doc.paragraph("No evaluation row shares more than common words with a training row.");
        return;
    }
    let plot = HistogramPlot {
        title: "Similarity to the nearest training row".into(),
        x_label: "Jaccard similarity".into(),
        bins: 20,
        series: vec![("evaluation rows".into(), values)],
    };
    doc.figure(histogram(&plot), "Evaluation rows that resemble a training row at all, by how much.");
    let mut table = Table::new().number("similarity").text("evaluation row").text("training row");
    for pair in leakage.nearest.iter().take(SHOWN) {
        table.push([format!("{:.3}", pair.jaccard), pair.text.clone(), pair.train_text.clone()]);
    }
    doc.table(table.caption("The nearest pairs."));
}
