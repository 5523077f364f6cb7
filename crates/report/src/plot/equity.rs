use super::frame::{RIGHT, colour, head, head_height, horizontal_axis, left_margin, vertical_axis};
use super::line::{Series, XAxis, vertical_scale, x_ticks};
use super::scale::{Scale, range, ticks};
use super::svg::Anchor;
use super::thin::thin;
use super::{Svg, WIDTH};

/// Accounts over time, and how far the first is below its highest point.
#[derive(Debug, Clone, PartialEq)]
pub struct EquityPlot {
    /// What the figure shows.
    pub title: String,
    /// Unit of the accounts.
    pub unit: String,
    /// What the accounts began with: the first high.
    pub capital: f64,
    /// Accounts: (seconds since 1970 UTC, equity); the first one's drawdown is shown.
    pub series: Vec<Series>,
}

/// Draws the accounts above and the first one's drawdown in percent below, over the same dates.
pub fn equity(plot: &EquityPlot) -> Svg {
    let names: Vec<&str> = plot.series.iter().map(|s| s.name.as_str()).collect();
    let note = format!("equity, {}", plot.unit);
    let top = head_height(&names, &note);
    let (base, lower_top, lower_base) = (top + 220.0, top + 258.0, top + 348.0);
    let mut svg = Svg::new(&plot.title, WIDTH, lower_base + 44.0);
    head(&mut svg, &names, &note);

    let points = || plot.series.iter().flat_map(|s| &s.points);
    let (low, high) = range(points().map(|p| p.1).chain([plot.capital]));
    let y_ticks = ticks(low, high, 5);
    let under = plot.series.first().map(|s| underwater(plot.capital, &s.points)).unwrap_or_default();
    let deepest = under.iter().map(|p| p.1).filter(|d| d.is_finite()).fold(0.0, f64::min);
    let under_ticks = ticks(if deepest < 0.0 { deepest.max(-1e6) } else { -1.0 }, 0.0, 3);
    let left = left_margin(&y_ticks).max(left_margin(&under_ticks));

    let y = vertical_scale(&y_ticks, base, top + 8.0);
    vertical_axis(&mut svg, &y_ticks, &y, left);
    let (x_low, x_high) = range(points().map(|p| p.0));
    let x = Scale::new(x_low, x_high, left + 4.0, WIDTH - RIGHT - 4.0);
    for (n, series) in plot.series.iter().enumerate().rev() {
        let placed = series.points.iter().map(|(px, py)| (x.place(*px), y.place(*py))).collect();
        svg.path("line", &colour(n), &thin(placed, WIDTH));
    }

    let name = names.first().map_or_else(String::new, |n| format!(" of {n}"));
    svg.text(12.0, lower_top - 10.0, Anchor::Start, "soft", &format!("drawdown{name}, %"));
    let y = vertical_scale(&under_ticks, lower_base, lower_top);
    vertical_axis(&mut svg, &under_ticks, &y, left);
    let placed = thin(under.iter().map(|(px, py)| (x.place(*px), y.place(*py))).collect(), WIDTH);
    svg.area(&colour(0), &placed, y.place(0.0));
    svg.path("line", &colour(0), &placed);
    horizontal_axis(&mut svg, &x_ticks(&XAxis::Time, x_low, x_high, &x), lower_base, left);
    svg.text(f64::midpoint(left, WIDTH - RIGHT), lower_base + 36.0, Anchor::Middle, "soft", "time (UTC)");
    svg
}

/// Percent below the highest point so far, the starting capital included.
fn underwater(capital: f64, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut top = capital;
    let depth = |(t, equity): &(f64, f64)| {
        top = top.max(*equity);
        (*t, 100.0 * (equity / top - 1.0))
    };
    points.iter().map(depth).collect()
}
