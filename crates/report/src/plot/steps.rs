use super::frame::{RIGHT, colour, head, head_height, horizontal_axis, left_margin, vertical_axis};
use super::line::{Series, XAxis, vertical_scale, x_ticks};
use super::scale::{Scale, range, ticks};
use super::svg::Anchor;
use super::thin::thin;
use super::{Svg, WIDTH};

/// Values that hold until the next one, such as a position.
#[derive(Debug, Clone, PartialEq)]
pub struct StepsPlot {
    /// What the figure shows.
    pub title: String,
    /// Name and unit of the values.
    pub y_label: String,
    /// Lines: (seconds since 1970 UTC, value); the first one is filled down (or up) to 0.
    pub series: Vec<Series>,
}

/// Draws values over time as steps, and 0 as a line of its own.
pub fn steps(plot: &StepsPlot) -> Svg {
    let names: Vec<&str> = plot.series.iter().map(|s| s.name.as_str()).collect();
    let top = head_height(&names, &plot.y_label);
    let base = top + 150.0;
    let mut svg = Svg::new(&plot.title, WIDTH, top + 194.0);
    head(&mut svg, &names, &plot.y_label);
    let points = || plot.series.iter().flat_map(|s| &s.points);
    let (low, high) = range(points().map(|p| p.1).chain([0.0]));
    let y_ticks = ticks(low, high, 4);
    let left = left_margin(&y_ticks);
    let y = vertical_scale(&y_ticks, base, top + 8.0);
    vertical_axis(&mut svg, &y_ticks, &y, left);
    let (x_low, x_high) = range(points().map(|p| p.0));
    let x = Scale::new(x_low, x_high, left + 4.0, WIDTH - RIGHT - 4.0);
    for (n, series) in plot.series.iter().enumerate() {
        let mut placed: Vec<(f64, f64)> = Vec::with_capacity(2 * series.points.len());
        for (px, py) in &series.points {
            let (px, py) = (x.place(*px), y.place(*py));
            if let Some((_, before)) = placed.last().copied() {
                placed.push((px, before));
            }
            placed.push((px, py));
        }
        let placed = thin(placed, WIDTH);
        if n == 0 {
            svg.area(&colour(n), &placed, y.place(0.0));
        }
        svg.path("line", &colour(n), &placed);
    }
    svg.segment("axis", (left, y.place(0.0)), (WIDTH - RIGHT, y.place(0.0)));
    horizontal_axis(&mut svg, &x_ticks(&XAxis::Time, x_low, x_high, &x), base, left);
    svg.text(f64::midpoint(left, WIDTH - RIGHT), base + 36.0, Anchor::Middle, "soft", "time (UTC)");
    svg
}
