use crate::endpoint::estimate;
use crate::{Completion, Error, Prompt, Provider, Reply, Shape, Usage, Written};
use chat::Message;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// What tokens cost, in any one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// A million tokens of prompts.
    pub prompt_per_million: f64,
    /// A million tokens of answers.
    pub answer_per_million: f64,
}

impl Prices {
    /// What so many tokens cost.
    ///
    /// ```
    /// let prices = providers::Prices { prompt_per_million: 2.0, answer_per_million: 8.0 };
    /// let usage = providers::Usage { prompt_tokens: 500_000, answer_tokens: 250_000 };
    /// assert_eq!(prices.cost(usage), 3.0);
    /// ```
    pub fn cost(self, usage: Usage) -> f64 {
        (usage.prompt_tokens as f64 * self.prompt_per_million + usage.answer_tokens as f64 * self.answer_per_million)
            / 1e6
    }
}

/// What a run may take. None: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Tokens, read and written together.
    pub tokens: Option<u64>,
    /// Money, in the currency of the prices.
    pub money: Option<f64>,
    /// What tokens cost.
    pub prices: Prices,
}

/// A provider that stops, for good, before a call that the budget may not cover.
///
/// What a call will take is estimated before it goes out (a token for each three characters of the prompt, and every token
/// that the answer may have) and held back until it is known; calls made at the same time cannot spend the same tokens. What
/// a provider cannot count is counted by the estimate.
pub struct Budgeted<P> {
    inner: P,
    budget: Budget,
    account: Mutex<Account>,
}

#[derive(Default)]
struct Account {
    used: Usage,
    held: Usage,
    over: bool,
}

impl<P: Provider> Budgeted<P> {
    /// Nothing is spent yet.
    pub fn new(inner: P, budget: Budget) -> Self {
        Self { inner, budget, account: Mutex::default() }
    }

    /// What was spent, in the currency of the prices.
    pub fn spent(&self) -> f64 {
        self.budget.prices.cost(self.usage())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, needed: Usage) -> Result<(), Error> {
        let mut account = self.lock();
        let spoken_for = account.used + account.held;
        let after = spoken_for + needed;
        let prices = self.budget.prices;
        let tokens = self.budget.tokens.filter(|limit| account.over || after.total() > *limit);
        let money = self.budget.money.filter(|limit| account.over || prices.cost(after) > *limit);
        let error = match (tokens, money) {
            (Some(limit), _) => Error::BudgetSpent {
                needed: format!("{} tokens", needed.total()),
                limit: limit.to_string(),
                left: limit.saturating_sub(spoken_for.total()).to_string(),
            },
            (None, Some(limit)) => Error::BudgetSpent {
                needed: format!("{:.4} of money", prices.cost(needed)),
                limit: format!("{limit:.4}"),
                left: format!("{:.4}", (limit - prices.cost(spoken_for)).max(0.0)),
            },
            (None, None) => {
                account.held += needed;
                return Ok(());
            }
        };
        account.over = true;
        Err(error)
    }

    /// Makes a call for which `needed` is held back; `took` says what an answer took.
    fn call<T>(
        &self,
        needed: Usage,
        ask: impl FnOnce(&P) -> Result<T, Error>,
        took: impl FnOnce(&T) -> Usage,
    ) -> Result<T, Error> {
        self.hold(needed)?;
        let answer = ask(&self.inner);
        let mut account = self.lock();
        account.held = account.held - needed;
        if let Ok(answer) = &answer {
            let took = took(answer);
            account.used += if took == Usage::default() { needed } else { took };
        }
        answer
    }
}

fn length(messages: &[Message]) -> u64 {
    messages.iter().map(|m| estimate(&m.content) + 4).sum()
}

impl<P: Provider> Provider for Budgeted<P> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn complete(&self, messages: &[Message], options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Chat(messages), options, &Shape::default())?.reply)
    }

    fn continue_text(&self, prefix: &str, options: &Completion) -> Result<Reply, Error> {
        Ok(self.write(Prompt::Raw(prefix), options, &Shape::default())?.reply)
    }

    fn score(&self, messages: &[Message], answers: &[&str]) -> Result<Vec<f64>, Error> {
        let needed = Usage { prompt_tokens: length(messages), answer_tokens: 1 };
        self.call(needed, |inner| inner.score(messages, answers), |_| needed)
    }

    fn write(&self, prompt: Prompt<'_>, options: &Completion, shape: &Shape) -> Result<Written, Error> {
        let prompt_tokens = match prompt {
            Prompt::Chat(messages) => length(messages),
            Prompt::Raw(prefix) => estimate(prefix),
        };
        let needed = Usage { prompt_tokens, answer_tokens: options.max_tokens as u64 };
        self.call(needed, |inner| inner.write(prompt, options, shape), |written| written.usage)
    }

    fn score_text(&self, prefix: &str, continuations: &[&str]) -> Result<Vec<f64>, Error> {
        let read = estimate(prefix) + continuations.iter().map(|c| estimate(c)).sum::<u64>();
        let needed = Usage { prompt_tokens: read, answer_tokens: 0 };
        self.call(needed, |inner| inner.score_text(prefix, continuations), |_| needed)
    }

    fn usage(&self) -> Usage {
        self.lock().used
    }
}
