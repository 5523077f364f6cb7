use crate::escape::{markdown as line, markdown_cell as cell};
use crate::table::NO_ROWS;
use crate::{Align, Block, Document, Table};

pub(crate) fn text(doc: &Document) -> String {
    let mut parts = vec![format!("# {}", line(doc.title()))];
    if !doc.subtitle_text().is_empty() {
        parts.push(line(doc.subtitle_text()));
    }
    for block in doc.blocks() {
        parts.push(self::block(block));
    }
    parts.retain(|p| !p.is_empty());
    parts.join("\n\n") + "\n"
}

/// One block.
pub(crate) fn block(block: &Block) -> String {
    match block {
        Block::Heading(level, text) => format!("{} {}", "#".repeat((*level).clamp(2, 6).into()), line(text)),
        Block::Paragraph(text) => line(text),
        Block::List(items) => items.iter().map(|i| format!("* {}", line(i))).collect::<Vec<_>>().join("\n"),
        Block::Table(t) => table(t),
        Block::Figure(f) => match (&f.file, f.caption.is_empty()) {
            (Some(file), true) => format!("![{}](<{}>)", cell(f.svg.title()), target(file)),
            (Some(file), false) => format!("![{}](<{}>)\n\n*{}*", cell(f.svg.title()), target(file), cell(&f.caption)),
            (None, true) => format!("*Figure: {}.*", cell(f.svg.title())),
            (None, false) => format!("*Figure: {}. {}*", cell(f.svg.title()), cell(&f.caption)),
        },
        Block::Pre(text) => fenced(text),
        Block::Callout(severity, title, text) => {
            format!("> **{}: {}**\n>\n> {}", severity.word(), cell(title), line(text))
        }
        Block::Tiles(tiles) => {
            let mut rows = Table::new().text("figure").number("value").text("note");
            for tile in tiles {
                rows.push([&tile.label, &tile.value, &tile.note]);
            }
            table(&rows)
        }
    }
}

pub(crate) fn table(table: &Table) -> String {
    let cells = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let heads = table.columns.iter().map(|c| cell(&c.name)).collect();
    let rule = table.columns.iter().map(|c| if c.align == Align::Right { "---:" } else { "---" }.to_owned()).collect();
    let mut rows = vec![cells(heads), cells(rule)];
    if table.rows.is_empty() {
        rows.push(cells(
            (0..table.columns.len()).map(|i| if i == 0 { NO_ROWS.into() } else { String::new() }).collect(),
        ));
    }
    for row in &table.rows {
        rows.push(cells((0..table.columns.len()).map(|i| cell(Table::cell(row, i))).collect()));
    }
    if !table.caption.is_empty() {
        rows.insert(0, format!("{}\n", line(&table.caption)));
    }
    rows.join("\n")
}

/// A fence longer than any run of backticks inside cannot be closed from inside.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}text\n{}\n{fence}", text.trim_end_matches('\n'))
}

fn target(file: &str) -> String {
    file.chars().filter(|c| !matches!(c, '<' | '>') && !c.is_control()).collect()
}
