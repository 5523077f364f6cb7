use super::within;
use crate::column::text_enum;
use crate::row::rows;
use crate::{Checks, Timestamp};

text_enum! {
    /// What became of an order.
    OrderStatus, "order status" {
        /// All of it was filled.
        Filled = "filled",
        /// Some of it was filled; the rest was given up.
        Partial = "partial",
        /// Nothing was filled.
        Rejected = "rejected",
        /// A newer decision replaced it before it could fill.
        Superseded = "superseded",
        /// No bar begins after it.
        Unfilled = "unfilled",
    }
}

rows! {
    /// The position a strategy wants after seeing one bar, ordered by symbol, then bar.
    Decision = "decision", version 2, not_empty {
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
        /// How sure the strategy is, from 0 to 1; none where it does not say.
        confidence: Option<f64>,
        /// Ids of the facts that the decision rests on ([`super::Fact`]).
        fact_ids: Vec<String>,
        /// Why, in words: written by the strategy from its own numbers.
        rationale: String,
    }

    /// One order and what became of it, in the order in which they came up.
    Order = "order", version 1, may_be_empty {
        /// The instrument.
        symbol: String,
        /// When the decision behind it was made.
        decided_at: Timestamp,
        /// The bar in which it was to be filled; none where no bar begins after it.
        bar_at: Option<Timestamp>,
        /// Units wanted (to sell: negative).
        wanted: f64,
        /// Units filled.
        filled: f64,
        /// What became of it.
        status: OrderStatus,
        /// Why it was not filled as wanted; empty where it was.
        reason: String,
    }

    /// One round trip: from flat to a position and back, or to the other side.
    Trade = "trade", version 1, may_be_empty {
        /// The instrument.
        symbol: String,
        /// The bar of the first fill.
        opened_at: Timestamp,
        /// The bar of the last fill; none where it is still open.
        closed_at: Option<Timestamp>,
        /// Largest holding (short: negative).
        units: f64,
        /// Mean price of what was opened.
        entry_price: f64,
        /// Mean price of what was closed; the last close where it is still open.
        exit_price: f64,
        /// Profit after costs, in currency.
        profit: f64,
        /// Commission, slippage and funding, in currency.
        cost: f64,
        /// Bars held.
        bars: u64,
    }

    /// A portfolio of several instruments at one moment.
    PortfolioPoint = "portfolio_point", version 1, not_empty {
        /// The moment: the end of a bar of at least one instrument.
        at: Timestamp,
        /// Cash plus all holdings at their last closes, in currency.
        equity: f64,
        /// The same capital split evenly over the instruments and held, without costs.
        market_equity: f64,
        /// Sum of the absolute values held as a share of equity.
        gross: f64,
        /// Sum of the signed values held as a share of equity.
        net: f64,
        /// Costs paid since the point before, in currency.
        cost: f64,
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

impl Checks for Decision {
    fn check(&self) -> Result<(), String> {
        if !(-1.0..=1.0).contains(&self.position) {
            return Err(format!("position is {}; positions lie in [-1, 1]", self.position));
        }
        within("sentiment", self.sentiment, -1.0, 1.0)?;
        within("technical", self.technical, -1.0, 1.0)?;
        within("confidence", self.confidence, 0.0, 1.0)?;
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
        if self.price <= 0.0 {
            return Err(format!("price is {}; prices are above 0", self.price));
        }
        Ok(())
    }
}
impl Checks for EquityPoint {}
impl Checks for Order {}
impl Checks for Trade {}
impl Checks for PortfolioPoint {
    fn follows(&self, previous: &Self) -> Result<(), String> {
        if self.at > previous.at {
            return Ok(());
        }
        Err(format!("{} does not come after {}", self.at, previous.at))
    }
}
