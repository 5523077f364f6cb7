//! One page to look through a run of agents, decision by decision.

mod data;
mod encode;

pub use data::{AccountPoint, ClaimView, DashboardData, DecisionView, FactView, Instrument, OpinionView, StepView};

use crate::escape::xml;
use std::fmt::Write;

/// A self-contained page over a run: prices with decisions, equity, and for each decision what every agent said, which
/// of its claims hold, the facts it was given, the steps taken and their cost.
///
/// The page holds its data, style and script, and its content-security policy forbids it the network. Texts of the data
/// are never markup in it. Equal data give equal bytes.
///
/// ```
/// use report::{DashboardData, dashboard};
/// let page = dashboard(&DashboardData { title: "Run 1 </script>".into(), ..DashboardData::default() });
/// assert!(page.starts_with("<!doctype html>"));
/// assert!(page.contains("Run 1 &lt;/script&gt;"));
/// ```
pub fn dashboard(data: &DashboardData) -> String {
    let title = xml(&data.title);
    let mut tiles = String::new();
    for tile in &data.tiles {
        let (label, value, note) = (xml(&tile.label), xml(&tile.value), xml(&tile.note));
        // writing to a String cannot fail
        write!(tiles, "<div class=\"tile\"><span>{label}</span><b>{value}</b><small>{note}</small></div>").ok();
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{}{}</style>\n</head>\n<body>\n<header><h1>{title}</h1><p class=\"subtitle\">{}</p>\
         <div class=\"tiles\">{tiles}</div></header>\n{}\
         <script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{}</script>\n</body>\n</html>\n",
        include_str!("../page.css"),
        include_str!("page.css"),
        xml(&data.subtitle),
        include_str!("page.html"),
        encode::json(data),
        include_str!("page.js"),
    )
}
