use super::frame::{RIGHT, colour, head, head_height, horizontal_axis, left_margin, vertical_axis};
use super::line::{XAxis, vertical_scale, x_ticks};
use super::scale::{Scale, range, ticks};
use super::svg::Anchor;
use super::{Svg, WIDTH};
use stats::distribution::{mean, std};
use stats::normal;

/// How values are spread, against a normal distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct DistributionPlot {
    /// What the figure shows.
    pub title: String,
    /// Name and unit of the values.
    pub x_label: String,
    /// The values; those that are not finite are left out.
    pub values: Vec<f64>,
    /// Number of intervals.
    pub bins: usize,
}

/// Beyond this many standard deviations values are counted, not drawn: one of them would squeeze all others into one bar.
const FAR: f64 = 5.0;

/// Draws a histogram in percent of the values, and the normal distribution of the same mean and standard deviation.
pub fn distribution(plot: &DistributionPlot) -> Svg {
    let values: Vec<f64> = plot.values.iter().copied().filter(|v| v.is_finite()).collect();
    let bins = plot.bins.clamp(5, 200);
    let centre = mean(&values).unwrap_or(0.0);
    let spread = std(&values, 1).filter(|s| *s > 0.0);
    let reach = values.iter().map(|v| (v - centre).abs()).fold(0.0, f64::max);
    let drawn = spread.map_or(reach, |s| reach.min(FAR * s));
    // widened where all values are equal
    let (low, high) = range([centre - drawn, centre + drawn].into_iter());
    let half = high / 2.0 - low / 2.0;

    let step = (high - low) / bins as f64;
    let mut counts = vec![0.0; bins];
    let mut beyond = 0;
    for value in &values {
        // the outermost intervals include their limits, also where those are off by rounding
        if (value - centre).abs() > half * (1.0 + 1e-9) {
            beyond += 1;
        } else if let Some(count) = counts.get_mut((((value - low) / step).max(0.0) as usize).min(bins - 1)) {
            *count += 1.0;
        }
    }
    let share = if values.is_empty() { 0.0 } else { 100.0 / values.len() as f64 };
    let curve: Vec<(f64, f64)> = spread.map_or_else(Vec::new, |s| {
        let at = |i: u32| low + (high - low) * f64::from(i) / 160.0;
        (0..=160).map(|i| (at(i), 100.0 * step / s * normal::density((at(i) - centre) / s))).collect()
    });

    let names = if curve.is_empty() { vec![] } else { vec!["values", "normal distribution"] };
    let note = if beyond == 0 {
        "share of values in %".to_owned()
    } else {
        format!("share of values in %; {beyond} beyond {FAR} standard deviations are not drawn")
    };
    let top = head_height(&names, &note);
    let base = top + 246.0;
    let mut svg = Svg::new(&plot.title, WIDTH, top + 290.0);
    head(&mut svg, &names, &note);
    let highest = counts.iter().map(|c| c * share).chain(curve.iter().map(|p| p.1)).fold(0.0, f64::max);
    let y_ticks = ticks(0.0, if highest > 0.0 { highest } else { 1.0 }, 5);
    let left = left_margin(&y_ticks);
    let y = vertical_scale(&y_ticks, base, top + 8.0);
    vertical_axis(&mut svg, &y_ticks, &y, left);
    let x = Scale::new(low, high, left + 4.0, WIDTH - RIGHT - 4.0);
    let class = format!("bar {}", colour(0));
    for (i, count) in counts.iter().enumerate().filter(|(_, c)| **c > 0.0) {
        let (from, to) = (x.place(low + step * i as f64), x.place(low + step * (i as f64 + 1.0)));
        let place = y.place(count * share);
        svg.rect(&class, (from, place), ((to - from - 0.6).max(0.4), base - place), Some(0.75), "");
    }
    let placed: Vec<(f64, f64)> = curve.iter().map(|(px, py)| (x.place(*px), y.place(*py))).collect();
    svg.path("line", &colour(1), &placed);
    horizontal_axis(&mut svg, &x_ticks(&XAxis::Number(String::new()), low, high, &x), base, left);
    svg.text(f64::midpoint(left, WIDTH - RIGHT), base + 36.0, Anchor::Middle, "soft", &plot.x_label);
    svg
}
