use super::mean::RunningMean;
use super::{Parameters, Rule};
use crate::Error;
use stats::indicators::{Ema, RateOfChange, RollingStd, Rsi, Seeding, Spread};

/// What a rule computes from closes: above its threshold it wants in, below the negative of it out. NaN until its windows
/// are full and where it is not defined.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Fast mean minus slow mean.
    Cross(Average, Average),
    /// 50 minus the relative strength index.
    Rsi(Rsi),
    /// Standard deviations below the mean.
    Bollinger(RunningMean, RollingStd),
    /// Relative change.
    Momentum(RateOfChange),
}

/// A mean of closes.
#[derive(Debug, Clone)]
pub(crate) enum Average {
    Simple(RunningMean),
    Exponential(Ema),
}

impl Average {
    pub(crate) fn new(rule: Rule, window: f64) -> Result<Self, Error> {
        let window = window as usize;
        Ok(match rule {
            // as pandas and vectorbt have it: the first close begins the mean, values count once the window is full
            Rule::EmaCross => Self::Exponential(Ema::new(window, Seeding::First)?),
            _ => Self::Simple(RunningMean::new(window)),
        })
    }

    pub(crate) fn next(&mut self, close: f64) -> f64 {
        match self {
            Self::Simple(mean) => mean.update(close),
            Self::Exponential(mean) => mean.update(close),
        }
        .unwrap_or(f64::NAN)
    }
}

impl Value {
    pub(crate) fn new(parameters: &Parameters) -> Result<Self, Error> {
        let Parameters { rule, first, second } = *parameters;
        let window = first as usize;
        Ok(match rule {
            Rule::SmaCross | Rule::EmaCross => Self::Cross(Average::new(rule, first)?, Average::new(rule, second)?),
            Rule::RsiBand => Self::Rsi(Rsi::new(window)?),
            Rule::Bollinger => Self::Bollinger(RunningMean::new(window), RollingStd::new(window, Spread::Population)?),
            Rule::Momentum => Self::Momentum(RateOfChange::new(window)?),
        })
    }

    pub(crate) fn next(&mut self, close: f64) -> f64 {
        match self {
            Self::Cross(fast, slow) => fast.next(close) - slow.next(close),
            Self::Rsi(rsi) => rsi.update(close).map_or(f64::NAN, |v| 50.0 - v),
            Self::Bollinger(mean, std) => match (mean.update(close), std.update(close)) {
                (Some(mean), Some(std)) if std > 0.0 => (mean - close) / std,
                _ => f64::NAN,
            },
            Self::Momentum(change) => change.update(close).unwrap_or(f64::NAN),
        }
    }
}
