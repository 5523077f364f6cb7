//! The report on free answers.

use super::GenerativeConfig;
use super::measure::Figure;
use artifacts::rows::{FormattedTask, Generation};
use report::{Document, Table, format};

pub(super) fn page(
    rows: &[FormattedTask],
    generations: &[Generation],
    figures: &[Figure],
    config: &GenerativeConfig,
    judge: Option<&str>,
) -> Document {
    let mut doc = Document::new("Free answers");
    doc.subtitle(format!("{} rows", format::count(rows.len() as u64)));
    let mut table =
        Table::new().text("who").text("rows").text("measure").number("answers").number("mean").number("interval");
    for figure in figures {
        let show = |v: Option<f64>| format::number(v, 3);
        table.push([
            figure.subject.clone(),
            figure.slice.clone(),
            figure.name.to_owned(),
            figure.rows.to_string(),
            show(figure.interval.map(|i| i.estimate)),
            format!("{} … {}", show(figure.interval.map(|i| i.low)), show(figure.interval.map(|i| i.high))),
        ]);
    }
    doc.table(table.caption(format!("Means with {:.0} % bootstrap intervals.", config.confidence * 100.0)));
    doc.heading("The farthest from their reference");
    let last = generations.last().map_or("", |g| g.subject.as_str());
    let mut worst: Vec<&Generation> = generations.iter().filter(|g| g.subject == last).collect();
    worst.sort_by(|a, b| a.rouge_l.total_cmp(&b.rouge_l).then_with(|| a.id.cmp(&b.id)));
    let mut table =
        Table::new().text("task").text("language").text("reference").text("answer").number("ROUGE-L").number("judged");
    for g in worst.into_iter().take(config.shown) {
        table.push([
            g.task.to_string(),
            g.language.to_string(),
            g.reference.clone(),
            crate::unread::shown(&g.response),
            format::number(Some(g.rouge_l), 3),
            format::number(g.judged, 2),
        ]);
    }
    doc.table(table.caption(format!("Of the {last} model.")));
    doc.heading("How it was measured");
    let judged = match judge {
        Some(name) => {
            let unread = generations.iter().filter(|g| g.judged.is_none()).count();
            format!(
                "Judged: a grade of 1 to 5 by {name}, as 0 to 1; {unread} of its replies could not be read and are left out."
            )
        }
        None => "No judge was given.".to_owned(),
    };
    doc.list([
        format!("Greedy answers of at most {} tokens; finished is the share that the model ended itself.", config.max_new_tokens),
        "Exact match and token F1 after lower case, without punctuation and English articles; ROUGE-L by words, without stemming; entity F1 of `type: name` lists, for extraction.".to_owned(),
        judged,
    ]);
    doc
}
