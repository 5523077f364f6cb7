use super::frame::{RIGHT, TEXT};
use super::label::{fit, width};
use super::svg::Anchor;
use super::{Svg, WIDTH};

/// Values of a grid, such as returns by year and month.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMapPlot {
    /// What the figure shows.
    pub title: String,
    /// Name and unit of the values, and what rows and columns are.
    pub note: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Names of the rows with a value for each column; none where there is no value.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
    /// Decimals of the values.
    pub digits: usize,
}

/// Cells lower or narrower than this have no text, and names are left out where they would touch.
const LOWEST: f64 = 15.0;

/// Draws a grid: values above 0 in one colour, below 0 in another, the stronger the further from 0. Values are written
/// into the cells where there is room.
pub fn heat_map(plot: &HeatMapPlot) -> Svg {
    let names: Vec<String> = plot.rows.iter().map(|(name, _)| fit(name, TEXT, 150.0)).collect();
    let left = names.iter().map(|n| width(n, TEXT)).fold(20.0, f64::max) + 24.0;
    let wide = (WIDTH - RIGHT - left) / plot.columns.len().max(1) as f64;
    // many rows get lower, but never so low that they vanish
    let tall = (360.0 / plot.rows.len().max(1) as f64).clamp(6.0, 26.0);
    let top = 76.0;
    let mut svg = Svg::new(&plot.title, WIDTH, top + tall * plot.rows.len() as f64 + 14.0);
    svg.text(12.0, 22.0, Anchor::Start, "title", &fit(&plot.title, 15.0, (WIDTH - 24.0) / 1.08));
    svg.text(12.0, 42.0, Anchor::Start, "soft", &fit(&plot.note, TEXT, WIDTH - 24.0));

    let mut free_from = 0.0;
    for (c, name) in plot.columns.iter().enumerate() {
        let name = fit(name, TEXT, 110.0);
        let (centre, half) = (left + wide * (c as f64 + 0.5), width(&name, TEXT) / 2.0);
        if centre - half >= free_from && centre + half <= WIDTH {
            svg.text(centre, top - 8.0, Anchor::Middle, "soft", &name);
            free_from = centre + half + 6.0;
        }
    }
    let values = || plot.rows.iter().flat_map(|(_, values)| values).filter_map(|v| v.filter(|v| v.is_finite()));
    let strongest = values().map(f64::abs).fold(0.0, f64::max);
    let text = |v: f64| {
        let text = format!("{v:.*}", plot.digits);
        let zero = text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.'));
        if zero { text.trim_start_matches('-').to_owned() } else { text }
    };
    let fits = tall >= LOWEST && values().all(|v| width(&text(v), TEXT) <= wide - 4.0);
    let mut row_free_from = 0.0;
    for (r, (name, (_, values))) in names.iter().zip(&plot.rows).enumerate() {
        let y = top + tall * r as f64;
        if y >= row_free_from {
            svg.text(left - 9.0, y + tall / 2.0 + 4.0, Anchor::End, "", name);
            row_free_from = y + LOWEST - 0.5;
        }
        for (c, value) in values.iter().enumerate().take(plot.columns.len()) {
            let Some(value) = value.filter(|v| v.is_finite()) else { continue };
            let x = left + wide * c as f64;
            let strength = if strongest > 0.0 { value.abs() / strongest } else { 0.0 };
            let class = if value < 0.0 { "cell k1" } else { "cell k2" };
            let tip = format!("{name} {}: {}", plot.columns.get(c).map_or("", String::as_str), text(value));
            svg.rect(class, (x, y), (wide, tall), Some(0.7 * strength), &tip);
            if fits {
                svg.text(x + wide / 2.0, y + tall / 2.0 + 4.0, Anchor::Middle, "", &text(value));
            }
        }
    }
    if !fits && strongest > 0.0 {
        let scale = format!("strongest colour: ±{}", text(strongest));
        svg.text(WIDTH - RIGHT, 42.0, Anchor::End, "soft", &scale);
    }
    svg
}
