use super::frame::{RIGHT, TEXT, colour, head, head_height, horizontal_axis};
use super::label::{fit_middle, width};
use super::line::{XAxis, x_ticks};
use super::scale::{Scale, range, ticks};
use super::svg::Anchor;
use super::{Svg, WIDTH};
use crate::format;
use stats::classification::Interval;

/// Figures with their intervals, one below the other.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalPlot {
    /// What the figure shows.
    pub title: String,
    /// Name and unit of the horizontal axis.
    pub x_label: String,
    /// Name of each line.
    pub rows: Vec<String>,
    /// Name of each series and its figures, one for each row; none leaves a gap.
    pub series: Vec<(String, Vec<Option<Interval>>)>,
    /// Where to draw a vertical line, such as 0 for differences.
    pub mark: Option<f64>,
}

/// Draws each estimate as a dot on the line from its lower to its upper bound.
pub fn intervals(plot: &IntervalPlot) -> Svg {
    let names: Vec<&str> = plot.series.iter().map(|(name, _)| name.as_str()).collect();
    let top = head_height(&names, "") + 4.0;
    let sets = plot.series.len().max(1) as f64;
    let slot = (sets * 11.0 + 9.0).max(20.0);
    let base = top + slot * plot.rows.len().max(1) as f64;
    let mut svg = Svg::new(&plot.title, WIDTH, base + 44.0);
    head(&mut svg, &names, "");

    let texts: Vec<String> = plot.rows.iter().map(|r| fit_middle(r, TEXT, 230.0)).collect();
    let left = texts.iter().map(|t| width(t, TEXT)).fold(30.0, f64::max) + 24.0;
    let values = plot.series.iter().flat_map(|(_, v)| v.iter().flatten()).flat_map(|i| [i.estimate, i.low, i.high]);
    let (low, high) = range(values.chain(plot.mark));
    let x_marks = ticks(low, high, 7);
    let (low, high) = match x_marks.as_slice() {
        [low, .., high] => (*low, *high),
        _ => (low, high),
    };
    let x = Scale::new(low, high, left + 4.0, WIDTH - RIGHT - 4.0);
    for tick in &x_marks {
        svg.segment("grid", (x.place(*tick), top), (x.place(*tick), base));
    }
    if let Some(mark) = plot.mark {
        svg.segment("axis", (x.place(mark), top), (x.place(mark), base));
    }
    for (r, text) in texts.iter().enumerate() {
        let centre = top + slot * (r as f64 + 0.5);
        svg.text(left - 10.0, centre + 4.0, Anchor::End, "", text);
        for (n, (name, values)) in plot.series.iter().enumerate() {
            let Some(Interval { estimate, low: from, high: to }) = values.get(r).copied().flatten() else { continue };
            let y = centre + (n as f64 - (sets - 1.0) / 2.0) * 11.0;
            svg.path("line", &colour(n), &[(x.place(from), y), (x.place(to), y)]);
            svg.path("", &colour(n), &[(x.place(estimate), y)]);
            let show = |v| format::number(Some(v), 3);
            let tip = format!("{text}, {name}: {} ({} to {})", show(estimate), show(from), show(to));
            // Nothing to see, but room to point at.
            svg.rect("bar", (x.place(from), y - 5.0), (x.place(to) - x.place(from), 10.0), Some(0.0), &tip);
        }
    }
    horizontal_axis(&mut svg, &x_ticks(&XAxis::Number(String::new()), low, high, &x), base, left);
    svg.text(f64::midpoint(left, WIDTH - RIGHT), base + 36.0, Anchor::Middle, "soft", &plot.x_label);
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interval_leaves_a_gap_and_the_mark_is_inside() {
        let plot = IntervalPlot {
            title: "t".into(),
            x_label: "points".into(),
            rows: vec!["plain".into(), "typos".into()],
            series: vec![("tuned".into(), vec![Some(Interval { estimate: 0.4, low: 0.3, high: 0.5 }), None])],
            mark: Some(0.0),
        };
        let svg = intervals(&plot).standalone();
        assert_eq!((svg.matches("<circle").count(), svg.matches("0.400 (0.300 to 0.500)").count()), (1, 1));
        assert!(!svg.contains("NaN") && svg.contains("typos"));
        let empty = IntervalPlot { rows: Vec::new(), series: Vec::new(), mark: None, ..plot };
        assert!(!intervals(&empty).standalone().contains("NaN"));
    }
}
