use crate::escape::xml;
use crate::plot;
use crate::table::NO_ROWS;
use crate::{Align, Block, Document, Figure, Severity, Table, Tile};
use std::fmt::Write;

/// From how many characters on a cell of words keeps a width in which it can be read; the table then scrolls.
const WORDS_FROM: usize = 25;
/// From how many sections on a page gets a list of them.
const CONTENTS_FROM: usize = 3;

pub(crate) fn page(doc: &Document) -> String {
    let title = xml(doc.title());
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{}{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        include_str!("page.css"),
        plot::STYLE
    );
    if !doc.subtitle_text().is_empty() {
        put(&mut out, format_args!("<p class=\"subtitle\">{}</p>\n", xml(doc.subtitle_text())));
    }
    contents(&mut out, doc);
    let (mut section, mut tables, mut figures) = (0, 0, 0);
    for block in doc.blocks() {
        match block {
            Block::Heading(level, text) => {
                section += 1;
                let level = (*level).clamp(2, 6);
                put(&mut out, format_args!("<h{level} id=\"s{section}\">{}</h{level}>\n", xml(text)));
            }
            Block::Paragraph(text) => put(&mut out, format_args!("<p>{}</p>\n", xml(text))),
            Block::List(items) => {
                out.push_str("<ul>\n");
                for item in items {
                    put(&mut out, format_args!("<li>{}</li>\n", xml(item)));
                }
                out.push_str("</ul>\n");
            }
            Block::Table(t) => {
                tables += 1;
                put(&mut out, format_args!("<div class=\"scroll\">{}</div>\n", table(t, &format!("t{tables}"))));
            }
            Block::Figure(f) => {
                figures += 1;
                figure(&mut out, f, &format!("f{figures}"));
            }
            Block::Pre(text) => put(&mut out, format_args!("<pre>{}</pre>\n", xml(text))),
            Block::Callout(severity, title, text) => callout(&mut out, *severity, title, text),
            Block::Tiles(t) => tiles(&mut out, t),
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // writing to a String cannot fail
    out.write_fmt(text).ok();
}

fn contents(out: &mut String, doc: &Document) {
    let headings = doc.blocks().iter().filter_map(|b| match b {
        Block::Heading(level, text) => Some((*level, text)),
        _ => None,
    });
    let sections: Vec<_> = headings.zip(1..).filter(|((level, _), _)| *level <= 2).collect();
    if sections.len() < CONTENTS_FROM {
        return;
    }
    out.push_str("<nav>");
    for ((_, text), number) in sections {
        put(out, format_args!("<a href=\"#s{number}\">{}</a>", xml(text)));
    }
    out.push_str("</nav>\n");
}

pub(crate) fn table(table: &Table, id: &str) -> String {
    let mut out = format!("<table id=\"{id}\">\n");
    if !table.caption.is_empty() {
        put(&mut out, format_args!("<caption>{}</caption>\n", xml(&table.caption)));
    }
    let class = |align| if align == Align::Right { " class=\"number\"" } else { "" };
    out.push_str("<thead><tr>");
    for column in &table.columns {
        put(&mut out, format_args!("<th scope=\"col\"{}>{}</th>", class(column.align), xml(&column.name)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    if table.rows.is_empty() {
        put(&mut out, format_args!("<tr><td class=\"none\" colspan=\"{}\">{NO_ROWS}</td></tr>\n", table.columns.len()));
    }
    for row in &table.rows {
        out.push_str("<tr>");
        for (i, column) in table.columns.iter().enumerate() {
            let text = Table::cell(row, i);
            let long = column.align == Align::Left && text.chars().count() >= WORDS_FROM;
            let class = if long { " class=\"words\"" } else { class(column.align) };
            put(&mut out, format_args!("<td{class}>{}</td>", xml(text)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>");
    out
}

fn figure(out: &mut String, figure: &Figure, id: &str) {
    put(out, format_args!("<figure id=\"{id}\">\n{}\n", figure.svg.inline()));
    if !figure.caption.is_empty() {
        put(out, format_args!("<figcaption>{}</figcaption>\n", xml(&figure.caption)));
    }
    out.push_str("</figure>\n");
}

fn callout(out: &mut String, severity: Severity, title: &str, text: &str) {
    let (class, word) = (severity.class(), severity.word());
    put(
        out,
        format_args!(
            "<div class=\"callout {class}\" role=\"note\"><strong>{word}: {}</strong><p>{}</p></div>\n",
            xml(title),
            xml(text)
        ),
    );
}

fn tiles(out: &mut String, tiles: &[Tile]) {
    out.push_str("<div class=\"tiles\">\n");
    for Tile { label, value, note } in tiles {
        put(
            out,
            format_args!(
                "<div class=\"tile\"><span>{}</span><b>{}</b><small>{}</small></div>\n",
                xml(label),
                xml(value),
                xml(note)
            ),
        );
    }
    out.push_str("</div>\n");
}
