//! What model calls take: counted by the price table, estimated before the run, stopped at the budget.

use super::config::{AgentsConfig, ReasonerKind};
use crate::agents::config::Sources;
use providers::{Prices, Usage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tokens of a text that nobody counted: three characters each, fewer than most tokenizers need.
pub(crate) fn estimate(text: &str) -> u64 {
    text.chars().count().div_ceil(3) as u64
}

/// What a run has taken, call by call. It is part of the checkpoint: a resumed run cannot spend its budget twice.
///
/// A replayed call counts what it took when it was recorded, so that a replay decides, stops and reports as the run did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    prices: BTreeMap<String, Prices>,
    budget_tokens: Option<u64>,
    budget_money: Option<f64>,
    /// Calls made.
    pub calls: u64,
    /// Tokens taken.
    pub usage: Usage,
    /// Money spent.
    pub money: f64,
}

impl Ledger {
    /// Nothing is spent yet.
    pub fn new(config: &AgentsConfig) -> Self {
        Self {
            prices: config.prices.clone(),
            budget_tokens: config.budget_tokens,
            budget_money: config.budget_money,
            ..Self::default()
        }
    }

    fn cost(&self, provider: &str, usage: Usage) -> f64 {
        self.prices.get(provider).map_or(0.0, |prices| prices.cost(usage))
    }

    /// Whether a call that may take so much is within the budget.
    ///
    /// # Errors
    /// [`providers::Error::BudgetSpent`], with what is left.
    pub fn hold(&self, provider: &str, needed: Usage) -> Result<(), providers::Error> {
        if let Some(limit) = self.budget_tokens
            && self.usage.total() + needed.total() > limit
        {
            return Err(providers::Error::BudgetSpent {
                needed: format!("{} tokens", needed.total()),
                limit: limit.to_string(),
                left: limit.saturating_sub(self.usage.total()).to_string(),
            });
        }
        let money = self.cost(provider, needed);
        if let Some(limit) = self.budget_money
            && self.money + money > limit
        {
            return Err(providers::Error::BudgetSpent {
                needed: format!("{money:.6} of money"),
                limit: format!("{limit:.6}"),
                left: format!("{:.6}", (limit - self.money).max(0.0)),
            });
        }
        Ok(())
    }

    /// Counts a call; returns its price.
    pub fn charge(&mut self, provider: &str, usage: Usage) -> f64 {
        let money = self.cost(provider, usage);
        self.calls += 1;
        self.usage += usage;
        self.money += money;
        money
    }
}

/// What a run may take, before it begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Decisions to make.
    pub decisions: u64,
    /// Model calls, without repairs and revisions.
    pub calls: u64,
    /// Tokens, if every prompt and answer is as long as it may be.
    pub tokens: u64,
    /// The same in money, by the price table.
    pub money: f64,
    /// Model calls with every repair and revision.
    pub calls_at_most: u64,
    /// Money with every repair and revision.
    pub money_at_most: f64,
}

impl Estimate {
    /// For so many bars and texts, in a pipeline; a supervisor asks no one more often, but for its own choices.
    pub fn of(config: &AgentsConfig, bars: u64, texts: &[&str], reasoner: &str, sentiment: &str) -> Self {
        let analysts = if config.sources == Sources::Both { 4 } else { 2 };
        let debate = 2 * u64::from(config.debate_rounds);
        let each = analysts + debate + 1;
        let choices = match config.chooser {
            super::config::Chooser::Model => u64::from(config.step_limit),
            super::config::Chooser::Rules => 0,
        };
        let most = (each + u64::from(config.critic)) * (1 + u64::from(config.repairs)) + choices;
        let price = |name: &str| config.prices.get(name).copied().unwrap_or_default();
        let answer = config.answer_tokens as u64;
        let one = Usage { prompt_tokens: (config.context_tokens as u64).saturating_sub(answer), answer_tokens: answer };
        let free = config.reasoner == ReasonerKind::Simulation;
        let one_price = if free { 0.0 } else { price(reasoner).cost(one) };
        let read = if config.sources == Sources::FeaturesOnly { &[][..] } else { texts };
        let reading: u64 = read.iter().map(|text| estimate(text) + 16).sum();
        let reading_price = price(sentiment).cost(Usage { prompt_tokens: reading, answer_tokens: read.len() as u64 });
        let (calls, calls_at_most) = (bars * each, bars * most);
        Self {
            decisions: bars,
            calls: calls + read.len() as u64,
            tokens: calls * one.total() + reading + read.len() as u64,
            money: calls as f64 * one_price + reading_price,
            calls_at_most: calls_at_most + read.len() as u64,
            money_at_most: calls_at_most as f64 * one_price + reading_price,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> AgentsConfig {
        let prices = Prices { prompt_per_million: 1.0, answer_per_million: 4.0 };
        AgentsConfig {
            reasoner: ReasonerKind::Endpoint,
            prices: BTreeMap::from([("big".to_owned(), prices)]),
            budget_money: Some(0.001),
            ..AgentsConfig::default()
        }
    }

    #[test]
    fn a_call_that_the_budget_may_not_cover_is_refused_before_it_is_made() {
        let mut ledger = Ledger::new(&config());
        let call = Usage { prompt_tokens: 200, answer_tokens: 100 };
        let mut made = 0;
        while ledger.hold("big", call).is_ok() {
            ledger.charge("big", call);
            made += 1;
        }
        assert_eq!(made, 1, "each costs 0.0006, and 0.0012 are more than 0.001");
        assert!(ledger.hold("free", call).is_ok(), "who has no price costs nothing");
        let error = ledger.hold("big", call).unwrap_err().to_string();
        assert!(error.contains("0.000400 are left"), "{error}");
    }

    #[test]
    fn the_estimate_counts_every_call_of_a_pipeline() {
        let estimate = Estimate::of(&config(), 10, &["twelve chars"], "big", "tuned");
        assert_eq!((estimate.calls, estimate.calls_at_most), (10 * 7 + 1, 10 * 16 + 1));
        assert_eq!(estimate.tokens, 70 * 1024 + 20 + 1);
        assert!((estimate.money - 70.0 * (704.0 + 4.0 * 320.0) / 1e6).abs() < 1e-12);
    }
}
