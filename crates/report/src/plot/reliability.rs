use super::frame::{RIGHT, colour, head, head_height, horizontal_axis, left_margin, vertical_axis};
use super::line::vertical_scale;
use super::scale::{Scale, tick_labels, ticks};
use super::svg::Anchor;
use super::{Svg, WIDTH};
use crate::format;
use stats::classification::ReliabilityBin;

/// How often answers are right against how sure they are.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityPlot {
    /// What the figure shows.
    pub title: String,
    /// Name and bins of each set of answers, such as before and after a temperature.
    pub series: Vec<(String, Vec<ReliabilityBin>)>,
}

/// Draws each bin as a dot at its mean confidence and its share right, joined by a line, beside the diagonal on which both are
/// equal; below, how many answers each bin holds. Above the diagonal is too timid, below it too sure.
pub fn reliability(plot: &ReliabilityPlot) -> Svg {
    let names: Vec<&str> = plot.series.iter().map(|(name, _)| name.as_str()).collect();
    let top = head_height(&names, "share right");
    let base = top + 260.0;
    let counts_base = base + 96.0;
    let mut svg = Svg::new(&plot.title, WIDTH, counts_base + 44.0);
    head(&mut svg, &names, "share right");
    let y_ticks = ticks(0.0, 1.0, 5);
    let left = left_margin(&y_ticks);
    let y = vertical_scale(&y_ticks, base, top + 8.0);
    vertical_axis(&mut svg, &y_ticks, &y, left);
    let x = Scale::new(0.0, 1.0, left + 4.0, WIDTH - RIGHT - 4.0);
    svg.segment("axis", (x.place(0.0), y.place(0.0)), (x.place(1.0), y.place(1.0)));

    let highest = plot.series.iter().flat_map(|(_, bins)| bins).map(|b| b.count).max().unwrap_or(0).max(1);
    let sets = plot.series.len().max(1) as f64;
    for (n, (name, bins)) in plot.series.iter().enumerate() {
        let placed = |bin: &ReliabilityBin| Some((x.place(bin.mean_confidence()?), y.place(bin.accuracy()?)));
        let points: Vec<(f64, f64)> = bins.iter().filter_map(placed).collect();
        svg.path("line", &colour(n), &points);
        for point in &points {
            // a lone point becomes a dot
            svg.path("", &colour(n), std::slice::from_ref(point));
        }
        let width = 1.0 / bins.len().max(1) as f64;
        for (b, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
            let (low, high) = (width * b as f64, width * (b + 1) as f64);
            let (from, to) = (x.place(low), x.place(high));
            let slot = (to - from) * 0.8 / sets;
            let tall = 56.0 * bin.count as f64 / highest as f64;
            let right = format::percent(bin.accuracy(), 1);
            let tip = format!("{name}, {low:.2} to {high:.2}: {} answers, {right} right", format::count(bin.count));
            let corner = (from + (to - from) * 0.1 + slot * n as f64, counts_base - tall);
            svg.rect(&format!("bar {}", colour(n)), corner, ((slot - 1.0).max(0.5), tall), None, &tip);
        }
    }
    let x_ticks = ticks(0.0, 1.0, 5);
    let labels = tick_labels(&x_ticks);
    let marks: Vec<(f64, String)> = x_ticks.iter().map(|t| x.place(*t)).zip(labels).collect();
    svg.segment("axis", (left, base), (WIDTH - RIGHT, base));
    svg.text(
        left,
        base + 22.0,
        Anchor::Start,
        "soft",
        &format!("answers (the highest bar: {})", format::count(highest)),
    );
    horizontal_axis(&mut svg, &marks, counts_base, left);
    svg.text(f64::midpoint(left, WIDTH - RIGHT), counts_base + 36.0, Anchor::Middle, "soft", "confidence");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_bins_have_no_mark_and_no_series_is_still_a_figure() {
        let mut bins = vec![ReliabilityBin::default(); 10];
        bins[9] = ReliabilityBin { count: 8, hits: 6, confidence: 7.6 };
        let plot = ReliabilityPlot { title: "t".into(), series: vec![("before".into(), bins)] };
        let svg = reliability(&plot).standalone();
        assert_eq!(svg.matches("answers, 75.0 % right").count(), 1);
        assert!(!svg.contains("NaN"));
        let empty = reliability(&ReliabilityPlot { title: "t".into(), series: Vec::new() }).standalone();
        assert!(empty.contains("confidence") && !empty.contains("NaN"));
    }
}
