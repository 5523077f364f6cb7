use super::AlertLevel;
use crate::row::rows;
use crate::{Checks, Timestamp};

rows! {
    /// Something noteworthy about market data, found by a check: data, so that a later step can act on it.
    QualityFinding = "quality_finding", version 1, may_be_empty {
        /// The data source.
        source: String,
        /// The instrument; empty where it is about the whole source.
        symbol: String,
        /// Which check, such as `gap`.
        check_name: String,
        /// How much it matters.
        level: AlertLevel,
        /// When, where it has a moment.
        event_at: Option<Timestamp>,
        /// How many rows it is about.
        rows: u64,
        /// The number found, in the check's unit (seconds of a gap, robust z of an outlier).
        value: Option<f64>,
        /// The threshold it was compared with.
        threshold: Option<f64>,
        /// In words, with the remedy.
        message: String,
    }
}

impl Checks for QualityFinding {}
