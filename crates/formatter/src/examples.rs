use crate::exercise::Tokens;
use artifacts::rows::Language;
use chat::ChatTokenizer;
use std::fmt::Write;

/// The three rows that are printed: of different labels (or answers, for other tasks) and languages as far as there are.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    first: Vec<Tokens>,
}

/// How many rows are printed.
const ROWS: usize = 3;

impl Shown {
    /// Remembers the first rows of each title in each language.
    pub fn offer(&mut self, row: &Tokens) {
        let alike = self.first.iter().filter(|r| (r.language, &r.title) == (row.language, &row.title)).count();
        if alike < ROWS {
            self.first.push(row.clone());
        }
    }

    /// The rows to print, at most three.
    pub fn rows(&self) -> Vec<&Tokens> {
        let wanted =
            [("positive", Language::English), ("negative", Language::Vietnamese), ("neutral", Language::English)];
        let mut chosen: Vec<usize> = Vec::new();
        for (title, language) in wanted {
            let of_title = |l: Option<Language>| {
                let fits = |r: &Tokens| r.title == title && l.is_none_or(|l| r.language == l);
                self.first.iter().position(fits)
            };
            chosen.extend(of_title(Some(language)).or_else(|| of_title(None)));
        }
        // Other tasks: English and Vietnamese in turn, whatever comes first.
        for language in [Language::English, Language::Vietnamese].into_iter().cycle().take(2 * ROWS) {
            if chosen.len() < ROWS {
                chosen.extend(
                    (0..self.first.len())
                        .find(|&i| !chosen.contains(&i) && self.first.get(i).is_some_and(|r| r.language == language)),
                );
            }
        }
        chosen.into_iter().take(ROWS).filter_map(|i| self.first.get(i)).collect()
    }
}

const LEGEND: &str = "Each token as `text/id`; a space is `·`, a line break `↵`. What is learned stands in `[[ ]]`: the \
                      answer and the token that ends its turn. Everything else is only read.";

/// How wide the lines of tokens may grow, in characters.
const WIDTH: usize = 110;

/// The rows as messages, as text after the template, and token by token.
pub fn as_markdown(rows: &[&Tokens], tokenizer: &ChatTokenizer) -> String {
    let mut out = format!("# Formatted rows\n\n{LEGEND}\n");
    for (i, row) in rows.iter().enumerate() {
        let _ = write!(out, "\n## {}. {}\n\n", i + 1, headline(row));
        let _ = write!(out, "Messages:\n{}", fenced(&row.messages));
        let _ = write!(out, "\nAfter the chat template:\n{}", fenced(&row.text));
        let _ = write!(out, "\nTokens:\n{}", fenced(&token_by_token(row, tokenizer)));
    }
    out
}

/// The rows as a section of a report.
pub(crate) fn into_report(doc: &mut report::Document, rows: &[&Tokens], tokenizer: &ChatTokenizer) {
    doc.paragraph(LEGEND.replace('`', ""));
    for (i, row) in rows.iter().enumerate() {
        doc.subheading(format!("{}. {}", i + 1, headline(row)));
        doc.paragraph("Messages:").pre(pretty(&row.messages));
        doc.paragraph("After the chat template:").pre(&row.text);
        doc.paragraph("Tokens:").pre(token_by_token(row, tokenizer));
    }
}

/// The messages with each field on its own line.
fn pretty(messages: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(messages).ok();
    value.and_then(|v| serde_json::to_string_pretty(&v).ok()).unwrap_or_else(|| messages.to_owned())
}

fn headline(row: &Tokens) -> String {
    format!("{}, {}, {} tokens, {} learned", row.title, row.language, row.ids.len(), row.learned())
}

fn token_by_token(row: &Tokens, tokenizer: &ChatTokenizer) -> String {
    let tokens = tokenizer.tokens(&row.ids);
    let shown = tokens
        .iter()
        .zip(&row.ids)
        .zip(&row.supervised)
        .map(|((token, id), learned)| if *learned { format!("[[{token}/{id}]]") } else { format!("{token}/{id}") });
    wrapped(shown)
}

/// A code block whose fence is longer than any run of backticks inside.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}text\n{text}\n{fence}\n")
}

fn wrapped(words: impl Iterator<Item = String>) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in words {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word);
        column += width;
    }
    out
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}\
pre,.tokens{font:13px/1.9 ui-monospace,monospace;background:#f4f6f8;padding:.8rem;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere}\
.tokens span{display:inline-block;padding:0 .2rem;margin:1px;border:1px solid #d5dbe2;border-radius:3px;background:#fff}\
.tokens small{color:#4f5963;margin-left:.25rem}\
.tokens .special{background:#e4ddf7;border-color:#a893d8}\
.tokens .learned{background:#c9ebd0;border-color:#4d9a60;font-weight:600}\
@media(prefers-color-scheme:dark){body{color:#dfe5ec;background:#12161b}pre,.tokens{background:#1c222a}.tokens span{background:#12161b;border-color:#38424e}\
.tokens small{color:#b4bec9}.tokens .special{background:#3a2f5c}.tokens .learned{background:#1f4d2c}}";

/// The same rows as one HTML page without any outside resource: control tokens violet, learned tokens green.
pub fn as_html(rows: &[&Tokens], tokenizer: &ChatTokenizer) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Formatted rows</title><style>{STYLE}</style></head><body>\n<h1>Formatted rows</h1>\n\
         <p>Each box is a token with its id; a space is ·, a line break ↵. \
         <span class=\"tokens\"><span class=\"special\">violet</span></span> control tokens, \
         <span class=\"tokens\"><span class=\"learned\">green</span></span> tokens that are learned: the answer and the end of its turn.</p>\n"
    );
    for (i, row) in rows.iter().enumerate() {
        let _ = write!(
            out,
            "<h2>{}. {}</h2>\n<h3>Messages</h3>\n<pre>{}</pre>\n\
             <h3>After the chat template</h3>\n<pre>{}</pre>\n<h3>Tokens</h3>\n<div class=\"tokens\">",
            i + 1,
            escaped(&headline(row)),
            escaped(&row.messages),
            escaped(&row.text)
        );
        for ((token, id), learned) in tokenizer.tokens(&row.ids).iter().zip(&row.ids).zip(&row.supervised) {
            let class = match (*learned, tokenizer.is_added(*id)) {
                (true, _) => " class=\"learned\"",
                (false, true) => " class=\"special\"",
                (false, false) => "",
            };
            let _ = write!(out, "<span{class}>{}<small>{id}</small></span>", escaped(token));
        }
        out.push_str("</div>\n");
    }
    out.push_str("</body></html>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
