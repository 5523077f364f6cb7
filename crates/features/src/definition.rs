use crate::Error;
use artifacts::rows::{Bar, FeatureDefinition};
use serde::{Deserialize, Serialize};
use stats::indicators::Seeding;

/// One feature: what it is called and how it is computed. Every parameter stands here, so its hash says what its values mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The name of its values, such as `rsi_14`.
    pub name: String,
    /// Raised by its author when the meaning changes under the same parameters.
    #[serde(default = "one")]
    pub version: u32,
    /// How it is computed.
    pub compute: Compute,
}

fn one() -> u32 {
    1
}

/// The column of a bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the columns of a bar")]
pub enum BarColumn {
    Open,
    High,
    Low,
    #[default]
    Close,
    Volume,
}

impl BarColumn {
    pub(crate) fn of(self, bar: &Bar) -> Option<f64> {
        match self {
            Self::Open => bar.open,
            Self::High => bar.high,
            Self::Low => bar.low,
            Self::Close => Some(bar.close),
            Self::Volume => bar.volume,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Open => "bar.open",
            Self::High => "bar.high",
            Self::Low => "bar.low",
            Self::Close => "bar.close",
            Self::Volume => "bar.volume",
        }
    }
}

/// The series that a feature is computed on, one value a bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Input {
    /// A column of the bars, such as `"close"`.
    Bar(BarColumn),
    /// The latest known observation of that name, carried forward while it is young enough.
    Observation(Carried),
}

/// Which observation is carried forward, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// Its name.
    pub observation: String,
    /// How many seconds after it became known it still counts.
    pub max_age_seconds: i64,
}

impl Default for Input {
    fn default() -> Self {
        Self::Bar(BarColumn::Close)
    }
}

/// A value as it is, or in relation to the input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// In the unit of the input.
    #[default]
    Value,
    /// Averages: input / average − 1. True range: range / close.
    Relative,
}

/// What of the MACD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the parts of the MACD")]
pub enum MacdOutput {
    Line,
    Signal,
    Histogram,
}

/// What of Bollinger's bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BandOutput {
    /// Mean + k deviations.
    Upper,
    /// The mean.
    Middle,
    /// Mean − k deviations.
    Lower,
    /// Where the input lies: 0 at the lower band, 1 at the upper.
    Percent,
    /// Distance of the bands as a share of the mean.
    Width,
}

/// What of a decayed aggregate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MoodOutput {
    /// The weighted mean, with the prior.
    #[default]
    Mean,
    /// The weighted sum.
    Sum,
    /// How many fresh values it is worth.
    Weight,
}

/// How a feature is computed. Formulas and sources: [`stats::indicators`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "parameters are named as in stats::indicators; `bars` is the period")]
pub enum Compute {
    /// The input itself; for observations: carried forward.
    Value {
        #[serde(default)]
        input: Input,
    },
    /// Return over `bars`, simple or logarithmic.
    Return {
        #[serde(default)]
        input: Input,
        bars: usize,
        #[serde(default)]
        log: bool,
    },
    /// Sample deviation of the last `bars` one-bar log returns.
    Volatility {
        #[serde(default)]
        input: Input,
        bars: usize,
    },
    Sma {
        #[serde(default)]
        input: Input,
        bars: usize,
        #[serde(default)]
        shown: Shown,
    },
    Ema {
        #[serde(default)]
        input: Input,
        bars: usize,
        #[serde(default)]
        seeding: Seeding,
        #[serde(default)]
        shown: Shown,
    },
    Rsi {
        #[serde(default)]
        input: Input,
        bars: usize,
    },
    Macd {
        #[serde(default)]
        input: Input,
        fast: usize,
        slow: usize,
        signal: usize,
        #[serde(default)]
        seeding: Seeding,
        output: MacdOutput,
    },
    Bollinger {
        #[serde(default)]
        input: Input,
        bars: usize,
        deviations: f64,
        output: BandOutput,
    },
    Atr {
        bars: usize,
        #[serde(default)]
        shown: Shown,
    },
    ZScore {
        #[serde(default)]
        input: Input,
        bars: usize,
    },
    Highest {
        #[serde(default)]
        input: Input,
        bars: usize,
    },
    Lowest {
        #[serde(default)]
        input: Input,
        bars: usize,
    },
    /// Change over `bars`.
    Momentum {
        #[serde(default)]
        input: Input,
        bars: usize,
    },
    /// How many fresh texts the news are worth, each counting 0.5^(age / half-life); `sources` empty: all.
    NewsCount {
        #[serde(default)]
        sources: Vec<String>,
        half_life_seconds: f64,
    },
    /// All observations of a name (a model's mood for each text), each counting 0.5^(age / half-life); `prior` is the weight of an
    /// imaginary 0 in the mean.
    Mood {
        observation: String,
        half_life_seconds: f64,
        #[serde(default)]
        prior: f64,
        #[serde(default)]
        output: MoodOutput,
    },
}

impl Definition {
    /// Version 1 of a feature.
    pub fn new(name: &str, compute: Compute) -> Self {
        Self { name: name.to_owned(), version: 1, compute }
    }

    /// blake3 of name, version, inputs and parameters.
    pub fn hash(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// The input, if it has a single one.
    pub(crate) fn input(&self) -> Option<&Input> {
        match &self.compute {
            Compute::Value { input }
            | Compute::Return { input, .. }
            | Compute::Volatility { input, .. }
            | Compute::Sma { input, .. }
            | Compute::Ema { input, .. }
            | Compute::Rsi { input, .. }
            | Compute::Macd { input, .. }
            | Compute::Bollinger { input, .. }
            | Compute::ZScore { input, .. }
            | Compute::Highest { input, .. }
            | Compute::Lowest { input, .. }
            | Compute::Momentum { input, .. } => Some(input),
            Compute::Atr { .. } | Compute::NewsCount { .. } | Compute::Mood { .. } => None,
        }
    }

    /// What it reads, such as `bar.close`.
    pub fn inputs(&self) -> Vec<String> {
        match (&self.compute, self.input()) {
            (_, Some(Input::Bar(column))) => vec![column.name().to_owned()],
            (_, Some(Input::Observation(c))) => vec![format!("observation.{}", c.observation)],
            (Compute::Atr { .. }, _) => ["bar.high", "bar.low", "bar.close"].map(str::to_owned).to_vec(),
            (Compute::NewsCount { .. }, _) => vec!["news".to_owned()],
            (Compute::Mood { observation, .. }, _) => vec![format!("observation.{observation}")],
            _ => Vec::new(),
        }
    }

    /// Bars (with an input) before the first value.
    pub fn warm_up(&self) -> u32 {
        let bars = match &self.compute {
            Compute::Value { .. } | Compute::NewsCount { .. } | Compute::Mood { .. } => 0,
            Compute::Return { bars, .. }
            | Compute::Volatility { bars, .. }
            | Compute::Rsi { bars, .. }
            | Compute::Atr { bars, .. }
            | Compute::Momentum { bars, .. } => *bars,
            Compute::Sma { bars, .. }
            | Compute::Ema { bars, .. }
            | Compute::Bollinger { bars, .. }
            | Compute::ZScore { bars, .. }
            | Compute::Highest { bars, .. }
            | Compute::Lowest { bars, .. } => bars.saturating_sub(1),
            Compute::Macd { slow, signal, output, .. } => match output {
                MacdOutput::Line => slow.saturating_sub(1),
                MacdOutput::Signal | MacdOutput::Histogram => slow.saturating_sub(1) + signal.saturating_sub(1),
            },
        };
        u32::try_from(bars).unwrap_or(u32::MAX)
    }

    fn description(&self) -> String {
        match &self.compute {
            Compute::Value { .. } => "the input itself, carried forward while it is young enough".into(),
            Compute::Return { bars, log: true, .. } => format!("ln(x[t] / x[t-{bars}])"),
            Compute::Return { bars, log: false, .. } => format!("x[t] / x[t-{bars}] - 1"),
            Compute::Volatility { bars, .. } => {
                format!("sample deviation of the last {bars} one-bar log returns, not annualised")
            }
            Compute::Sma { bars, shown, .. } => in_relation(*shown, format!("mean of the last {bars}")),
            Compute::Ema { bars, seeding, shown, .. } => {
                let seed = if *seeding == Seeding::Mean { "a mean (TA-Lib)" } else { "the first value (pandas)" };
                in_relation(*shown, format!("exponential mean, weight 2/({bars}+1), seeded with {seed}"))
            }
            Compute::Rsi { bars, .. } => {
                format!("100 G/(G+L) of Wilder's averages of rises and falls over {bars} (TA-Lib)")
            }
            Compute::Macd { fast, slow, signal, output, .. } => {
                format!("MACD({fast},{slow},{signal}), {} (TA-Lib)", format!("{output:?}").to_lowercase())
            }
            Compute::Bollinger { bars, deviations, output, .. } => {
                let output = format!("{output:?}").to_lowercase();
                format!("Bollinger's bands, mean of {bars} and {deviations} population deviations: {output} (TA-Lib)")
            }
            Compute::Atr { bars, shown } => {
                let unit = if *shown == Shown::Relative { ", as a share of the close" } else { "" };
                format!("Wilder's average of the true range over {bars} (TA-Lib){unit}")
            }
            Compute::ZScore { bars, .. } => format!("(x - mean) / sample deviation of the last {bars}"),
            Compute::Highest { bars, .. } => format!("highest of the last {bars}"),
            Compute::Lowest { bars, .. } => format!("lowest of the last {bars}"),
            Compute::Momentum { bars, .. } => format!("x[t] - x[t-{bars}]"),
            Compute::NewsCount { half_life_seconds, .. } => {
                format!("texts known, each counting 0.5^(age / {half_life_seconds} s)")
            }
            Compute::Mood { half_life_seconds, prior, output, .. } => {
                let output = format!("{output:?}").to_lowercase();
                format!("{output} of all values, each weighing 0.5^(age / {half_life_seconds} s), prior {prior}")
            }
        }
    }

    /// The row that goes beside the values.
    pub fn row(&self) -> Result<FeatureDefinition, Error> {
        let parameters = serde_json::to_string(&self.compute).map_err(|e| Error::State { message: e.to_string() })?;
        Ok(FeatureDefinition {
            name: self.name.clone(),
            version: self.version,
            hash: self.hash(),
            inputs: self.inputs(),
            parameters,
            warm_up: self.warm_up(),
            description: self.description(),
        })
    }
}

fn in_relation(shown: Shown, average: String) -> String {
    match shown {
        Shown::Value => average,
        Shown::Relative => format!("x / ({average}) - 1"),
    }
}
