use crate::Figures;
use crate::config::TooLong;
use crate::examples::into_report;
use crate::exercise::Tokens;
use crate::split::Formatter;
use report::format::{count, number};
use report::plot::{HistogramPlot, histogram};
use report::{Document, Table, Tile};

/// The report: how many rows, how long, what was refused or shortened, and three of them in full.
pub(crate) fn page(
    formatter: &Formatter<'_>,
    [train, eval]: [&Figures; 2],
    wordings: &[String; 2],
    rows: &[&Tokens],
) -> Document {
    let splits = [("train", train, &wordings[0]), ("eval", eval, &wordings[1])];
    let mut doc = Document::new("Rows ready to train on");
    let own = formatter.tokenizer.has_own_template();
    let template = if own { "the model's own chat template" } else { "a plain chat template (the model has none)" };
    doc.subtitle(format!(
        "At most {} tokens a row, {template}, today is {}.",
        formatter.limit, formatter.wordings.config.date
    ));
    doc.tiles(
        splits
            .iter()
            .map(|(name, f, _)| {
                let note =
                    format!("of {}; {} tokens, {} learned", count(f.rows_in), count(f.tokens), count(f.supervised));
                Tile::new(*name, count(f.rows), note)
            })
            .collect(),
    );
    doc.heading("Three rows, as messages, as text and as tokens");
    into_report(&mut doc, rows, formatter.tokenizer);

    doc.heading("Lengths");
    let mut table = Table::new()
        .text("split")
        .text("wording")
        .number("rows read")
        .number("rows kept")
        .number("tokens, mean")
        .number("tokens, longest")
        .number("inputs shortened")
        .text("refused");
    for (name, f, wording) in splits {
        table.push([
            name.to_owned(),
            wording.clone(),
            count(f.rows_in),
            count(f.rows),
            number(Some(f.mean()), 1),
            count(f.longest),
            count(f.shortened),
            f.reasons(),
        ]);
    }
    doc.table(table);
    doc.paragraph(match formatter.wordings.config.too_long {
        TooLong::Refuse => "Rows that are too long are refused, never cut: rejected.parquet has them.",
        TooLong::ShortenInput => {
            "Inputs that are too long lose words at the end, marked with …, until the whole answer fits: shortened.parquet says \
             which and by how much. Answers are never cut."
        }
    });
    let series = splits.iter().flat_map(|(name, f, _)| {
        f.lengths.iter().map(move |(language, lengths)| {
            (format!("{name} {language}"), lengths.iter().map(|&n| f64::from(n)).collect::<Vec<f64>>())
        })
    });
    let plot =
        HistogramPlot { title: "Tokens a row".into(), x_label: "tokens".into(), bins: 40, series: series.collect() };
    doc.figure(histogram(&plot), "How long the rows are, by split and language.");
    doc
}
