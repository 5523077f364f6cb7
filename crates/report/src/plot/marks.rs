use super::frame::{RIGHT, TEXT, head, head_height, horizontal_axis, left_margin, vertical_axis};
use super::label::width;
use super::line::{XAxis, vertical_scale, x_ticks};
use super::scale::{Scale, range, ticks};
use super::svg::{Anchor, unit};
use super::thin::thin;
use super::{Svg, WIDTH};
use std::collections::BTreeSet;

/// What happened at a point of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// A long position was opened: a triangle upwards, below the price.
    Long,
    /// A short position was opened: a triangle downwards, above the price.
    Short,
    /// A position was closed: a ring on the price.
    Exit,
}

/// One mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Seconds since 1970 UTC.
    pub at: f64,
    /// The price.
    pub price: f64,
    /// What happened.
    pub kind: MarkKind,
}

/// A price with what a strategy did.
#[derive(Debug, Clone, PartialEq)]
pub struct MarksPlot {
    /// What the figure shows.
    pub title: String,
    /// Name and unit of the price.
    pub unit: String,
    /// The price: (seconds since 1970 UTC, price).
    pub price: Vec<(f64, f64)>,
    /// Entries and exits.
    pub marks: Vec<Mark>,
}

/// Draws a price over time and the marks on it. Marks of the same kind that would lie on each other are drawn once.
pub fn marks(plot: &MarksPlot) -> Svg {
    let top = head_height(&[], &plot.unit) + 20.0;
    let (height, base) = (top + 320.0, top + 276.0);
    let mut svg = Svg::new(&plot.title, WIDTH, height);
    head(&mut svg, &[], &plot.unit);
    let mut x = 12.0;
    for (kind, name) in [(MarkKind::Long, "long opened"), (MarkKind::Short, "short opened"), (MarkKind::Exit, "closed")]
    {
        draw(&mut svg, kind, (x + 6.0, top - 8.0), 5.0);
        svg.text(x + 17.0, top - 4.0, Anchor::Start, "", name);
        x += 17.0 + width(name, TEXT) + 18.0;
    }

    let known = || plot.marks.iter().filter(|m| m.at.is_finite() && m.price.is_finite());
    let (low, high) = range(plot.price.iter().map(|p| p.1).chain(known().map(|m| m.price)));
    let y_ticks = ticks(low, high, 5);
    let left = left_margin(&y_ticks);
    let y = vertical_scale(&y_ticks, base - 8.0, top + 16.0);
    vertical_axis(&mut svg, &y_ticks, &y, left);
    let (x_low, x_high) = range(plot.price.iter().map(|p| p.0).chain(known().map(|m| m.at)));
    let x = Scale::new(x_low, x_high, left + 8.0, WIDTH - RIGHT - 8.0);
    let placed = plot.price.iter().map(|(px, py)| (x.place(*px), y.place(*py))).collect();
    svg.path("line", "k7", &thin(placed, WIDTH));

    let size = if plot.marks.len() > 150 { 3.2 } else { 5.0 };
    let mut taken = BTreeSet::new();
    // exits first, so that what was opened in the same bar stays visible
    let mut ordered: Vec<_> = known().collect();
    ordered.sort_by_key(|m| m.kind != MarkKind::Exit);
    for mark in ordered {
        let (px, py) = (x.place(mark.at), y.place(mark.price));
        if taken.insert((mark.kind, (px / 2.0).round() as i64, (py / 2.0).round() as i64)) {
            let off = match mark.kind {
                MarkKind::Long => size + 3.0,
                MarkKind::Short => -(size + 3.0),
                MarkKind::Exit => 0.0,
            };
            draw(&mut svg, mark.kind, (px, py + off), size);
        }
    }
    horizontal_axis(&mut svg, &x_ticks(&XAxis::Time, x_low, x_high, &x), base, left);
    svg.text(f64::midpoint(left, WIDTH - RIGHT), base + 36.0, Anchor::Middle, "soft", "time (UTC)");
    svg
}

fn draw(svg: &mut Svg, kind: MarkKind, (x, y): (f64, f64), size: f64) {
    let triangle = |svg: &mut Svg, colour: &str, tip: f64, foot: f64| {
        let (left, right) = (unit(x - size * 0.9), unit(x + size * 0.9));
        let (x, tip, foot) = (unit(x), unit(tip), unit(foot));
        svg.put(format_args!("<path class=\"bar {colour}\" d=\"M{x} {tip}L{right} {foot}L{left} {foot}Z\"/>"));
    };
    match kind {
        MarkKind::Long => triangle(svg, "k2", y - size * 0.8, y + size * 0.8),
        MarkKind::Short => triangle(svg, "k1", y + size * 0.8, y - size * 0.8),
        MarkKind::Exit => {
            let (x, y, r) = (unit(x), unit(y), unit(size * 0.7));
            svg.put(format_args!("<circle class=\"line k0\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>"));
        }
    }
}
