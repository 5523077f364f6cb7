//! Figures as SVG, one kind a file. They fit a page 720 units wide, follow the reader's light or dark look, keep their
//! texts apart, and draw something sensible for constant, few, missing or not finite values.

mod bars;
mod confusion;
mod equity;
mod frame;
mod histogram;
mod intervals;
mod label;
mod line;
mod reliability;
mod scale;
mod svg;
mod thin;
mod time_axis;

pub use bars::{BarPlot, bars};
pub use confusion::{ConfusionPlot, confusion};
pub use equity::{EquityPlot, equity};
pub use histogram::{HistogramPlot, histogram};
pub use intervals::{IntervalPlot, intervals};
pub use line::{LinePlot, Series, XAxis, line};
pub use reliability::{ReliabilityPlot, reliability};
pub use svg::Svg;

pub(crate) use svg::STYLE;

/// Width of every figure.
const WIDTH: f64 = 720.0;
/// Colours before they repeat.
const COLOURS: usize = 8;
