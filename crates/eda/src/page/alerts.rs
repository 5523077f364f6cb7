use artifacts::rows::{AlertLevel, DataAlert};
use report::format::{count, number};
use report::{Document, Severity, Table};

/// Examples shown below an alert; the file of alerts has all that were kept.
const SHOWN: usize = 3;

pub(super) fn all(doc: &mut Document, alerts: &[DataAlert]) {
    doc.heading("Alerts");
    if alerts.is_empty() {
        doc.paragraph("None: no figure crosses a limit of the settings.");
        return;
    }
    let mut table = Table::new()
        .text("level")
        .text("kind")
        .text("rows of")
        .text("split")
        .number("count")
        .number("of")
        .number("figure")
        .number("limit")
        .text("exact");
    for a in alerts {
        let figure = |v: f64| number(Some(v), if v.fract() == 0.0 { 0 } else { 3 });
        let exact = if a.exact { "yes" } else { "estimate" };
        let [level, kind] = [a.level.as_str(), a.kind.as_str()].map(str::to_owned);
        let words = [level, kind, a.subject.clone(), a.slice.clone()];
        table.push(words.into_iter().chain([
            count(a.count),
            count(a.total),
            figure(a.value),
            figure(a.limit),
            exact.to_owned(),
        ]));
    }
    doc.table(table.caption("Every figure that crosses its limit; the same rows are in alerts.parquet."));
    for a in alerts {
        let severity = match a.level {
            AlertLevel::Note => Severity::Note,
            AlertLevel::Warning => Severity::Warning,
            AlertLevel::Critical => Severity::Critical,
        };
        let place = if a.slice == "all" { a.subject.clone() } else { format!("{}, {}", a.subject, a.slice) };
        let title = format!("{} ({place})", a.kind.as_str().replace('-', " "));
        doc.callout(severity, title, format!("{} {}", a.message, a.remedy));
        if !a.examples.is_empty() {
            // A cluster has a line for each of its texts.
            if a.examples.iter().any(|e| e.contains('\n')) {
                doc.pre(a.examples.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n\n"));
            } else {
                doc.list(a.examples.iter().take(SHOWN).cloned());
            }
        }
    }
}
