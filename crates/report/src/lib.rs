//! Reports: one [`Document`] becomes a self-contained HTML page, Markdown and a notebook; [`plot`] draws its figures as SVG.
//!
//! * Every text is escaped where it is written, so rows of a data set may go into a report as they are.
//! * The HTML has its style inside, no script, no external resource, and a light and a dark look. One page alone has a
//!   script, and that inside too: the [`dashboard()`] to look through a run with.
//! * Equal documents give equal bytes.
//!
//! ```
//! use report::{Document, Severity, Table, plot};
//! let mut doc = Document::new("Sentiment, base against tuned");
//! doc.callout(Severity::Warning, "Few rows", "250 rows a language: intervals are about 6 points wide.");
//! doc.heading("Scores");
//! doc.table(Table::new().text("model").number("macro F1").row(["base", "0.31"]).row(["tuned", "0.74"]));
//! let svg = plot::bars(&plot::BarPlot {
//!     title: "Macro F1".into(),
//!     y_label: "F1".into(),
//!     categories: vec!["EN".into(), "VI".into()],
//!     series: vec![("tuned".into(), vec![Some(0.8), Some(0.7)])],
//! });
//! doc.figure(svg, "Macro F1 by language.");
//! assert!(doc.to_html().starts_with("<!doctype html>"));
//! assert!(doc.to_markdown().contains("| tuned |"));
//! ```
//!
//! The SVG is written by hand: `plotters` guesses the width of a text as 0.7 em a *byte* when it has no font, which is
//! two to three times too much for Vietnamese, fixes every colour (no dark look), and does not keep labels apart.

mod callout;
mod dashboard;
mod document;
mod escape;
mod figure;
pub mod format;
mod html;
mod markdown;
mod notebook;
pub mod plot;
mod table;
mod tile;

pub use callout::Severity;
pub use dashboard::{
    AccountPoint, ClaimView, DashboardData, DecisionView, FactView, Instrument, OpinionView, StepView, dashboard,
};
pub use document::{Block, Document};
pub use figure::Figure;
pub use table::{Align, Column, Table};
pub use tile::Tile;
