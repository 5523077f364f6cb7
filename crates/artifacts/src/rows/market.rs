use crate::row::rows;
use crate::{Checks, Timed, Timestamp};

rows! {
    /// Prices of one symbol over one interval, ordered by symbol, then time.
    Bar = "bar", version 1, not_empty {
        /// The instrument, such as `BTC`.
        symbol: String,
        /// The stamp in the source: the beginning of the interval.
        event_at: Timestamp,
        /// The end of the interval, when its close is known.
        available_at: Timestamp,
        /// First price, where the source has one.
        open: Option<f64>,
        /// Highest price, where the source has one.
        high: Option<f64>,
        /// Lowest price, where the source has one.
        low: Option<f64>,
        /// Last price.
        close: f64,
        /// Traded volume, where the source has one.
        volume: Option<f64>,
    }

    /// A text about a symbol, ordered by symbol, then by when it could be known.
    News = "news", version 1, may_be_empty {
        /// Unique within the file.
        id: String,
        /// The instrument it is about.
        symbol: String,
        /// When it was published.
        event_at: Timestamp,
        /// When it could be read.
        available_at: Timestamp,
        /// The text.
        text: String,
        /// Data set and field, such as `gold.csv:summary`.
        source: String,
    }

    /// A number about a symbol that is not a price (momentum, fear-and-greed index), ordered as [`News`].
    Observation = "observation", version 1, may_be_empty {
        /// The instrument it is about.
        symbol: String,
        /// Which number, such as `mvrv_btc_momentum`.
        name: String,
        /// When it was measured.
        event_at: Timestamp,
        /// When it could be read.
        available_at: Timestamp,
        /// The number.
        value: f64,
    }
}

fn known_in_time(event_at: Timestamp, available_at: Timestamp) -> Result<(), String> {
    if available_at >= event_at {
        return Ok(());
    }
    Err(format!("available_at {available_at} is earlier than event_at {event_at}"))
}

fn in_order<K: PartialOrd>(previous: &K, this: &K, at: Timestamp, what: &str) -> Result<(), String> {
    if this > previous {
        return Ok(());
    }
    Err(if this == previous { format!("duplicate {what} at {at}") } else { format!("{what} at {at} is out of order") })
}

impl Checks for Bar {
    fn check(&self) -> Result<(), String> {
        let prices = [("open", self.open), ("high", self.high), ("low", self.low), ("close", Some(self.close))];
        for (name, price) in prices.into_iter().filter_map(|(n, p)| p.map(|p| (n, p))) {
            if !price.is_finite() {
                return Err(format!("{name} is {price}, not a price"));
            }
            if price <= 0.0 {
                return Err(format!("{name} is {price}; prices are above 0"));
            }
        }
        if let (Some(high), Some(low)) = (self.high, self.low) {
            let (top, bottom) = (self.close.max(self.open.unwrap_or(low)), self.close.min(self.open.unwrap_or(high)));
            if top > high || bottom < low {
                return Err(format!("open and close ({bottom}..{top}) leave the range low {low} to high {high}"));
            }
        }
        if self.volume.is_some_and(|v| !v.is_finite() || v < 0.0) {
            return Err(format!("volume is {:?}; volumes are 0 or more", self.volume));
        }
        known_in_time(self.event_at, self.available_at)
    }

    fn follows(&self, previous: &Self) -> Result<(), String> {
        // no copies: this runs once for each of a hundred million bars
        match previous.symbol.cmp(&self.symbol) {
            std::cmp::Ordering::Less => Ok(()),
            std::cmp::Ordering::Equal => in_order(&previous.event_at, &self.event_at, self.event_at, "bar"),
            std::cmp::Ordering::Greater => in_order(&1, &0, self.event_at, "bar"),
        }
    }
}

impl Checks for News {
    fn check(&self) -> Result<(), String> {
        known_in_time(self.event_at, self.available_at)
    }

    fn follows(&self, previous: &Self) -> Result<(), String> {
        let key = |n: &Self| (n.symbol.clone(), n.available_at, n.event_at, n.id.clone());
        in_order(&key(previous), &key(self), self.event_at, "news item")
    }
}

impl Checks for Observation {
    fn check(&self) -> Result<(), String> {
        known_in_time(self.event_at, self.available_at)
    }

    fn follows(&self, previous: &Self) -> Result<(), String> {
        let key = |o: &Self| (o.symbol.clone(), o.available_at, o.event_at, o.name.clone());
        in_order(&key(previous), &key(self), self.event_at, "observation")
    }
}

macro_rules! timed {
    ($($row:ty),*) => {$(impl Timed for $row {
        fn event_at(&self) -> Timestamp { self.event_at }
        fn available_at(&self) -> Timestamp { self.available_at }
    })*};
}
timed!(Bar, News, Observation);
