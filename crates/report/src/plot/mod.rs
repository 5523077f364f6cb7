//! Figures as SVG, one kind a file. They fit a page 720 units wide, follow the reader's light or dark look, keep their
//! texts apart, and draw something sensible for constant, few, missing or not finite values.

mod bars;
mod confusion;
mod distribution;
mod equity;
mod frame;
mod heat_map;
mod histogram;
mod intervals;
mod label;
mod line;
mod marks;
mod reliability;
mod scale;
mod steps;
mod svg;
mod thin;
mod time_axis;

pub use bars::{BarPlot, bars};
pub use confusion::{ConfusionPlot, confusion};
pub use distribution::{DistributionPlot, distribution};
pub use equity::{EquityPlot, equity};
pub use heat_map::{HeatMapPlot, heat_map};
pub use histogram::{HistogramPlot, histogram};
pub use intervals::{IntervalPlot, intervals};
pub use line::{LinePlot, Series, XAxis, line};
pub use marks::{Mark, MarkKind, MarksPlot, marks};
pub use reliability::{ReliabilityPlot, reliability};
pub use steps::{StepsPlot, steps};
pub use svg::Svg;

pub(crate) use svg::STYLE;

/// Width of every figure.
const WIDTH: f64 = 720.0;
/// Colours before they repeat.
const COLOURS: usize = 8;
