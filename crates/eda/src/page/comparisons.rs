use super::Page;
use crate::Analysis;
use report::Table;
use report::format::{count, number, percent};
use report::plot::{BarPlot, bars};

pub(super) fn all(page: &mut Page, analysis: &Analysis) {
    if analysis.comparisons.is_empty() {
        return;
    }
    page.document.heading("One side against another");
    for (number_of, c) in analysis.comparisons.iter().enumerate() {
        let title = match c.subject.as_str() {
            "all" => format!("{}: {} against {}", c.dimension.name(), c.a, c.b),
            subject => format!("{} ({subject}): {} against {}", c.dimension.name(), c.a, c.b),
        };
        page.document.subheading(title.clone());
        let mut table = Table::new()
            .text("figure")
            .number(c.a.clone())
            .number(c.b.clone())
            .text("measure")
            .number("distance")
            .number("by chance")
            .text("more than chance");
        for d in &c.differences {
            let value = |v: Option<f64>| match v {
                Some(v) if d.share => percent(Some(v), 1),
                Some(v) if v >= 1000.0 => count(v as u64),
                v => number(v, 1),
            };
            let verdict = if d.distance > d.chance { "yes" } else { "no" };
            let distances = [number(Some(d.distance), 3), number(Some(d.chance), 3)];
            let words = [d.figure.clone(), value(d.a), value(d.b), d.measure.name().to_owned()];
            table.push(words.into_iter().chain(distances).chain([verdict.to_owned()]));
        }
        let (a, b) = c.texts;
        page.document.table(table.caption(format!(
            "{} and {} texts, each once. Distances from 0 (equal) to 1; by chance: 95 % of random divisions stay below.",
            count(a),
            count(b)
        )));
        let mut ranked: Vec<_> = c.differences.iter().filter(|d| d.distance > d.chance).collect();
        ranked.sort_by(|x, y| (y.distance - y.chance).total_cmp(&(x.distance - x.chance)));
        ranked.truncate(10);
        if ranked.is_empty() {
            continue;
        }
        let rounded = |v: f64| Some((v * 1000.0).round() / 1000.0);
        let plot = BarPlot {
            title,
            y_label: "distance".into(),
            categories: ranked.iter().map(|d| d.figure.clone()).collect(),
            series: vec![
                ("distance".into(), ranked.iter().map(|d| rounded(d.distance)).collect()),
                ("by chance".into(), ranked.iter().map(|d| rounded(d.chance)).collect()),
            ],
        };
        let caption = format!("Where {} and {} differ most.", c.a, c.b);
        page.figure(format!("comparison_{number_of}.svg"), bars(&plot), caption);
    }
}
