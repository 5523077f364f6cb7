use super::frame::{RIGHT, TEXT, colour, head, head_height, left_margin, vertical_axis};
use super::label::{fit_middle, width};
use super::line::vertical_scale;
use super::scale::{range, ticks};
use super::svg::Anchor;
use super::{Svg, WIDTH};
use crate::format;

/// One bar for each category and series.
#[derive(Debug, Clone, PartialEq)]
pub struct BarPlot {
    /// What the figure shows.
    pub title: String,
    /// Name and unit of the vertical axis.
    pub y_label: String,
    /// Names under the axis.
    pub categories: Vec<String>,
    /// Name of each series and its values, one for each category; none leaves a gap.
    pub series: Vec<(String, Vec<Option<f64>>)>,
}

/// A longer name of a category is shortened.
const LONGEST: f64 = 130.0;

/// Draws grouped bars from 0. Values are written above the bars where there is room; the bars' tips always have them.
pub fn bars(plot: &BarPlot) -> Svg {
    let names: Vec<&str> = plot.series.iter().map(|(name, _)| name.as_str()).collect();
    let top = head_height(&names, &plot.y_label) + 10.0;
    let base = top + 230.0;

    let values = || plot.series.iter().flat_map(|(_, v)| v.iter().flatten().copied());
    let (low, high) = range(values().chain([0.0]));
    let (low, high) = if values().all(|v| v == 0.0 || !v.is_finite()) { (0.0, 1.0) } else { (low, high) };
    let y_ticks = ticks(low, high, 5);
    let left = left_margin(&y_ticks);
    let count = plot.categories.len().max(1) as f64;
    let slanted = plot.categories.iter().any(|c| width(c, TEXT) > (WIDTH - RIGHT - left) / count - 6.0);
    // the first slanted text begins left of its bar, and all of it has to be in the figure
    let first = plot.categories.first().map_or(0.0, |c| width(c, TEXT).min(LONGEST) * 0.82 + 1.0);
    let half = 0.5 / count;
    let left = if slanted { left.max((first - (WIDTH - RIGHT) * half) / (1.0 - half)) } else { left };
    let slot = (WIDTH - RIGHT - left) / count;
    let middle = |c: usize| left + slot * (c as f64 + 0.5);
    // a slanted text reaches 0.82 of its width to the left and must not leave the figure
    let room = |c: usize| (middle(c) / 0.82).clamp(30.0, LONGEST);
    let shown = |(c, text): (usize, &String)| if slanted { fit_middle(text, TEXT, room(c)) } else { text.clone() };
    let texts: Vec<String> = plot.categories.iter().enumerate().map(shown).collect();
    let longest = texts.iter().map(|t| width(t, TEXT)).fold(0.0, f64::max);
    let foot = if slanted { 24.0 + longest * 0.58 } else { 28.0 };

    let mut svg = Svg::new(&plot.title, WIDTH, base + foot);
    head(&mut svg, &names, &plot.y_label);
    let y = vertical_scale(&y_ticks, base, top);
    vertical_axis(&mut svg, &y_ticks, &y, left);
    let zero = y.place(0.0);

    let bar = slot * 0.8 / plot.series.len().max(1) as f64;
    // all values or none: some of them would look like a statement
    let digits = digits(values());
    let short = |value: f64| format::number(Some(value), digits);
    let roomy = values().all(|v| width(&short(v), TEXT) <= bar);
    for (n, (name, values)) in plot.series.iter().enumerate() {
        for (c, (value, category)) in values.iter().zip(&plot.categories).enumerate() {
            let Some(value) = value.filter(|v| v.is_finite()) else { continue };
            let x = left + slot * (c as f64 + 0.1) + bar * n as f64;
            let place = y.place(value);
            let text = short(value);
            let tip = format!("{category}, {name}: {text}");
            let size = ((bar - 1.0).max(0.5), (zero - place).abs());
            svg.rect(&format!("bar {}", colour(n)), (x, place.min(zero)), size, None, &tip);
            if roomy {
                let above = if value < 0.0 { place + 13.0 } else { place - 4.0 };
                svg.text(x + (bar - 1.0) / 2.0, above, Anchor::Middle, "value", &text);
            }
        }
    }
    svg.segment("axis", (left, zero), (WIDTH - RIGHT, zero));
    // slanted texts need 15 units each: where slots are narrower, only every second, third … has its name
    let every = if slanted { (15.0 / slot).ceil().max(1.0) as usize } else { 1 };
    for (c, text) in texts.iter().enumerate().step_by(every) {
        if slanted {
            svg.slanted(middle(c) + 4.0, base + 18.0, text);
        } else {
            svg.text(middle(c), base + 18.0, Anchor::Middle, "", text);
        }
    }
    svg
}

/// Decimals that every value gets, so that they compare: what the largest needs.
fn digits(values: impl Iterator<Item = f64>) -> usize {
    let (mut largest, mut whole) = (0_f64, true);
    for value in values.filter(|v| v.is_finite()) {
        largest = largest.max(value.abs());
        whole &= value.fract() == 0.0;
    }
    match largest {
        _ if whole => 0,
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 0.1 => 2,
        v if v >= 0.01 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_figure_have_the_decimals_that_the_largest_needs() {
        let plot = |values: Vec<f64>| BarPlot {
            title: "t".into(),
            y_label: "%".into(),
            categories: values.iter().map(|v| format!("c{v}")).collect(),
            series: vec![("one".into(), values.into_iter().map(Some).collect())],
        };
        let drawn = bars(&plot(vec![59.2, 4.8, f64::NAN])).standalone();
        assert!(drawn.contains(">59.2<") && drawn.contains(">4.8<"), "{drawn}");
        assert!(bars(&plot(vec![15_424.0, 500.0])).standalone().contains(">15,424<"));
        assert!(bars(&plot(vec![-0.035, 0.01])).standalone().contains(">-0.035<"));
    }

    #[test]
    fn a_long_first_name_gets_room_instead_of_being_shortened() {
        let names =
            ["characters a text", "small letters only", "words a text", "tokens a text", "cash tag", "digit", "a", "b"];
        let plot = BarPlot {
            title: "t".into(),
            y_label: "distance".into(),
            categories: names.map(String::from).to_vec(),
            series: vec![("one".into(), vec![Some(0.4); 8])],
        };
        assert!(bars(&plot).standalone().contains(">characters a text</text>"));
    }
}
