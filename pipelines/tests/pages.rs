//! What the browser check of pages can see: each planted fault is found, and a sound page has none. The pages of real runs are
//! looked at where the runs are made, in `end_to_end.rs`, `trading.rs` and `lookahead_audit.rs`.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../crates/report/examples/dashboard.rs"]
mod sample;

use common::browser::Browser;
use common::pages::inspect;
use report::{DashboardData, Document, Severity, Table, Tile, plot};
use std::path::{Path, PathBuf};

fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let file = dir.join(format!("{name}.html"));
    std::fs::write(&file, text).unwrap();
    file
}

/// A page that is sound but for its body.
fn page(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>A page</title></head>\
         <body><h1>A page</h1>{body}</body></html>"
    )
}

fn figure(inside: &str) -> String {
    format!(
        "<svg aria-label=\"a figure\" width=\"300\" height=\"200\"><rect x=\"10\" y=\"90\" width=\"50\" height=\"50\"/>{inside}</svg>"
    )
}

fn cell(text: &str) -> String {
    format!("<table><thead><tr><th>head</th></tr></thead><tbody><tr><td>{text}</td></tr></tbody></table>")
}

#[test]
fn every_planted_fault_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start() else { return };
    let planted: Vec<(String, &str)> = vec![
        ("<script>nowhere();</script>".into(), "script error"),
        ("<script>console.warn('odd');</script>".into(), "console \"warning\""),
        ("<img alt=\"far\" src=\"https://example.invalid/far.png\">".into(), "reaches for https://example.invalid"),
        ("<link rel=\"stylesheet\" href=\"beside.css\">".into(), "reaches for file:"),
        ("<a href=\"beside.csv\">rows</a>".into(), "no file at the end of a link: beside.csv"),
        ("<div style=\"width:1200px\">wide</div>".into(), "pixels wide on a screen of 390: div (390 dark)"),
        (
            "<div style=\"width:60px;overflow:hidden;white-space:nowrap\">longer than its box</div>".into(),
            "a text leaves its box",
        ),
        ("<a href=\"#nowhere\">there</a>".into(), "an anchor leads nowhere: #nowhere"),
        ("<a href=\"#far\" onclick=\"return false\">there</a><p id=\"far\">far</p>".into(), "does not lead to #far"),
        ("<a href=\"#far\">there</a><p id=\"far\" hidden>far</p>".into(), "does not lead to #far"),
        ("<p id=\"one\">a</p><p id=\"one\">b</p>".into(), "an id is given twice: one"),
        ("<h1>Another first heading</h1>".into(), "not exactly one first heading"),
        (cell("NaN %"), "a text of a program: \"NaN %\""),
        (cell("undefined"), "a text of a program"),
        (cell("None"), "a text of a program"),
        (cell("Some(3)"), "a text of a program"),
        (cell("{{ rows }}"), "a template or markup is shown"),
        (cell("&lt;b&gt;12&lt;/b&gt;"), "a template or markup is shown"),
        (cell("profit &amp;amp; loss"), "an entity is shown"),
        (cell("-0.00"), "a negative zero"),
        (cell("0.12345678901"), "more digits than mean anything"),
        ("<table><thead><tr><th>head</th></tr></thead><tbody></tbody></table>".into(), "a table has no rows"),
        ("<table><thead><tr><th></th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>".into(), "no name"),
        ("<p style=\"color:#aaa\">pale</p>".into(), "a text of contrast 2.3 to 1, less than 4.5: p \"pale\""),
        (
            "<style>@media (prefers-color-scheme: dark) { body { background: #000 } p { color: #444 } }</style><p>dim</p>".into(),
            "less than 4.5: p \"dim\" (1280 dark, 390 dark)",
        ),
        ("<p style=\"font-size:8px\">tiny</p>".into(), "a text of 8 pixels"),
        ("<svg aria-label=\"flat\" width=\"0\" height=\"0\"></svg>".into(), "a figure of 0 by 0 pixels"),
        (
            "<svg aria-label=\"bare\" width=\"300\" height=\"200\"><text x=\"9\" y=\"50\">bare</text></svg>".into(),
            "a figure shows nothing",
        ),
        (figure("<text x=\"20\" y=\"50\">first</text><text x=\"40\" y=\"52\">second</text>"), "texts lie on each other"),
        (
            figure("<text x=\"9\" y=\"50\">level</text><text x=\"40\" y=\"60\" transform=\"rotate(-35 40 60)\">risen</text>"),
            "texts lie on each other",
        ),
        (figure("<text x=\"280\" y=\"50\">beyond the edge</text>"), "a text leaves its figure"),
        (figure("<text x=\"15\" y=\"110\">dark</text>"), "a text of contrast 1.0 to 1"),
        (figure("<text x=\"100\" y=\"50\" font-size=\"6\">small</text>"), "a text of 6.0 pixels"),
        (figure("<path class=\"line\" fill=\"none\" stroke=\"#ddd\" d=\"M100 9L200 90\"/>"), "a mark of contrast"),
        (figure("<path d=\"M100 NaNL200 90\"/>"), "a mark has no place"),
    ];
    for (number, (body, expected)) in planted.iter().enumerate() {
        let found = inspect(&mut browser, &written(folder.path(), &format!("planted {number}"), &page(body)));
        assert!(found.iter().any(|f| f.contains(expected)), "{body}\nis not found, but {found:#?}");
    }
    let unscaled = page("<p>far away</p>").replace("<meta name=\"viewport\"", "<meta name=\"other\"");
    let found = inspect(&mut browser, &written(folder.path(), "unscaled", &unscaled));
    assert!(found.iter().any(|f| f.contains("laid out for a screen of 980")), "{found:#?}");
    let sound = page(
        "<a href=\"#end\">end</a><div style=\"overflow-x:auto\"><table><thead><tr><th>head</th></tr></thead>\
         <tbody><tr><td style=\"white-space:nowrap\">a row that is far wider than a phone, which scrolls in its own box</td></tr></tbody>\
         </table></div><p id=\"end\">0.00 of -0.01</p>",
    );
    assert_eq!(inspect(&mut browser, &written(folder.path(), "sound", &sound)), Vec::<String>::new());
}

#[test]
fn a_report_with_awkward_texts_and_values_is_sound_on_every_screen() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start() else { return };
    let long = "a name that nobody would give to anything but a test of names that are much too long for their place";
    let mut doc = Document::new("Awkward texts & values");
    doc.subtitle(long).tiles(vec![Tile::new("rows", "1,234,567", "of many"), Tile::new(long, "–", "")]);
    doc.heading("Words").paragraph(long.replace(' ', "-")).callout(Severity::Critical, long, long);
    doc.list([long, "short"]).pre(format!("{long} {long}\n{}", "x".repeat(300)));
    let mut table = Table::new().text("what").caption(format!("{long}, {long}."));
    for n in 0..14 {
        table = table.number(format!("column {n}"));
    }
    doc.heading("Figures")
        .table(table.row(std::iter::once(long.to_owned()).chain((0..14).map(|n| format!("{n}.00 %")))));
    let categories: Vec<String> = (0..12).map(|n| format!("{long} {n}")).collect();
    let series = |scale: f64| (0..12).map(|n| Some(scale * f64::from(n))).collect::<Vec<_>>();
    doc.table(Table::new().text("a table").number("without rows"));
    for names in [vec!["one"], vec!["one", "two"], vec!["one", "two", "three", "four", long]] {
        let series = names.iter().zip(1..).map(|(n, k)| ((*n).to_owned(), series(f64::from(k) * 3.33))).collect();
        let (title, y_label, categories) = (long.into(), long.into(), categories.clone());
        doc.figure(plot::bars(&plot::BarPlot { title, y_label, categories, series }), long);
    }
    let near = ["train", "eval", "test"].map(|n| (n.to_owned(), vec![Some(33.3), Some(33.4), Some(4.8)])).to_vec();
    let categories = (0..7).map(|n| format!("set {n}")).collect();
    doc.figure(
        plot::bars(&plot::BarPlot { title: "Near".into(), y_label: "%".into(), categories, series: near }),
        "near",
    );
    for values in [vec![], vec![0.0; 9], vec![f64::NAN], (0..90).map(|n| f64::from(n) * 1e6).collect()] {
        let (title, x_label) = ("Spread".to_owned(), "values".to_owned());
        let series = vec![("values".to_owned(), values.clone())];
        doc.figure(plot::histogram(&plot::HistogramPlot { title, x_label, bins: 30, series }), "spread");
        let points = values.iter().enumerate().map(|(n, v)| (n as f64, *v)).collect();
        let (title, y_label, x) = ("Line".to_owned(), "value".to_owned(), plot::XAxis::Number("row".into()));
        let series = vec![plot::Series { name: "one".into(), points }];
        doc.figure(plot::line(&plot::LinePlot { title, y_label, x, series }), "line");
    }
    let file = written(folder.path(), "awkward", &doc.to_html());
    assert_eq!(inspect(&mut browser, &file), Vec::<String>::new());
}

#[test]
fn the_dashboard_answers_mouse_keyboard_and_a_change_of_the_look() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start() else { return };
    // the sample's own title looks like markup on purpose
    let data = DashboardData { title: "Invented run".into(), ..sample::sample(276) };
    let file = written(folder.path(), "dashboard", &report::dashboard(&data));
    assert_eq!(inspect(&mut browser, &file), Vec::<String>::new());

    browser.screen(1280, false);
    browser.open(&file);
    let heading = "document.querySelector('#detail h2').textContent";
    assert_eq!(browser.value(heading), "BTC, bar of 2025-02-24 00:00");
    browser.click("#rows .row:nth-child(3)");
    assert_eq!(browser.value(heading), "BTC, bar of 2025-02-24 00:20");
    assert_eq!(browser.value("document.querySelectorAll('[aria-selected=true]').length"), 1);
    browser.key("End");
    assert_eq!(browser.value(heading), "BTC, bar of 2025-02-25 21:50");
    browser.click("#price");
    let middle = browser.value(heading);
    assert!(middle.as_str().unwrap().contains("2025-02-2") && middle != "BTC, bar of 2025-02-25 21:50", "{middle}");

    browser.click("#query");
    "bulletin 3)".chars().for_each(|c| browser.key(&c.to_string()));
    let count = "document.getElementById('count').textContent";
    assert_eq!(browser.value(count), "7 of 276 decisions");
    browser.click("#clear");
    assert_eq!(browser.value(count), "276 of 276 decisions");
    browser.value("document.activeElement.blur()");
    browser.key("Home");

    browser.click(".claims button");
    assert_eq!(browser.value("document.querySelectorAll('.facts tr.cited').length"), 1);
    let opened = "document.querySelector('#detail details').open";
    browser.click("#detail summary");
    assert_eq!(browser.value(opened), true);
    browser.click("#detail summary");
    assert_eq!(browser.value(opened), false);

    let drawing = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(document.getElementById('price').toDataURL()))))";
    let light = browser.value(drawing);
    browser.screen(1280, true);
    let dark = browser.value(drawing);
    assert_ne!(light, dark, "the charts keep the colours of the other look");
    browser.screen(390, true);
    assert_ne!(browser.value(drawing), dark, "the charts keep the size of the other screen");
    assert_eq!(browser.heard(&file), Vec::<String>::new());
}
