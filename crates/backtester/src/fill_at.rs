use crate::{Candle, Config, Error};
use artifacts::rows::Bar;
use serde::{Deserialize, Serialize};

/// The setting `fill_at`: at which price decisions are to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillRule {
    /// The next open, or the next close where not every bar has an open.
    #[default]
    Auto,
    /// The next open.
    NextOpen,
    /// The next close.
    NextClose,
    /// The next bar's typical price, (high + low + close) / 3. Bars carry no volume-weighted price, for which it may stand:
    /// settings written as `next_vwap` mean it.
    #[serde(alias = "next_vwap")]
    NextTypical,
    /// The open of the bar the decision was made on. Look-ahead.
    SameOpen,
    /// The close of the bar the decision was made on. Look-ahead.
    SameClose,
}

impl FillRule {
    fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::NextOpen => "next_open",
            Self::NextClose => "next_close",
            Self::NextTypical => "next_typical",
            Self::SameOpen => "same_open",
            Self::SameClose => "same_close",
        }
    }
}

/// At which price decisions fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FillAt {
    /// The open of the first bar that begins after the decision.
    NextOpen,
    /// The close of that bar: as set, or not every bar of the source has an open.
    NextClose,
    /// The typical price of that bar, (high + low + close) / 3.
    NextTypical,
    /// The open of the bar the decision was made on. Look-ahead.
    SameOpen,
    /// The close of the bar the decision was made on. Look-ahead.
    SameClose,
}

impl FillAt {
    /// The rule in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NextOpen => "the open of the next bar",
            Self::NextClose => "the close of the next bar",
            Self::NextTypical => "the typical price of the next bar, (high + low + close) / 3",
            Self::SameOpen => "the open of the same bar (look-ahead)",
            Self::SameClose => "the close of the same bar (look-ahead)",
        }
    }

    /// Whether decisions fill in the bar they were made on: at a price that is past when they exist.
    pub fn is_lookahead(self) -> bool {
        matches!(self, Self::SameOpen | Self::SameClose)
    }

    /// Whether orders meet their price at the beginning of a bar.
    pub(crate) fn at_open(self) -> bool {
        matches!(self, Self::NextOpen | Self::SameOpen)
    }

    /// What the settings ask for; `opens` says whether every bar has an open.
    ///
    /// # Errors
    /// A fill in the same bar without the setting that allows it, or with it and no such fill.
    pub fn choose(config: &Config, opens: bool) -> Result<Self, Error> {
        let allowed = config.allow_lookahead_same_bar_fill;
        match config.fill_at {
            FillRule::Auto | FillRule::SameClose if allowed => Ok(Self::SameClose),
            FillRule::Auto if opens => Ok(Self::NextOpen),
            FillRule::Auto => Ok(Self::NextClose),
            FillRule::SameOpen if allowed => Ok(Self::SameOpen),
            rule @ (FillRule::SameOpen | FillRule::SameClose) => Err(Error::LookAhead { fill: rule.name() }),
            rule if allowed => Err(Error::UselessLookAhead { fill: rule.name() }),
            FillRule::NextOpen => Ok(Self::NextOpen),
            FillRule::NextClose => Ok(Self::NextClose),
            FillRule::NextTypical => Ok(Self::NextTypical),
        }
    }

    /// [`FillAt::choose`] for bars at hand.
    ///
    /// # Errors
    /// As there.
    pub fn of(bars: &[Bar], config: &Config) -> Result<Self, Error> {
        Self::choose(config, bars.iter().all(|b| b.open.is_some()))
    }

    /// The price of a bar; none where it has no such price.
    pub(crate) fn price(self, bar: &Candle) -> Option<f64> {
        match self {
            Self::NextOpen | Self::SameOpen => bar.open,
            Self::NextClose | Self::SameClose => Some(bar.close),
            Self::NextTypical => bar.typical(),
        }
    }
}
