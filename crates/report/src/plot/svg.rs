use crate::escape::xml;
use std::fmt::{Arguments, Write};

/// Colours and faces of every figure; the HTML page contains it once, a figure in a file contains it itself.
pub(crate) const STYLE: &str = include_str!("plot.css");

/// A drawing. Only the functions of [`crate::plot`] make one, so it is well-formed and its texts are escaped.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Svg {
    title: String,
    width: f64,
    height: f64,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl Svg {
    pub(crate) fn new(title: &str, width: f64, height: f64) -> Self {
        Self { title: title.to_owned(), width, height, body: String::new() }
    }

    /// What the drawing shows.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The drawing for a page that has the style already.
    pub(crate) fn inline(&self) -> String {
        self.document("", "")
    }

    /// The drawing as the text of an `.svg` file.
    pub fn standalone(&self) -> String {
        let style = format!(
            "<style>\n{STYLE}svg.plot {{ background: #ffffff; }}\n@media (prefers-color-scheme: dark) {{ svg.plot {{ background: #0f1318; }} }}\n</style>\n"
        );
        self.document(" xmlns=\"http://www.w3.org/2000/svg\"", &style) + "\n"
    }

    fn document(&self, namespace: &str, style: &str) -> String {
        let (title, w, h) = (xml(&self.title), unit(self.width), unit(self.height));
        format!(
            "<svg{namespace} class=\"plot\" role=\"img\" aria-label=\"{title}\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">\n{style}{}</svg>",
            self.body
        )
    }

    pub(crate) fn put(&mut self, element: Arguments<'_>) {
        // writing to a String cannot fail
        self.body.write_fmt(element).ok();
        self.body.push('\n');
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let (x, y, anchor, text) = (unit(x), unit(y), anchor.name(), xml(text));
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.put(format_args!("<text{class} x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"));
    }

    /// A text that ends at its point, rising towards it at 35 degrees.
    pub(crate) fn slanted(&mut self, x: f64, y: f64, text: &str) {
        let (x, y, text) = (unit(x), unit(y), xml(text));
        self.put(format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\" transform=\"rotate(-35 {x} {y})\">{text}</text>"
        ));
    }

    pub(crate) fn segment(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (x1, y1, x2, y2) = (unit(from.0), unit(from.1), unit(to.0), unit(to.1));
        self.put(format_args!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    pub(crate) fn rect(&mut self, class: &str, corner: (f64, f64), size: (f64, f64), opacity: Option<f64>, tip: &str) {
        let (x, y, w, h) = (unit(corner.0), unit(corner.1), unit(size.0.max(0.0)), unit(size.1.max(0.0)));
        let opacity = opacity.map(|o| format!(" style=\"fill-opacity:{}\"", unit(o))).unwrap_or_default();
        let tip = if tip.is_empty() { String::new() } else { format!("<title>{}</title>", xml(tip)) };
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"{opacity}>{tip}</rect>"
        ));
    }

    /// A line through the points; a point that is not finite interrupts it. A lone point becomes a dot.
    pub(crate) fn path(&mut self, class: &str, colour: &str, points: &[(f64, f64)]) {
        for run in points.split(|(x, y)| !x.is_finite() || !y.is_finite()) {
            match run {
                [] => {}
                [(x, y)] => {
                    let (x, y) = (unit(*x), unit(*y));
                    self.put(format_args!("<circle class=\"{colour}\" cx=\"{x}\" cy=\"{y}\" r=\"2.5\"/>"));
                }
                run => {
                    let d = commands(run);
                    self.put(format_args!("<path class=\"{class} {colour}\" d=\"{d}\"/>"));
                }
            }
        }
    }

    /// The area between the points and a horizontal line.
    pub(crate) fn area(&mut self, colour: &str, points: &[(f64, f64)], base: f64) {
        for run in points.split(|(x, y)| !x.is_finite() || !y.is_finite()) {
            if let [first, .., last] = run {
                let (d, base) = (commands(run), unit(base));
                let (x0, x1) = (unit(first.0), unit(last.0));
                self.put(format_args!("<path class=\"area {colour}\" d=\"{d}L{x1} {base}L{x0} {base}Z\"/>"));
            }
        }
    }
}

fn commands(points: &[(f64, f64)]) -> String {
    let mut d = String::with_capacity(points.len() * 14);
    for (i, (x, y)) in points.iter().enumerate() {
        let letter = if i == 0 { 'M' } else { 'L' };
        write!(d, "{letter}{} {}", unit(*x), unit(*y)).ok();
    }
    d
}

/// A coordinate with at most two decimals: shorter files, and the same bytes on every machine.
pub(crate) fn unit(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
