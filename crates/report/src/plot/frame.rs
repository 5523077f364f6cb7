//! What all figures share: title, legend, axes.

use super::label::{fit, width};
use super::scale::{Scale, tick_labels};
use super::svg::{Anchor, Svg};
use super::{COLOURS, WIDTH};

pub(crate) const TEXT: f64 = 12.0;
pub(crate) const RIGHT: f64 = 16.0;
const TITLE: f64 = 15.0;
const LEGEND_ROW: f64 = 19.0;

/// The classes of the `n`-th colour; when colours repeat, lines are dashed.
pub(crate) fn colour(n: usize) -> String {
    format!("k{}{}", n % COLOURS, if n < COLOURS { "" } else { " again" })
}

/// How high [`head`] will be.
pub(crate) fn head_height(legend: &[&str], note: &str) -> f64 {
    let rows = legend_places(legend).last().map_or(0.0, |(_, row, _)| row + 1.0);
    32.0 + rows * LEGEND_ROW + if note.is_empty() { 4.0 } else { 20.0 }
}

/// Title, legend (where there is more than one name) and a note on the unit of the vertical axis.
pub(crate) fn head(svg: &mut Svg, legend: &[&str], note: &str) {
    let title = fit(svg.title(), TITLE, (WIDTH - 24.0) / 1.08);
    svg.text(12.0, 22.0, Anchor::Start, "title", &title);
    let mut below = 32.0;
    for ((x, row, name), n) in legend_places(legend).into_iter().zip(0..) {
        let y = 32.0 + row * LEGEND_ROW;
        if n < COLOURS {
            svg.rect(&format!("bar {}", colour(n)), (x, y + 4.0), (14.0, 8.0), None, "");
        } else {
            svg.path("line", &colour(n), &[(x, y + 8.0), (x + 15.0, y + 8.0)]);
        }
        svg.text(x + 19.0, y + 12.0, Anchor::Start, "", &name);
        below = y + LEGEND_ROW;
    }
    if !note.is_empty() {
        svg.text(12.0, below + 12.0, Anchor::Start, "soft", &fit(note, TEXT, WIDTH - 24.0));
    }
}

/// Left edge, row and text of each name of the legend.
fn legend_places(names: &[&str]) -> Vec<(f64, f64, String)> {
    if names.len() < 2 {
        return Vec::new();
    }
    let (mut x, mut row) = (12.0, 0.0);
    let mut places = Vec::new();
    for name in names {
        let name = fit(name, TEXT, 220.0);
        let wide = 19.0 + width(&name, TEXT) + 18.0;
        if x + wide > WIDTH - RIGHT && x > 12.0 {
            (x, row) = (12.0, row + 1.0);
        }
        places.push((x, row, name));
        x += wide;
    }
    places
}

/// Room that the labels of a vertical axis need on the left.
pub(crate) fn left_margin(ticks: &[f64]) -> f64 {
    let widest = tick_labels(ticks).iter().map(|l| width(l, TEXT)).fold(0.0, f64::max);
    (widest + 20.0).clamp(40.0, 150.0)
}

/// Horizontal grid lines with their labels, from `left` to the right margin.
pub(crate) fn vertical_axis(svg: &mut Svg, ticks: &[f64], y: &Scale, left: f64) {
    for (tick, text) in ticks.iter().zip(tick_labels(ticks)) {
        let place = y.place(*tick);
        svg.segment("grid", (left, place), (WIDTH - RIGHT, place));
        svg.text(left - 7.0, place + 4.0, Anchor::End, "soft", &text);
    }
}

/// Marks and labels under a horizontal axis at `base`; a label that would touch the one before is left out.
pub(crate) fn horizontal_axis(svg: &mut Svg, ticks: &[(f64, String)], base: f64, left: f64) {
    svg.segment("axis", (left, base), (WIDTH - RIGHT, base));
    let mut free_from = 0.0;
    for (place, text) in ticks {
        svg.segment("axis", (*place, base), (*place, base + 4.0));
        let half = width(text, TEXT) / 2.0;
        let centre = place.clamp(half + 2.0, (WIDTH - half - 2.0).max(half + 2.0));
        if centre - half >= free_from {
            svg.text(centre, base + 18.0, Anchor::Middle, "soft", text);
            free_from = centre + half + 10.0;
        }
    }
}

/// Says in the middle of the figure that it has no values.
pub(crate) fn nothing(svg: &mut Svg, (left, top, base): (f64, f64, f64)) {
    let middle = (f64::midpoint(left, WIDTH - RIGHT), f64::midpoint(top, base) - 14.0);
    svg.text(middle.0, middle.1, Anchor::Middle, "soft empty", "no values");
}
