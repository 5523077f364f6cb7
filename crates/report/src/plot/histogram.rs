use super::frame::{RIGHT, colour, head, head_height, horizontal_axis, left_margin, nothing, vertical_axis};
use super::line::{XAxis, vertical_scale, x_ticks};
use super::scale::{Scale, ticks};
use super::svg::Anchor;
use super::{Svg, WIDTH};
use stats::distribution::histogram as bin;

/// How values are spread, for one or several sets over the same intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramPlot {
    /// What the figure shows.
    pub title: String,
    /// Name and unit of the values.
    pub x_label: String,
    /// Number of intervals.
    pub bins: usize,
    /// Name and values of each set. Values that are not finite are left out.
    pub series: Vec<(String, Vec<f64>)>,
}

/// Draws a histogram: a count for one set, share of each set's rows for several, so that sets of different size compare.
pub fn histogram(plot: &HistogramPlot) -> Svg {
    let names: Vec<&str> = plot.series.iter().map(|(name, _)| name.as_str()).collect();
    let several = plot.series.len() > 1;
    let note = if several { "share of each in %" } else { "count" };
    let top = head_height(&names, note);
    let (height, base) = (top + 290.0, top + 246.0);
    let mut svg = Svg::new(&plot.title, WIDTH, height);
    head(&mut svg, &names, note);

    let finite = |values: &[f64]| values.iter().copied().filter(|v| v.is_finite()).collect::<Vec<f64>>();
    let sets: Vec<Vec<f64>> = plot.series.iter().map(|(_, values)| finite(values)).collect();
    let all: Vec<f64> = sets.iter().flatten().copied().collect();
    let bins = plot.bins.clamp(1, 200);
    let edges = match bin(&all, bins).map(|h| h.edges) {
        // all values are equal: one bar of the whole width would say that they are not
        Some(edges) if edges.len() == 2 && bins > 1 => {
            let [low, high] = [edges[0], edges[1]];
            let odd = bins | 1;
            (0..=odd).map(|i| low + (high - low) * i as f64 / odd as f64).collect()
        }
        Some(edges) => edges,
        None => vec![0.0, 1.0],
    };
    let heights: Vec<Vec<f64>> = sets.iter().map(|set| heights(set, &edges, several)).collect();

    let highest = heights.iter().flatten().copied().fold(0.0, f64::max);
    let y_ticks = ticks(0.0, if highest > 0.0 { highest } else { 1.0 }, 5);
    let left = left_margin(&y_ticks);
    let y = vertical_scale(&y_ticks, base, top + 8.0);
    vertical_axis(&mut svg, &y_ticks, &y, left);

    let (low, high) = match edges.as_slice() {
        [low, .., high] => (*low, *high),
        _ => (0.0, 1.0),
    };
    let x = Scale::new(low, high, left + 4.0, WIDTH - RIGHT - 4.0);
    for (n, heights) in heights.iter().enumerate() {
        let class = format!("bar {}", colour(n));
        for ((edge, height), next) in edges.iter().zip(heights).zip(edges.iter().skip(1)) {
            if *height > 0.0 {
                let (from, to, place) = (x.place(*edge), x.place(*next), y.place(*height));
                let opacity = several.then_some(0.15);
                svg.rect(&class, (from, place), ((to - from - 0.6).max(0.4), base - place), opacity, "");
            }
        }
        // sets lie on each other: their outlines tell them apart
        if several {
            let mut outline = vec![(x.place(low), base)];
            for ((edge, height), next) in edges.iter().zip(heights).zip(edges.iter().skip(1)) {
                outline.extend([(x.place(*edge), y.place(*height)), (x.place(*next), y.place(*height))]);
            }
            outline.push((x.place(high), base));
            svg.path("line", &colour(n), &outline);
        }
    }
    if all.is_empty() {
        nothing(&mut svg, (left, top, base));
    }
    horizontal_axis(&mut svg, &x_ticks(&XAxis::Number(String::new()), low, high, &x), base, left);
    svg.text(f64::midpoint(left, WIDTH - RIGHT), base + 36.0, Anchor::Middle, "soft", &plot.x_label);
    svg
}

/// Rows, or their share in percent, in each interval.
fn heights(set: &[f64], edges: &[f64], share: bool) -> Vec<f64> {
    let bins = edges.len().saturating_sub(1);
    let mut counts = vec![0.0; bins];
    for value in set {
        // the last interval includes its upper limit
        let bin = edges.partition_point(|e| e <= value).saturating_sub(1).min(bins.saturating_sub(1));
        if let Some(count) = counts.get_mut(bin) {
            *count += 1.0;
        }
    }
    let scale = if share && !set.is_empty() { 100.0 / set.len() as f64 } else { 1.0 };
    counts.into_iter().map(|c| c * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_narrow_bar_and_no_values_are_said_to_be_none() {
        let plot = |values| HistogramPlot {
            title: "t".into(),
            x_label: "x".into(),
            bins: 20,
            series: vec![("one".into(), values)],
        };
        let equal = histogram(&plot(vec![0.0; 7])).standalone();
        assert_eq!(equal.matches("<rect").count(), 1);
        let wide: f64 = equal
            .split("<rect")
            .nth(1)
            .unwrap()
            .split("width=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(wide < WIDTH / 15.0, "{wide}");
        assert!(histogram(&plot(vec![f64::NAN])).standalone().contains("no values"));
    }
}
