//! A document as a Jupyter notebook (nbformat 4.5, <https://nbformat.readthedocs.io>): text in Markdown cells; each table and
//! figure the output of a code cell that shows it anew from the page, so that running the notebook changes nothing.

use crate::escape::markdown as line;
use crate::{Block, Document, html, markdown};
use serde_json::{Value, json};

/// The first code cell: finds what the later ones show.
const FINDERS: &str = r#"import re
from pathlib import Path
from IPython.display import HTML, SVG

PAGE = Path("{page}").read_text(encoding="utf-8")
STYLE = re.search(r"<style>(.*?)</style>", PAGE, re.S).group(1)

def table(name):
    return HTML(re.search(rf'<table id="{name}">.*?</table>', PAGE, re.S).group(0))

def figure(name):
    svg = re.search(rf'<figure id="{name}">\n(<svg.*?</svg>)', PAGE, re.S).group(1)
    svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return SVG(svg.replace(">", f"><style>{STYLE}</style>", 1))"#;

pub(crate) fn text(doc: &Document, page: &str) -> String {
    let mut cells = Cells::default();
    cells.prose(&format!("# {}", line(doc.title())));
    cells.prose(&line(doc.subtitle_text()));
    let has_outputs = doc.blocks().iter().any(|block| matches!(block, Block::Table(_) | Block::Figure(_)));
    if has_outputs {
        let page = page.replace('\\', "\\\\").replace('"', "\\\"");
        cells.code(&FINDERS.replace("{page}", &page), Vec::new());
    }
    let (mut tables, mut figures) = (0, 0);
    for block in doc.blocks() {
        match block {
            Block::Table(table) => {
                tables += 1;
                let data = json!({
                    "text/html": lines(&html::table(table, &format!("t{tables}"))),
                    "text/plain": lines(&markdown::table(table)),
                });
                cells.code(&format!("table(\"t{tables}\")"), vec![data]);
            }
            Block::Figure(figure) => {
                figures += 1;
                let data = json!({
                    "image/svg+xml": lines(&figure.svg.standalone()),
                    "text/plain": lines(figure.svg.title()),
                });
                cells.code(&format!("figure(\"f{figures}\")"), vec![data]);
                if !figure.caption.is_empty() {
                    cells.prose(&format!("*{}*", line(&figure.caption)));
                }
            }
            other => cells.prose(&markdown::block(other)),
        }
    }
    let notebook = json!({
        "cells": cells.finish(),
        "metadata": {
            "kernelspec": { "display_name": "Python 3", "language": "python", "name": "python3" },
            "language_info": { "name": "python" },
            "title": doc.title(),
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    });
    format!("{notebook:#}\n")
}

#[derive(Default)]
struct Cells {
    done: Vec<Value>,
    /// Text that belongs to the next Markdown cell.
    prose: Vec<String>,
    executed: usize,
}

impl Cells {
    fn prose(&mut self, text: &str) {
        if !text.is_empty() {
            self.prose.push(text.to_owned());
        }
    }

    fn flush(&mut self) {
        if !self.prose.is_empty() {
            let source = std::mem::take(&mut self.prose).join("\n\n");
            let id = format!("c{}", self.done.len());
            self.done.push(json!({ "cell_type": "markdown", "id": id, "metadata": {}, "source": lines(&source) }));
        }
    }

    fn code(&mut self, source: &str, results: Vec<Value>) {
        self.flush();
        self.executed += 1;
        let count = self.executed;
        let outputs: Vec<Value> = results
            .into_iter()
            .map(|data| json!({ "output_type": "execute_result", "execution_count": count, "metadata": {}, "data": data }))
            .collect();
        self.done.push(json!({
            "cell_type": "code",
            "id": format!("c{}", self.done.len()),
            "metadata": {},
            "execution_count": count,
            "source": lines(source),
            "outputs": outputs,
        }));
    }

    fn finish(mut self) -> Vec<Value> {
        self.flush();
        self.done
    }
}

/// Text as nbformat keeps it: a list of lines that end in a line break, but for the last.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}
