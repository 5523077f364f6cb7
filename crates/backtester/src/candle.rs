use artifacts::Timestamp;
use artifacts::rows::Bar;

/// A bar without the name of its instrument: what an engine reads at each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candle {
    /// Its beginning.
    pub event_at: Timestamp,
    /// When its close is known.
    pub available_at: Timestamp,
    /// First price.
    pub open: Option<f64>,
    /// Highest price.
    pub high: Option<f64>,
    /// Lowest price.
    pub low: Option<f64>,
    /// Last price.
    pub close: f64,
    /// Traded volume.
    pub volume: Option<f64>,
}

impl From<&Bar> for Candle {
    fn from(b: &Bar) -> Self {
        let Bar { event_at, available_at, open, high, low, close, volume, .. } = *b;
        Self { event_at, available_at, open, high, low, close, volume }
    }
}

impl Candle {
    /// (high + low + close) / 3: the nearest thing to a volume-weighted price that a bar without one can give.
    pub fn typical(&self) -> Option<f64> {
        Some((self.high? + self.low? + self.close) / 3.0)
    }
}
