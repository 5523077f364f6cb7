use crate::Fold;
use crate::coverage::Coverage;
use artifacts::rows::FeatureDefinition;
use report::plot::{self, LinePlot, Series, XAxis};
use report::{Document, Table, Tile, format};

/// What the features are, how much of them there is, and some of them drawn.
pub(crate) fn document(fold: &Fold, rows: &[FeatureDefinition], coverage: &Coverage) -> Document {
    let mut page = Document::new("Features");
    page.subtitle("One fold over bars, texts and observations in the order in which they could be known.");
    page.tiles(vec![
        Tile::new("features", fold.definitions().len().to_string(), "definitions.parquet"),
        Tile::new("bars", format::count(coverage.bars), "of all instruments"),
        Tile::new("values", format::count(coverage.values), "features.parquet; what is not defined is left out"),
    ]);
    page.heading("Definitions");
    page.paragraph(
        "A value has the times of its bar: it is known when the bar is. Warm-up counts bars with an input before the first value; \
         what is not known or not defined is left out. The hash is that of name, version, inputs and parameters.",
    );
    let mut table = Table::new().text("feature").number("version").text("hash").text("inputs").number("warm-up");
    table = table.text("what");
    for row in rows {
        table.push([
            row.name.clone(),
            row.version.to_string(),
            row.hash.chars().take(12).collect(),
            row.inputs.join(", "),
            row.warm_up.to_string(),
            row.description.clone(),
        ]);
    }
    page.table(table);
    page.heading("Coverage");
    let mut table = Table::new().text("feature").number("values").number("share of bars").text("first");
    table = table.number("lowest").number("highest").number("last");
    for row in rows {
        let Some(seen) = coverage.of(&row.name) else {
            table.push([row.name.as_str(), "0", "0.0 %", "never: no such input in this market"]);
            continue;
        };
        let share = seen.values as f64 / coverage.bars.max(1) as f64;
        table.push([
            row.name.clone(),
            format::count(seen.values),
            format::percent(Some(share), 1),
            seen.first.to_string(),
            short(seen.low),
            short(seen.high),
            short(seen.last),
        ]);
    }
    page.table(table);
    let symbol = coverage.symbol.clone().unwrap_or_default();
    for (name, points) in coverage.plotted() {
        let svg = plot::line(&LinePlot {
            title: format!("{symbol}: {name}"),
            x: XAxis::Time,
            y_label: name.clone(),
            series: vec![Series { name: name.clone(), points: points.clone() }],
        });
        let what = rows.iter().find(|r| r.name == *name).map(|r| r.description.clone()).unwrap_or_default();
        page.figure(svg, format!("{}.", capital(&what)));
    }
    page
}

/// About five digits, and no zeros that say nothing.
fn short(x: f64) -> String {
    let digits = match x.abs() {
        v if v >= 1000.0 || (v.fract() == 0.0 && v < 1e9) => usize::from(v.fract() != 0.0),
        v if v >= 100.0 => 2,
        v if v >= 1.0 => 3,
        v if v >= 0.01 => 5,
        _ => 6,
    };
    format::number(Some(x), digits)
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
