use crate::plot::Svg;

/// A drawing with its caption.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Figure {
    /// The drawing; HTML contains it.
    pub svg: Svg,
    /// What to see in it.
    pub caption: String,
    /// Where the drawing also lies as a file, relative to the report: Markdown shows that.
    pub file: Option<String>,
}
