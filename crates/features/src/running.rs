use crate::definition::{BandOutput, Compute, Definition, Input, MacdOutput, MoodOutput, Shown};
use crate::{Error, Event};
use artifacts::Timestamp;
use artifacts::rows::{Bar, Observation};
use serde::{Deserialize, Serialize};
use stats::indicators::{
    Atr, Bollinger, Decayed, Ema, LogReturn, Macd, Momentum, RollingMax, RollingMin, RollingStd, Rsi, SimpleReturn,
    Sma, Spread, ZScore,
};

/// What one feature remembers between events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    carried: Option<Held>,
    memory: Memory,
}

/// The observation carried forward.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Held {
    event_at: Timestamp,
    available_at: Timestamp,
    value: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Memory {
    Nothing,
    Simple(SimpleReturn),
    Log(LogReturn),
    Volatility(LogReturn, RollingStd),
    Sma(Sma),
    Ema(Ema),
    Rsi(Rsi),
    Macd(Macd),
    Bollinger(Bollinger),
    Atr(Atr),
    ZScore(ZScore),
    Highest(RollingMax),
    Lowest(RollingMin),
    Momentum(Momentum),
    Decayed(Decayed),
}

/// Times as the decayed sums count them.
fn seconds(t: Timestamp) -> f64 {
    t.micros() as f64 / 1e6
}

impl Memory {
    fn new(compute: &Compute) -> Result<Self, stats::Error> {
        Ok(match compute {
            Compute::Value { .. } => Self::Nothing,
            Compute::Return { bars, log: false, .. } => Self::Simple(SimpleReturn::new(*bars)?),
            Compute::Return { bars, log: true, .. } => Self::Log(LogReturn::new(*bars)?),
            Compute::Volatility { bars, .. } => {
                Self::Volatility(LogReturn::new(1)?, RollingStd::new(*bars, Spread::Sample)?)
            }
            Compute::Sma { bars, .. } => Self::Sma(Sma::new(*bars)?),
            Compute::Ema { bars, seeding, .. } => Self::Ema(Ema::new(*bars, *seeding)?),
            Compute::Rsi { bars, .. } => Self::Rsi(Rsi::new(*bars)?),
            Compute::Macd { fast, slow, signal, seeding, .. } => {
                Self::Macd(Macd::new(*fast, *slow, *signal, *seeding)?)
            }
            Compute::Bollinger { bars, deviations, .. } => Self::Bollinger(Bollinger::new(*bars, *deviations)?),
            Compute::Atr { bars, .. } => Self::Atr(Atr::new(*bars)?),
            Compute::ZScore { bars, .. } => Self::ZScore(ZScore::new(*bars)?),
            Compute::Highest { bars, .. } => Self::Highest(RollingMax::new(*bars)?),
            Compute::Lowest { bars, .. } => Self::Lowest(RollingMin::new(*bars)?),
            Compute::Momentum { bars, .. } => Self::Momentum(Momentum::new(*bars)?),
            Compute::NewsCount { half_life_seconds, .. } | Compute::Mood { half_life_seconds, .. } => {
                Self::Decayed(Decayed::new(*half_life_seconds)?)
            }
        })
    }
}

fn shown(shown: Shown, input: f64, average: f64) -> Option<f64> {
    match shown {
        Shown::Value => Some(average),
        Shown::Relative => (average != 0.0).then(|| input / average - 1.0),
    }
}

/// Bars that a feature may look back on: each is kept.
const MOST_BARS: u32 = 1_000_000;
/// A hundred years in seconds: more is a mistake of unit.
const LONGEST: f64 = 3_155_760_000.0;

impl Running {
    pub(crate) fn new(definition: &Definition) -> Result<Self, Error> {
        let parameter = |source| Error::Parameter { name: definition.name.clone(), source };
        let wrong = |message: String| Err(Error::Definition { name: definition.name.clone(), message });
        if definition.warm_up() > MOST_BARS {
            return wrong(format!(
                "it has no value for {} bars; give periods of {MOST_BARS} at most",
                definition.warm_up()
            ));
        }
        if let Compute::Mood { prior, .. } = &definition.compute
            && !(0.0..=1e6).contains(prior)
        {
            return wrong(format!("prior is {prior}; give a weight from 0 to 1000000"));
        }
        if let Compute::Mood { half_life_seconds, .. } | Compute::NewsCount { half_life_seconds, .. } =
            &definition.compute
            && !(0.001..=LONGEST).contains(half_life_seconds)
        {
            return wrong(format!("half_life_seconds is {half_life_seconds}; give seconds from 0.001 to {LONGEST}"));
        }
        if let Compute::Bollinger { deviations, .. } = &definition.compute
            && !(0.0..=1000.0).contains(deviations)
        {
            return wrong(format!("deviations is {deviations}; give a number from 0 to 1000"));
        }
        if let Some(Input::Observation(carried)) = definition.input()
            && carried.max_age_seconds < 0
        {
            return wrong(format!("max_age_seconds is {}; give 0 or more", carried.max_age_seconds));
        }
        Ok(Self { carried: None, memory: Memory::new(&definition.compute).map_err(parameter)? })
    }

    /// Takes an event in; at a bar it may give a value.
    pub(crate) fn update(&mut self, definition: &Definition, event: Event<'_>) -> Option<f64> {
        match event {
            Event::Bar(bar) => return self.bar(definition, bar).filter(|v| v.is_finite()),
            Event::Observation(observation) => self.observe(definition, observation),
            Event::News(news) => {
                if let (Compute::NewsCount { sources, .. }, Memory::Decayed(decayed)) =
                    (&definition.compute, &mut self.memory)
                    && (sources.is_empty() || sources.contains(&news.source))
                {
                    decayed.add(seconds(news.available_at), 1.0);
                }
            }
        }
        None
    }

    fn observe(&mut self, definition: &Definition, seen: &Observation) {
        if let (Compute::Mood { observation, .. }, Memory::Decayed(decayed)) = (&definition.compute, &mut self.memory)
            && *observation == seen.name
        {
            decayed.add(seconds(seen.available_at), seen.value);
        }
        if let Some(Input::Observation(carried)) = definition.input()
            && carried.observation == seen.name
            // A late report of an older measurement does not replace a newer one.
            && self.carried.is_none_or(|held| seen.event_at >= held.event_at)
        {
            let Observation { event_at, available_at, value, .. } = *seen;
            self.carried = Some(Held { event_at, available_at, value });
        }
    }

    fn input(&self, definition: &Definition, bar: &Bar) -> Option<f64> {
        match definition.input()? {
            Input::Bar(column) => column.of(bar),
            Input::Observation(carried) => self
                .carried
                .filter(|held| bar.available_at <= held.available_at.plus_seconds(carried.max_age_seconds))
                .map(|held| held.value),
        }
    }

    fn bar(&mut self, definition: &Definition, bar: &Bar) -> Option<f64> {
        let now = seconds(bar.available_at);
        match (&definition.compute, &mut self.memory) {
            (Compute::NewsCount { .. }, Memory::Decayed(decayed)) => return decayed.weight(now),
            (Compute::Mood { prior, output, .. }, Memory::Decayed(decayed)) => {
                return match output {
                    MoodOutput::Mean => decayed.mean(now, *prior),
                    MoodOutput::Sum => decayed.sum(now),
                    MoodOutput::Weight => decayed.weight(now),
                };
            }
            (Compute::Atr { shown, .. }, Memory::Atr(atr)) => {
                let range = atr.update(bar.high?, bar.low?, bar.close)?;
                return Some(if *shown == Shown::Relative { range / bar.close } else { range });
            }
            _ => {}
        }
        let x = self.input(definition, bar)?;
        match (&definition.compute, &mut self.memory) {
            (_, Memory::Nothing) => Some(x),
            (_, Memory::Simple(r)) => r.update(x),
            (_, Memory::Log(r)) => r.update(x),
            (_, Memory::Volatility(r, deviation)) => deviation.update(r.update(x)?),
            (Compute::Sma { shown: how, .. }, Memory::Sma(sma)) => shown(*how, x, sma.update(x)?),
            (Compute::Ema { shown: how, .. }, Memory::Ema(ema)) => shown(*how, x, ema.update(x)?),
            (_, Memory::Rsi(rsi)) => rsi.update(x),
            (Compute::Macd { output, .. }, Memory::Macd(macd)) => {
                let value = macd.update(x)?;
                match output {
                    MacdOutput::Line => Some(value.line),
                    MacdOutput::Signal => value.signal,
                    MacdOutput::Histogram => value.histogram(),
                }
            }
            (Compute::Bollinger { output, .. }, Memory::Bollinger(bands)) => {
                let band = bands.update(x)?;
                match output {
                    BandOutput::Upper => Some(band.upper),
                    BandOutput::Middle => Some(band.middle),
                    BandOutput::Lower => Some(band.lower),
                    BandOutput::Percent => band.percent(),
                    BandOutput::Width => band.width(),
                }
            }
            (_, Memory::ZScore(z)) => z.update(x),
            (_, Memory::Highest(max)) => max.update(x),
            (_, Memory::Lowest(min)) => min.update(x),
            (_, Memory::Momentum(momentum)) => momentum.update(x),
            // A state is made from its definition and stored with the definitions' hash: they belong together.
            _ => None,
        }
    }
}
