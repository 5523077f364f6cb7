use serde::{Deserialize, Serialize};
use std::fmt;

/// What an agent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads texts.
    NewsAnalyst,
    /// Reads prices.
    TechnicalAnalyst,
    /// Reads other numbers: on-chain figures, indices, features.
    MarketAnalyst,
    /// Reads the tuned model's view of the texts.
    SentimentAnalyst,
    /// Argues for buying.
    Bull,
    /// Argues for selling.
    Bear,
    /// Weighs all views and proposes.
    Trader,
    /// Holds the hard limits; asks no model.
    RiskManager,
    /// Holds the proposal against its facts; asks no model.
    Critic,
    /// Orders the work.
    Coordinator,
}

impl Role {
    /// The analysts, in their order of work.
    pub const ANALYSTS: [Self; 4] =
        [Self::NewsAnalyst, Self::TechnicalAnalyst, Self::MarketAnalyst, Self::SentimentAnalyst];

    /// The name in files and prompts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewsAnalyst => "news-analyst",
            Self::TechnicalAnalyst => "technical-analyst",
            Self::MarketAnalyst => "market-analyst",
            Self::SentimentAnalyst => "sentiment-analyst",
            Self::Bull => "bull",
            Self::Bear => "bear",
            Self::Trader => "trader",
            Self::RiskManager => "risk-manager",
            Self::Critic => "critic",
            Self::Coordinator => "coordinator",
        }
    }

    /// Whether it reads texts.
    pub const fn reads_text(self) -> bool {
        matches!(self, Self::NewsAnalyst | Self::SentimentAnalyst)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
