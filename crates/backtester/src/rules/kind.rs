use crate::Error;
use serde::{Deserialize, Serialize};

/// Which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Long when the mean of the last `fast` closes crosses that of the last `slow` from below; out when it crosses back.
    #[default]
    SmaCross,
    /// The same of exponential means.
    EmaCross,
    /// Long when the relative strength index over `period` bars falls below `band`, out when it rises above 100 − `band`.
    RsiBand,
    /// Long when the close falls below the mean of `period` closes by `width` standard deviations, out when it is as far
    /// above.
    Bollinger,
    /// Long when the close is more than `threshold` per cent above that of `lookback` bars ago, out when as far below.
    Momentum,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 5] = [Self::SmaCross, Self::EmaCross, Self::RsiBand, Self::Bollinger, Self::Momentum];

    /// The name in settings and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::SmaCross => "sma-cross",
            Self::EmaCross => "ema-cross",
            Self::RsiBand => "rsi-band",
            Self::Bollinger => "bollinger",
            Self::Momentum => "momentum",
        }
    }

    /// The names of its two parameters.
    pub fn parameters(self) -> [&'static str; 2] {
        match self {
            Self::SmaCross | Self::EmaCross => ["fast", "slow"],
            Self::RsiBand => ["period", "band"],
            Self::Bollinger => ["period", "width"],
            Self::Momentum => ["lookback", "threshold"],
        }
    }

    /// Whether the rule waits for a crossing: being on one side from the beginning is none.
    pub(crate) fn crosses(self) -> bool {
        matches!(self, Self::SmaCross | Self::EmaCross)
    }
}

impl std::str::FromStr for Rule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|r| r.name() == name)
            .ok_or_else(|| Error::UnknownRule { name: name.to_owned(), choices: Self::ALL.map(Self::name).join(", ") })
    }
}

/// A rule with its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The rule.
    pub rule: Rule,
    /// Its first parameter.
    pub first: f64,
    /// Its second parameter.
    pub second: f64,
}

/// Windows longer than this are a mistake.
const LONGEST: f64 = 1e7;

impl Parameters {
    /// Whether the rule knows such numbers.
    ///
    /// # Errors
    /// [`Error::BadParameter`] says which it does not.
    pub fn check(&self) -> Result<(), Error> {
        let [first, second] = self.rule.parameters();
        let bad =
            |parameter, value, range| Err(Error::BadParameter { rule: self.rule.name(), parameter, value, range });
        let window = |v: f64| v.fract() == 0.0 && (1.0..=LONGEST).contains(&v);
        if !window(self.first) {
            return bad(first, self.first, "a whole number of bars from 1 on");
        }
        match self.rule {
            Rule::SmaCross | Rule::EmaCross if !window(self.second) || self.second <= self.first => {
                bad(second, self.second, "a whole number of bars above `fast`")
            }
            Rule::RsiBand if !(self.second > 0.0 && self.second < 50.0) => {
                bad(second, self.second, "a level between 0 and 50")
            }
            Rule::Bollinger if self.first < 2.0 => bad(first, self.first, "a whole number of bars from 2 on"),
            Rule::Bollinger if !(self.second > 0.0 && self.second.is_finite()) => {
                bad(second, self.second, "a number of standard deviations above 0")
            }
            Rule::Momentum if !(self.second >= 0.0 && self.second.is_finite()) => {
                bad(second, self.second, "a change in per cent of 0 or more")
            }
            _ => Ok(()),
        }
    }

    /// How far from 0 the rule's value must be ([`super::Value`]).
    pub(crate) fn threshold(&self) -> f64 {
        match self.rule {
            Rule::SmaCross | Rule::EmaCross => 0.0,
            Rule::RsiBand => 50.0 - self.second,
            Rule::Bollinger => self.second,
            Rule::Momentum => self.second / 100.0,
        }
    }
}

impl std::fmt::Display for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [first, second] = self.rule.parameters();
        write!(f, "{first}={} {second}={}", self.first, self.second)
    }
}
