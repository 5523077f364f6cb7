use super::{Audit, Twin};
use artifacts::rows::{AlertLevel, QualityFinding};
use report::{Document, Severity, Table, Tile, format};

fn done(twin: Twin) -> &'static str {
    match twin {
        Twin::Truncated => "future cut off",
        Twin::Poisoned => "future poisoned",
    }
}

/// What leaked and how, one finding a leaking part; none where nothing did.
pub fn findings(audit: &Audit) -> Vec<QualityFinding> {
    let finding = |source: String, what: &str, difference: &super::Difference, cut| QualityFinding {
        source,
        symbol: String::new(),
        check_name: "look-ahead".to_owned(),
        level: AlertLevel::Critical,
        event_at: Some(difference.t),
        rows: difference.rows,
        value: None,
        threshold: None,
        message: format!(
            "{what} after {cut} reaches {} row {} of {}, column {}: `{}` becomes `{}`; read it through an as-of view at the row's own time",
            difference.file,
            difference.row,
            difference.t,
            difference.column,
            difference.with_future,
            difference.without
        ),
    };
    let named = audit.leaks.iter().map(|leak| {
        let what = match leak.twin {
            Twin::Poisoned => format!("another value of {}", leak.part),
            Twin::Truncated => format!("the mere presence of the rows of {}", leak.part),
        };
        finding(leak.part.to_string(), &what, &leak.first, leak.t)
    });
    let mut all: Vec<_> = named.collect();
    if all.is_empty()
        && let Some((cut, (twin, first))) = audit.cuts.iter().find_map(|c| Some((c, c.differences.first()?)))
    {
        all.push(finding("the market as a whole".to_owned(), done(*twin), first, cut.t));
    }
    all
}

/// The audit as a report.
pub fn document(audit: &Audit) -> Document {
    let mut page = Document::new("Look-ahead audit");
    page.subtitle(audit.subject.clone());
    let compared: u64 = audit.cuts.iter().map(|c| c.rows).sum();
    let differing: u64 = audit.cuts.iter().flat_map(|c| &c.differences).map(|(_, d)| d.rows).sum();
    page.tiles(vec![
        Tile::new("cuts", audit.cuts.len().to_string(), "moments t"),
        Tile::new("rows until t compared", format::count(2 * compared), "truncated and poisoned"),
        Tile::new("rows that differ", format::count(differing), ""),
        Tile::new("leaking parts", audit.leaks.len().to_string(), "named below"),
    ]);
    if audit.looks_ahead() {
        page.callout(
            Severity::Critical,
            "It looks ahead",
            "Rows of its output changed when only data changed that could be known after them. No figure of it can be believed.",
        );
        let mut table = Table::new().text("through").text("at the cut").text("first row reached").text("column");
        table = table.text("with the future").text("with another one");
        for leak in &audit.leaks {
            let part =
                if leak.twin == Twin::Truncated { format!("rows of {}", leak.part) } else { leak.part.to_string() };
            let row = format!("{} row {} ({})", leak.first.file, leak.first.row, leak.first.t);
            let (column, with, without) = (&leak.first.column, &leak.first.with_future, &leak.first.without);
            table.push([part, leak.t.to_string(), row, column.clone(), with.clone(), without.clone()]);
        }
        if audit.leaks.is_empty() {
            page.paragraph("No single part of the market brings the difference about: only several together do.");
        } else {
            page.heading("What leaks").table(table);
        }
    } else if audit.has_power() {
        let text =
            "No row changed when the future was cut off or poisoned; rows after the cuts did, so the poison was read.";
        page.callout(Severity::Note, "No look-ahead found", text);
    } else {
        page.callout(
            Severity::Warning,
            "It proves nothing",
            "No row changed at all, before or after any cut: the subject does not seem to read the market folder it is given.",
        );
    }
    page.heading("Cuts");
    let mut table = Table::new().text("t").number("rows until t").number("differ, cut off").number("differ, poisoned");
    table = table.number("rows after t that poison changed").text("first difference");
    for cut in &audit.cuts {
        let count =
            |twin| cut.differences.iter().filter(|(t, _)| *t == twin).map(|(_, d)| d.rows).sum::<u64>().to_string();
        let first = cut.differences.iter().min_by_key(|(_, d)| d.t).map(|(_, d)| d.to_string()).unwrap_or_default();
        let (truncated, poisoned) = (count(Twin::Truncated), count(Twin::Poisoned));
        let (rows, changed) = (format::count(cut.rows), format::count(cut.changed_after));
        table.push([cut.t.to_string(), rows, truncated, poisoned, changed, first]);
    }
    page.table(table);
    page.heading("What was compared");
    let mut table = Table::new().text("file").number("rows with a time");
    for (file, rows) in &audit.compared {
        table.push([file.clone(), format::count(*rows)]);
    }
    for file in &audit.skipped {
        table.push([file.as_str(), "no times: not compared"]);
    }
    page.table(table);
    page.paragraph(format!(
        "The subject ran {} times, twice on the whole market with equal results. An audit finds what its cuts and its garbage touch: more cuts \
         find more, and what never differed here is not thereby proved for other data.",
        audit.runs
    ));
    page
}
