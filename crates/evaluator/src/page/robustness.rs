//! The same rows in other forms.

use super::{Page, p_value, points, share};
use crate::track::Way;
use report::plot::{IntervalPlot, intervals};
use report::{Document, Table};
use stats::classification::Interval;

pub(super) fn section(doc: &mut Document, page: &Page<'_>) {
    let forms = &page.results.forms;
    doc.heading("Robustness");
    let Some(first) = forms.first() else {
        doc.paragraph("Switched off in the settings (`robustness.forms` is empty).");
        return;
    };
    doc.paragraph(format!(
        "The {} model on {} of the rows, put in other forms: the question in other words; the text without diacritics; in canonical decomposition (NFD), which looks the same; in capitals; with slips of the finger in {:.0} % of the longer words. The change is against the same rows in plain form.",
        page.last(),
        first.rows,
        page.config.robustness.typo_share * 100.0
    ));
    let names: Vec<&str> = forms.iter().filter(|f| f.way == first.way).map(|f| f.form.name()).collect();
    let series = Way::ALL
        .iter()
        .map(|way| {
            let of = |name: &&str| {
                let change = &forms.iter().find(|f| f.way == *way && f.form.name() == *name)?.change.macro_f1;
                Some(Interval { estimate: change.estimate * 100.0, low: change.low * 100.0, high: change.high * 100.0 })
            };
            (way.name().to_owned(), names.iter().map(of).collect())
        })
        .collect();
    let plot = IntervalPlot {
        title: "Change of macro F1 by form".into(),
        x_label: "points of macro F1, form minus plain".into(),
        rows: names.iter().map(|n| (*n).to_owned()).collect(),
        series,
        mark: Some(0.0),
    };
    doc.figure(
        intervals(&plot),
        format!("What each form changes, with {} intervals; left of 0 is worse.", page.level()),
    );
    let mut table = Table::new().text("form").text("answer").number("rows").number("changed by it").number("left out");
    table = table.number("macro F1 plain, %").number("in this form, %").number("change").number("interval").number("p");
    for form in forms {
        let change = &form.change.macro_f1;
        table.push([
            form.form.name().to_owned(),
            form.way.name().to_owned(),
            form.rows.to_string(),
            form.changed.to_string(),
            form.left_out.to_string(),
            share(form.plain.macro_f1),
            share(form.figures.macro_f1),
            points(change.estimate),
            format!("{} … {}", points(change.low), points(change.high)),
            p_value(form.change.p_value),
        ]);
    }
    doc.paragraph("Changed: rows whose prompt is another one in this form; none, where the tokenizer undoes it. Left out: rows that the model cannot read in this form, or without a paraphrase for their language.");
    doc.table(table);
}
