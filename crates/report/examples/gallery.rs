//! Every kind of figure with ordinary and awkward values, to look at: `cargo run -p report --example gallery > g.html`.
#![expect(clippy::print_stdout, reason = "the page is the output")]

use report::plot::{self, BarPlot, ConfusionPlot, EquityPlot, HistogramPlot, LinePlot, Series, XAxis};
use report::{Document, Severity, Table, Tile};
use stats::SplitMix64;
use stats::classification::Confusion;

const START: f64 = 1_740_355_200.0;

fn walk(name: &str, seed: u64, n: u32, step: f64) -> Series {
    let mut random = SplitMix64::new(seed);
    let mut value = 10_000.0;
    let mut next = |t| {
        value *= 1.0 + 0.01 * (random.below(2001) as f64 / 1000.0 - 0.999);
        (START + f64::from(t) * step, value)
    };
    Series { name: name.into(), points: (0..n).map(&mut next).collect() }
}

fn main() {
    let mut doc = Document::new("Gallery: every figure");
    doc.subtitle("Made by crates/report/examples/gallery.rs");
    doc.tiles(vec![
        Tile::new("macro F1", "0.742", "base 0.311"),
        Tile::new("total return", "+12.3 %", "buy and hold −7.1 %"),
        Tile::new("rows", "12,345", ""),
    ]);
    doc.callout(Severity::Note, "A note", "Worth knowing.");
    doc.callout(Severity::Warning, "A warning", "Changes how the figures are to be read.");
    doc.callout(Severity::Critical, "Look-ahead", "These figures must not be used.");

    doc.heading("Lines");
    let few = ["strategy", "buy and hold", "momentum"];
    let series = few.iter().zip(1..).map(|(n, seed)| walk(n, seed, 276, 600.0)).collect();
    doc.figure(
        plot::equity(&EquityPlot { title: "Two days".into(), unit: "USD".into(), capital: 10_000.0, series }),
        "Equity.",
    );
    let series = vec![walk("strategy", 5, 26_000, 3600.0), walk("market", 6, 26_000, 3600.0)];
    doc.figure(
        plot::equity(&EquityPlot { title: "Three years".into(), unit: "USD".into(), capital: 10_000.0, series }),
        "",
    );
    let series = (0..9).map(|i| walk(&format!("một chuỗi có tên dài số {i}"), i, 40, 86_400.0)).collect();
    doc.figure(
        plot::line(&LinePlot { title: "Nine lines".into(), x: XAxis::Time, y_label: "value".into(), series }),
        "",
    );
    let loss = (1..200).map(|i| (f64::from(i), 2.3 * (-f64::from(i) / 60.0).exp() + 0.4)).collect();
    let series = vec![Series { name: "loss".into(), points: loss }];
    doc.figure(
        plot::line(&LinePlot {
            title: "Loss".into(),
            x: XAxis::Number("step".into()),
            y_label: "nats a token".into(),
            series,
        }),
        "",
    );
    for (title, points) in [
        ("No points", vec![]),
        ("One point", vec![(START, 3.0)]),
        (
            "Constant, interrupted",
            vec![
                (START, 3.0),
                (START + 60.0, 3.0),
                (START + 120.0, f64::NAN),
                (START + 180.0, 3.0),
                (START + 200.0, 3.0),
            ],
        ),
    ] {
        let series = vec![Series { name: "s".into(), points }];
        doc.figure(plot::line(&LinePlot { title: title.into(), x: XAxis::Time, y_label: "value".into(), series }), "");
    }

    doc.heading("Bars");
    let languages = vec!["EN".to_owned(), "VI".to_owned()];
    let series = vec![
        ("base".to_owned(), vec![Some(0.31), Some(0.28)]),
        ("tuned".to_owned(), vec![Some(0.81), None]),
        ("change".to_owned(), vec![Some(-0.12), Some(0.5)]),
    ];
    doc.figure(
        plot::bars(&BarPlot { title: "Macro F1".into(), y_label: "F1".into(), categories: languages, series }),
        "",
    );
    let categories: Vec<String> = (0..14).map(|i| format!("uit_vsfc/default/train part {i}")).collect();
    let series = vec![("rows".to_owned(), (0..14).map(|i| Some(f64::from(i * i * 100))).collect())];
    doc.figure(plot::bars(&BarPlot { title: "Rows by source".into(), y_label: "rows".into(), categories, series }), "");
    let categories: Vec<String> = (0..90).map(|i| format!("word {i}")).collect();
    let series = vec![("count".to_owned(), (0..90).map(|i| Some(f64::from(90 - i))).collect())];
    doc.figure(plot::bars(&BarPlot { title: "Ninety bars".into(), y_label: "count".into(), categories, series }), "");

    doc.heading("Distributions");
    let sample = |seed: u64, n: usize| {
        let mut random = SplitMix64::new(seed);
        (0..n).map(|_| (0..6).map(|_| random.below(100) as f64).sum::<f64>()).collect::<Vec<f64>>()
    };
    let series =
        vec![("EN".to_owned(), sample(1, 3000)), ("VI".to_owned(), sample(2, 250).iter().map(|v| v + 60.0).collect())];
    doc.figure(
        plot::histogram(&HistogramPlot { title: "Length".into(), x_label: "characters".into(), bins: 40, series }),
        "",
    );
    let series = vec![("EN".to_owned(), vec![7.0; 5])];
    doc.figure(
        plot::histogram(&HistogramPlot { title: "All equal".into(), x_label: "words".into(), bins: 40, series }),
        "",
    );

    doc.heading("Confusion");
    let mut confusion = Confusion::new(["negative", "neutral", "positive"]);
    for (t, a, n) in
        [(0, Some(0), 700), (0, Some(2), 80), (1, Some(1), 20), (1, None, 5), (2, Some(2), 1234), (2, Some(0), 300)]
    {
        (0..n).for_each(|_| confusion.add(t, a).unwrap_or_default());
    }
    doc.figure(
        plot::confusion(&ConfusionPlot { title: "Tuned".into(), confusion: &confusion }),
        "Truth against answer.",
    );

    doc.heading("Tables and text");
    doc.table(
        Table::new()
            .text("class")
            .number("F1")
            .number("support")
            .caption("By class")
            .row(["negative", "0.71", "1,000"])
            .row(["neutral", "–", "25"]),
    );
    doc.pre("<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWhat is the sentiment?");
    println!("{}", doc.to_html());
}
