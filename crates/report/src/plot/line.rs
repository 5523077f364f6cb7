use super::frame::{RIGHT, colour, head, head_height, horizontal_axis, left_margin, nothing, vertical_axis};
use super::scale::{Scale, range, tick_labels, ticks};
use super::svg::Anchor;
use super::thin::thin;
use super::{Svg, WIDTH, time_axis};

/// What the horizontal axis counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum XAxis {
    /// Numbers, with the axis' name.
    Number(String),
    /// Seconds since 1970-01-01T00:00:00Z, shown as dates in UTC.
    Time,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Points (x, y), x ascending. A value that is not finite interrupts the line.
    pub points: Vec<(f64, f64)>,
}

/// Several lines over one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePlot {
    /// What the figure shows.
    pub title: String,
    /// The horizontal axis.
    pub x: XAxis,
    /// Name and unit of the vertical axis.
    pub y_label: String,
    /// The lines, in the order of the legend.
    pub series: Vec<Series>,
}

/// Draws lines. Any number of points: each column of the picture keeps its extremes.
pub fn line(plot: &LinePlot) -> Svg {
    let names: Vec<&str> = plot.series.iter().map(|s| s.name.as_str()).collect();
    let top = head_height(&names, &plot.y_label);
    let (height, base) = (top + 300.0, top + 256.0);
    let mut svg = Svg::new(&plot.title, WIDTH, height);
    head(&mut svg, &names, &plot.y_label);

    let points = || plot.series.iter().flat_map(|s| &s.points);
    let (y_low, y_high) = range(points().map(|p| p.1));
    let y_ticks = ticks(y_low, y_high, 5);
    let left = left_margin(&y_ticks);
    let y = vertical_scale(&y_ticks, base, top + 8.0);
    vertical_axis(&mut svg, &y_ticks, &y, left);

    let (x_low, x_high) = range(points().map(|p| p.0));
    let x = Scale::new(x_low, x_high, left + 4.0, WIDTH - RIGHT - 4.0);
    horizontal_axis(&mut svg, &x_ticks(&plot.x, x_low, x_high, &x), base, left);
    let x_name = match &plot.x {
        XAxis::Number(name) => name,
        XAxis::Time => "time (UTC)",
    };
    svg.text(f64::midpoint(left, WIDTH - RIGHT), base + 36.0, Anchor::Middle, "soft", x_name);

    if !points().any(|(x, y)| x.is_finite() && y.is_finite()) {
        nothing(&mut svg, (left, top, base));
    }
    for (n, series) in plot.series.iter().enumerate() {
        let placed = series.points.iter().map(|(px, py)| (x.place(*px), y.place(*py))).collect();
        svg.path("line", &colour(n), &thin(placed, WIDTH));
    }
    svg
}

/// The scale that has the first tick at `base` and the last at `top`.
pub(super) fn vertical_scale(ticks: &[f64], base: f64, top: f64) -> Scale {
    let (low, high) = match ticks {
        [low, .., high] => (*low, *high),
        _ => (0.0, 1.0),
    };
    Scale::new(low, high, base, top)
}

/// Places and texts of the marks on a horizontal axis.
pub(super) fn x_ticks(axis: &XAxis, low: f64, high: f64, scale: &Scale) -> Vec<(f64, String)> {
    let marks: Vec<(f64, String)> = match axis {
        XAxis::Time => time_axis::ticks(low, high, 6),
        XAxis::Number(_) => {
            let all = ticks(low, high, 7);
            let texts = tick_labels(&all);
            all.into_iter().zip(texts).filter(|(t, _)| (low..=high).contains(t)).collect()
        }
    };
    marks.into_iter().map(|(t, text)| (scale.place(t), text)).collect()
}
