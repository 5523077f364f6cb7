use super::frame::TEXT;
use super::label::{fit, width};
use super::svg::Anchor;
use super::{Svg, WIDTH};
use crate::format;
use stats::classification::Confusion;

/// Truth against answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusionPlot<'a> {
    /// What the figure shows.
    pub title: String,
    /// The counts.
    pub confusion: &'a Confusion,
}

/// Draws a heat map: a row for each true class, a column for each answer and one for answers that could not be read.
/// Colour and percentage are shares of the row, so rare classes are as visible as common ones.
pub fn confusion(plot: &ConfusionPlot<'_>) -> Svg {
    let table = plot.confusion;
    let k = table.classes();
    let names: Vec<String> = table.labels().iter().map(|l| fit(l, TEXT, 130.0)).collect();
    let widest = names.iter().map(|n| width(n, TEXT)).fold(0.0, f64::max);
    let left = widest + 32.0;
    let columns = k + 1;
    let cell = ((WIDTH - left - 16.0) / columns as f64).clamp(24.0, 110.0);
    let tall = cell.min(58.0);
    let top = 76.0;
    let mut svg = Svg::new(&plot.title, WIDTH.max(left + cell * columns as f64 + 16.0), top + tall * k as f64 + 16.0);
    let title = fit(&plot.title, 15.0, (WIDTH - 24.0) / 1.08);
    svg.text(12.0, 22.0, Anchor::Start, "title", &title);
    svg.text(12.0, 42.0, Anchor::Start, "soft", "rows: true class, columns: answer; % of the row");

    let heads = names.iter().map(String::as_str).chain(["unparseable"]);
    for (c, name) in heads.enumerate() {
        let name = fit(name, TEXT, cell - 4.0);
        svg.text(left + cell * (c as f64 + 0.5), top - 8.0, Anchor::Middle, "", &name);
    }
    for (r, name) in names.iter().enumerate() {
        let y = top + tall * r as f64;
        svg.text(left - 10.0, y + tall / 2.0 + 4.0, Anchor::End, "", name);
        let support = table.support(r) as f64;
        for c in 0..columns {
            let count = if c < k { table.count(r, c) } else { table.unparseable(r) };
            let share = if support > 0.0 { count as f64 / support } else { 0.0 };
            let x = left + cell * c as f64;
            // right answers in the first colour, wrong ones in the second
            let class = if c == r { "cell k0" } else { "cell k1" };
            svg.rect(class, (x, y), (cell, tall), Some(share * 0.5), "");
            let (middle, centre) = (x + cell / 2.0, y + tall / 2.0);
            if tall >= 40.0 {
                svg.text(middle, centre - 2.0, Anchor::Middle, "", &format::count(count));
                svg.text(middle, centre + 15.0, Anchor::Middle, "", &format::percent(Some(share), 0));
            } else {
                svg.text(middle, centre + 4.0, Anchor::Middle, "", &fit(&count.to_string(), TEXT, cell));
            }
        }
    }
    svg
}
