use super::AblationConfig;
use artifacts::rows::{Example, Language, Metric};
use report::{Document, Severity, Table, format, plot};

/// The comparison as a report.
pub(super) fn page(settings: &AblationConfig, metrics: &[Metric], rows: &[Example]) -> Document {
    let value = |arm: &str, slice: &str, name: &str| {
        metrics.iter().find(|m| m.subject == arm && m.slice == slice && m.metric == name).and_then(|m| m.value)
    };
    let shown = |v: Option<f64>| format::number(v, 3);
    let range = |arm: &str, slice: &str, name: &str| {
        let at = |end: &str| value(arm, slice, &format!("{name}_{end}"));
        match (value(arm, slice, name), at("low"), at("high")) {
            (v @ Some(_), low @ Some(_), high @ Some(_)) => format!("{} [{}, {}]", shown(v), shown(low), shown(high)),
            (v, ..) => shown(v),
        }
    };
    let mut document = Document::new("Ways to teach the sentiment task");
    let reference = settings.arms.first().map_or("", |arm| &arm.name);
    document.subtitle(format!(
        "{} held-out rows, {} seeds for what is trained, 95 % intervals from {} resamples of the rows",
        rows.len(),
        settings.seeds.len(),
        settings.resamples
    ));
    document.paragraph(format!(
        "Each arm changes one part of the recipe and is judged on the same rows by the label that scores best, so that an \
         answer's form does not decide. Differences are to “{reference}”, on the same resampled rows; where an interval \
         holds 0, this evaluation cannot tell the two apart."
    ));
    for slice in std::iter::once("all").chain(Language::ALL.iter().map(|language| language.as_str())) {
        if !metrics.iter().any(|m| m.slice == slice && m.metric == "macro_f1") {
            continue;
        }
        let rows = match slice {
            "en" => "English",
            "vi" => "Vietnamese",
            _ => "Both languages",
        };
        document.heading(rows);
        let head = Table::new().text("arm").text("what is different").number("macro-F1 [95 %]");
        let mut table = head.number("over seeds ±").number("accuracy").number("generated").number("difference [95 %]");
        for arm in &settings.arms {
            table = table.row([
                arm.name.clone(),
                arm.what.clone(),
                range(&arm.name, slice, "macro_f1"),
                shown(value(&arm.name, slice, "macro_f1_deviation")),
                shown(value(&arm.name, slice, "accuracy")),
                shown(value(&arm.name, slice, "generated_macro_f1")),
                range(&arm.name, slice, "difference"),
            ]);
        }
        document.table(table);
        let interval = |arm: &str| {
            let at = |end: &str| value(arm, slice, &format!("macro_f1{end}"));
            Some(stats::classification::Interval { estimate: at("")?, low: at("_low")?, high: at("_high")? })
        };
        let intervals = plot::IntervalPlot {
            title: format!("Macro-F1 by arm: {rows}"),
            x_label: "macro-F1, from 0 to 1".into(),
            rows: settings.arms.iter().map(|arm| arm.name.clone()).collect(),
            series: vec![("macro-F1".into(), settings.arms.iter().map(|arm| interval(&arm.name)).collect())],
            mark: None,
        };
        document.figure(plot::intervals(&intervals), "The mean over seeds, with its interval over the rows.");
    }
    document.callout(
        Severity::Note,
        "What this cannot say",
        "The seeds change order and initial adapters, not the selected rows; intervals cover the evaluation rows, not the \
         choice of data sets. Arms were not chosen by these figures, but whoever picks the best of them now should confirm it on \
         rows that did not choose.",
    );
    document
}
