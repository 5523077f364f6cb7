use crate::row::rows;
use crate::{Checks, Timestamp};

rows! {
    /// The position a strategy wants after seeing one bar, ordered by symbol, then bar.
    Decision = "decision", version 1, not_empty {
        /// The instrument.
        symbol: String,
        /// The `event_at` of the bar it was made on.
        bar_at: Timestamp,
        /// When it was made: nothing known later went into it.
        decided_at: Timestamp,
        /// Target position as a share of equity, from -1 (short) to 1 (long).
        position: f64,
        /// Mood of the news known by then, from -1 to 1; none where no news was known.
        sentiment: Option<f64>,
        /// What the numeric features say, from -1 to 1; none before their warm-up is over.
        technical: Option<f64>,
        /// Ids of the news read for it.
        news_ids: Vec<String>,
        /// Why, in words: written by the strategy from its own numbers.
        rationale: String,
    }

    /// One executed change of position.
    Fill = "fill", version 1, may_be_empty {
        /// The instrument.
        symbol: String,
        /// When the decision behind it was made.
        decided_at: Timestamp,
        /// The `event_at` of the bar it was filled in.
        bar_at: Timestamp,
        /// Price paid or received, slippage included.
        price: f64,
        /// Units bought (sold: negative).
        units: f64,
        /// Commission paid, in currency.
        commission: f64,
        /// What slippage cost, in currency.
        slippage: f64,
        /// Units held afterwards.
        held: f64,
    }

    /// The account after one bar.
    EquityPoint = "equity_point", version 1, not_empty {
        /// The bar.
        event_at: Timestamp,
        /// Its close.
        close: f64,
        /// Cash plus units at the close, in currency.
        equity: f64,
        /// The same capital held in the instrument from its first tradable price on, without costs.
        market_equity: f64,
        /// Value of the holding as a share of equity.
        position: f64,
        /// Commission and slippage paid within the bar, in currency.
        cost: f64,
    }
}

fn finite<const N: usize>(values: [(&str, f64); N]) -> Result<(), String> {
    match values.iter().find(|(_, v)| !v.is_finite()) {
        Some((name, v)) => Err(format!("{name} is {v}, not a number")),
        None => Ok(()),
    }
}

impl Checks for Decision {
    fn check(&self) -> Result<(), String> {
        if !(-1.0..=1.0).contains(&self.position) {
            return Err(format!("position is {}; positions lie in [-1, 1]", self.position));
        }
        if self.decided_at < self.bar_at {
            return Err(format!("decided at {} on a bar of {}", self.decided_at, self.bar_at));
        }
        Ok(())
    }

    fn follows(&self, previous: &Self) -> Result<(), String> {
        if (&self.symbol, self.bar_at) > (&previous.symbol, previous.bar_at) {
            return Ok(());
        }
        Err(format!("decision on {} does not come after {}", self.bar_at, previous.bar_at))
    }
}
impl Checks for Fill {
    fn check(&self) -> Result<(), String> {
        if !(self.price.is_finite() && self.price > 0.0) {
            return Err(format!("filled at {}, not a price", self.price));
        }
        finite([
            ("units", self.units),
            ("commission", self.commission),
            ("slippage", self.slippage),
            ("held", self.held),
        ])
    }
}
impl Checks for EquityPoint {
    fn check(&self) -> Result<(), String> {
        finite([
            ("close", self.close),
            ("equity", self.equity),
            ("market_equity", self.market_equity),
            ("position", self.position),
            ("cost", self.cost),
        ])
    }
}
