//! What a document becomes, and that no text can become markup.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use report::{Document, Severity, Table, Tile, plot};
use stats::classification::Confusion;

/// A document in which `text` stands wherever a text may stand.
fn everything(text: &str) -> Document {
    let t = || text.to_owned();
    let confusion = Confusion::of_pairs([t(), t()], [(0, Some(0)), (1, None), (1, Some(0))]).unwrap();
    let series = vec![plot::Series { name: t(), points: vec![(0.0, 1.0), (1.0, 2.0)] }; 2];
    let mut doc = Document::new(text);
    doc.subtitle(text).heading(text).subheading(text).paragraph(text).list([text, text]).pre(text);
    doc.callout(Severity::Critical, text, text).tiles(vec![Tile::new(text, text, text)]);
    doc.table(Table::new().text(text).number(text).caption(text).row([text, text]));
    doc.figure(
        plot::line(&plot::LinePlot { title: t(), x: plot::XAxis::Number(t()), y_label: t(), series: series.clone() }),
        text,
    );
    doc.figure(plot::equity(&plot::EquityPlot { title: t(), unit: t(), capital: 1.0, series }), text);
    doc.figure(plot::confusion(&plot::ConfusionPlot { title: t(), confusion: &confusion }), text);
    let bars = vec![(t(), vec![Some(1.0), None])];
    doc.figure(plot::bars(&plot::BarPlot { title: t(), y_label: t(), categories: vec![t(), t()], series: bars }), text);
    let sets = vec![(t(), vec![1.0, 2.0]), (t(), vec![3.0])];
    let histogram = plot::HistogramPlot { title: t(), x_label: t(), bins: 3, series: sets };
    doc.figure_with_file(plot::histogram(&histogram), text, "h.svg");
    doc
}

fn small() -> Document {
    let mut doc = Document::new("Tình cảm & <tin>");
    doc.subtitle("3,000 rows");
    doc.tiles(vec![Tile::new("macro F1", "0.74", "base 0.31")]);
    doc.callout(Severity::Warning, "Few rows", "Only 5 < 10.");
    doc.heading("Scores");
    doc.paragraph("What \"tuned\" gains.");
    doc.table(
        Table::new().text("class").number("F1").caption("By class").row(["neutral|mixed", "0.5"]).row(["positive"]),
    );
    doc.list(["one", "- two"]);
    doc.pre("<|begin_of_text|>```");
    let bars = plot::BarPlot {
        title: "F1".into(),
        y_label: "F1".into(),
        categories: vec!["a".into(), "b".into()],
        series: vec![("tuned".into(), vec![Some(0.5), None])],
    };
    doc.figure_with_file(plot::bars(&bars), "F1 by class.", "f1.svg");
    doc
}

#[test]
fn a_table_without_rows_says_so() {
    let mut doc = Document::new("t");
    doc.table(Table::new().text("check").number("findings"));
    assert!(doc.to_html().contains("<tr><td class=\"none\" colspan=\"2\">none</td></tr>"));
    assert!(doc.to_markdown().contains("| none |  |"), "{}", doc.to_markdown());
}

#[test]
fn a_small_document_in_html() {
    let html = small().to_html();
    let body = html.split_once("</style>").unwrap().1;
    insta::assert_snapshot!(body);
}

#[test]
fn a_small_document_in_markdown() {
    insta::assert_snapshot!(small().to_markdown());
}

#[test]
fn a_page_needs_nothing_from_outside_and_no_script() {
    let html = everything("x").to_html();
    for outside in ["http:", "https:", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn equal_documents_are_equal_bytes() {
    assert_eq!(small().to_html(), small().to_html());
}

/// Elements of a page, and the text of its preformatted block.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|t| t.split(['>', ' ']).next().unwrap()).collect()
}

proptest! {
    #[test]
    fn no_text_becomes_html(text in prop_oneof![any::<String>(), "[<>&\"'/a-z =!-]{0,30}", Just("</style><script>x</script>".to_owned())]) {
        // plain words of the same width class keep the layout (slanted labels, legends) out of the comparison
        let html = everything(&text).to_html();
        let known = ["!doctype", "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "ul", "li", "pre",
            "div", "strong", "span", "b", "small", "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption",
            "svg", "text", "line", "rect", "path", "circle", "nav", "a"];
        for tag in tags(&html) {
            prop_assert!(known.contains(&tag.trim_start_matches('/')), "<{tag}> from {text:?}");
        }
        prop_assert_eq!(html.matches("<pre>").count(), 1);
        let pre = html.split_once("<pre>").unwrap().1.split_once("</pre>").unwrap().0;
        let read = pre.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
        let expected: String = text.chars().map(|c| if (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn no_text_becomes_markdown(text in "[-|`*_#<>$&~\\[\\]()a-z0-9.+= \n]{0,40}") {
        let mut doc = Document::new("t");
        doc.paragraph(text.as_str());
        doc.table(Table::new().text("c").row([text.as_str()]));
        let md = doc.to_markdown();
        let escaped = |line: &str| {
            let mut plain = String::new();
            let mut chars = line.chars();
            while let Some(c) = chars.next() {
                if c == '\\' { chars.next(); } else { plain.push(c); }
            }
            plain
        };
        let lines: Vec<String> = md.lines().map(escaped).collect();
        let row = lines.last().unwrap();
        prop_assert_eq!(row.matches('|').count(), 2, "{}", md);
        for line in &lines {
            let body = line.trim_start_matches("# ").trim_start_matches("| ");
            prop_assert!(!body.contains(['`', '*', '_', '<', '~', '$', '[', '#']), "{}", md);
        }
    }

    #[test]
    fn any_values_can_be_drawn(values in prop::collection::vec(prop_oneof![any::<f64>(), Just(0.0), Just(1.0), -10.0..10.0], 0..60)) {
        let points: Vec<(f64, f64)> = values.iter().zip(0..).map(|(v, i)| (f64::from(i) * 600.0, *v)).collect();
        let series = vec![plot::Series { name: "a".into(), points }];
        let drawings = [
            plot::line(&plot::LinePlot { title: "t".into(), x: plot::XAxis::Time, y_label: String::new(), series: series.clone() }),
            plot::equity(&plot::EquityPlot { title: "t".into(), unit: "u".into(), capital: 1.0, series }),
            plot::histogram(&plot::HistogramPlot { title: "t".into(), x_label: "x".into(), bins: 20, series: vec![("a".into(), values.clone())] }),
            plot::bars(&plot::BarPlot { title: "t".into(), y_label: "y".into(), categories: vec!["c".into(); values.len()],
                series: vec![("a".into(), values.iter().copied().map(Some).collect())] }),
        ];
        for svg in drawings {
            let text = svg.standalone();
            prop_assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
        }
    }
}

#[test]
fn a_notebook_has_each_table_and_figure_as_the_output_of_a_cell_that_shows_it_again() {
    let doc = small();
    let (page, text) = (doc.to_html(), doc.to_notebook("report.html"));
    let notebook: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&notebook["nbformat"], &notebook["nbformat_minor"]), (&4.into(), &5.into()));
    let cells = notebook["cells"].as_array().unwrap();
    let ids: std::collections::BTreeSet<_> = cells.iter().map(|cell| cell["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), cells.len());
    let code: Vec<_> = cells.iter().filter(|cell| cell["cell_type"] == "code").collect();
    assert_eq!(code.len(), 3, "finders, table, figure");
    for (at, cell) in code.iter().enumerate() {
        assert_eq!(cell["execution_count"], at + 1);
    }
    let joined = |lines: &serde_json::Value| -> String {
        lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
    };
    let table = joined(&code[1]["outputs"][0]["data"]["text/html"]);
    assert!(table.starts_with("<table id=\"t1\">") && page.contains(&table), "{table}");
    assert_eq!(joined(&code[1]["source"]), "table(\"t1\")");
    assert!(page.contains("<figure id=\"f1\">\n<svg"));
    let figure = joined(&code[2]["outputs"][0]["data"]["image/svg+xml"]);
    assert!(figure.contains("xmlns=") && figure.trim_end().ends_with("</svg>"), "{figure}");
    let prose: String = cells.iter().filter(|c| c["cell_type"] == "markdown").map(|c| joined(&c["source"])).collect();
    assert!(prose.starts_with("# Tình cảm") && prose.contains("## Scores") && prose.contains("F1 by class."));
}

#[test]
fn a_document_comes_back_from_json_and_becomes_a_section_of_another() {
    let section = small();
    let back: Document = serde_json::from_str(&section.to_json()).unwrap();
    assert_eq!(back, section);
    let mut whole = Document::new("Both");
    whole.append(section.clone()).append(back);
    let (html, markdown) = (whole.to_html(), whole.to_markdown());
    assert_eq!(markdown.matches("\n### Scores").count(), 2, "{markdown}");
    assert!(markdown.contains("\n## Tình cảm & <tin>") || markdown.contains("\n## Tình cảm"), "{markdown}");
    assert!(
        html.contains("id=\"t1\"") && html.contains("id=\"t2\""),
        "tables of both sections keep names of their own"
    );
    let notebook: serde_json::Value = serde_json::from_str(&whole.to_notebook("x.html")).unwrap();
    assert_eq!(notebook["nbformat_minor"], 5);
}

/// A cell's source or output as one text.
fn joined(lines: &serde_json::Value) -> String {
    lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}

/// What stands between `before` and the next quotation mark, at each place.
fn named<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

proptest! {
    #[test]
    fn every_table_and_figure_of_an_appended_document_has_one_name_in_notebook_and_page(
        parts in prop::collection::vec(0_usize..4, 0..6)
    ) {
        let mut whole = Document::new("Whole");
        whole.table(Table::new().text("own").row(["1"]));
        for (at, blocks) in parts.iter().enumerate() {
            let mut part = if at % 2 == 0 { everything("x") } else { small() };
            // appended documents may hold appended ones
            (0..*blocks).for_each(|_| { part.append(small()); });
            whole.append(part);
        }
        let page = whole.to_html();
        let (tables, figures) = (named(&page, "<table id=\""), named(&page, "<figure id=\""));
        for names in [&tables, &figures] {
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(unique.len(), names.len());
        }
        let notebook: serde_json::Value = serde_json::from_str(&whole.to_notebook("whole.html")).unwrap();
        let cells = notebook["cells"].as_array().unwrap();
        let ids: std::collections::BTreeSet<_> = cells.iter().map(|cell| cell["id"].as_str().unwrap()).collect();
        prop_assert_eq!(ids.len(), cells.len());
        let (mut shown_tables, mut shown_figures) = (Vec::new(), Vec::new());
        for cell in cells.iter().filter(|cell| cell["cell_type"] == "code").skip(1) {
            let source = joined(&cell["source"]);
            let name = source.split('"').nth(1).unwrap().to_owned();
            let data = &cell["outputs"][0]["data"];
            if source.starts_with("table(") {
                prop_assert!(page.contains(&joined(&data["text/html"])), "the output of {} is not on the page", source);
                shown_tables.push(name);
            } else {
                prop_assert!(source.starts_with("figure(") && data["image/svg+xml"].is_array(), "{}", source);
                shown_figures.push(name);
            }
        }
        prop_assert_eq!(shown_tables, tables);
        prop_assert_eq!(shown_figures, figures);
    }
}

#[test]
fn a_figure_without_caption_has_no_dangling_words() {
    let plot = plot::BarPlot {
        title: "Close".into(),
        y_label: "y".into(),
        categories: vec!["a".into()],
        series: vec![("s".into(), vec![Some(1.0)])],
    };
    let mut doc = Document::new("t");
    doc.figure(plot::bars(&plot), "").figure_with_file(plot::bars(&plot), "", "f.svg");
    let text = doc.to_markdown();
    assert!(text.contains("*Figure: Close.*") && text.contains("![Close](<f.svg>)") && !text.contains("**"), "{text}");
}

#[test]
fn long_cells_of_words_keep_a_width_and_numbers_do_not_wrap() {
    let mut doc = Document::new("t");
    doc.table(
        Table::new().text("what").number("n").row(["a sentence that is long enough to wrap", "1"]).row(["short", "2"]),
    );
    let page = doc.to_html();
    assert!(page.contains("<td class=\"words\">a sentence") && page.contains("<td>short</td>"), "{page}");
    assert!(page.contains("<td class=\"number\">1</td>"), "{page}");
}
