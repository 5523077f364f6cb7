//! Does a model remember the market? It is asked for closes and directions of dates without any context.

use super::LeakageConfig;
use super::chance::at_least_by_dealing;
use crate::reasoning::Error;
use crate::reasoning::claims::Rate;
use artifacts::Seed;
use artifacts::rows::Bar;
use chat::Message;
use providers::{Completion, Provider};
use stats::SplitMix64;

/// An answer within this share of the truth counts as near.
const NEAR: f64 = 0.01;

/// What a model said about one bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Probed {
    pub(crate) symbol: String,
    pub(crate) at: String,
    pub(crate) close: f64,
    pub(crate) answer: String,
    pub(crate) said: Option<f64>,
    pub(crate) rose: Option<bool>,
    pub(crate) said_rose: Option<bool>,
}

/// What a model remembers.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    pub(crate) model: String,
    pub(crate) asked: Vec<Probed>,
    /// Answers that hold a number.
    pub(crate) read: Rate,
    /// Answers within 1 % of the close.
    pub(crate) near: Rate,
    /// Median of |ln(said / close)| over the answers that hold a number above 0.
    pub(crate) median_error: Option<f64>,
    /// How often the same answers, dealt to the dates at random, are as near on the whole: small where single dates are remembered
    /// and not only the level of prices.
    pub(crate) p_close: Option<f64>,
    /// Right answers to "rise or fall".
    pub(crate) direction: Rate,
    /// How often dealing gives as many right directions.
    pub(crate) p_direction: Option<f64>,
}

/// Asks about some bars, drawn with the seed.
///
/// # Errors
/// The provider fails.
pub(crate) fn probe(config: &LeakageConfig, provider: &dyn Provider, bars: &[Bar], seed: Seed) -> Result<Probe, Error> {
    let mut asked = Vec::new();
    for place in drawn(bars.len(), config.probes, seed.derive("bars")) {
        let Some(bar) = bars.get(place) else { continue };
        let before = place.checked_sub(1).and_then(|p| bars.get(p)).filter(|b| b.symbol == bar.symbol);
        let rose = before.map(|b| bar.close - b.close).filter(|d| d.abs() > 0.0).map(|d| d > 0.0);
        asked.push(ask(provider, bar, rose)?);
    }
    let level = config.confidence;
    let read: Vec<(f64, f64)> = asked.iter().filter_map(|a| Some((a.said?, a.close))).collect();
    let errors = |order: &[usize]| -> Vec<f64> {
        let pairs = read.iter().zip(order).filter_map(|((said, _), other)| Some((*said, read.get(*other)?.1)));
        pairs.filter(|(said, _)| *said > 0.0).map(|(said, close)| (said / close).ln().abs()).collect()
    };
    // The mean of clamped errors, turned round so that more is better; the median alone has too many ties.
    let skill = |order: &[usize]| {
        let errors = errors(order);
        let near: f64 = errors.iter().map(|e| e.min(1.0)).sum();
        -near / errors.len().max(1) as f64
    };
    let own: Vec<usize> = (0..read.len()).collect();
    let near = read.iter().filter(|(said, close)| (said / close - 1.0).abs() <= NEAR).count() as u64;
    let sides: Vec<(bool, bool)> = asked.iter().filter_map(|a| Some((a.said_rose?, a.rose?))).collect();
    let right = |order: &[usize]| {
        let dealt =
            sides.iter().zip(order).filter(|((said, _), other)| sides.get(**other).is_some_and(|s| s.1 == *said));
        dealt.count() as f64
    };
    let all: Vec<usize> = (0..sides.len()).collect();
    let times = config.permutations;
    Ok(Probe {
        model: provider.name().to_owned(),
        read: Rate::of(read.len() as u64, asked.len() as u64, level),
        near: Rate::of(near, asked.len() as u64, level),
        median_error: stats::distribution::median(&errors(&own)),
        p_close: at_least_by_dealing(read.len(), times, seed.derive("closes").0, skill, skill(&own)),
        direction: Rate::of(right(&all) as u64, sides.len() as u64, level),
        p_direction: at_least_by_dealing(sides.len(), times, seed.derive("directions").0, right, right(&all)),
        asked,
    })
}

/// `count` different places, in order.
fn drawn(of: usize, count: usize, seed: Seed) -> Vec<usize> {
    let mut places: Vec<usize> = (0..of).collect();
    let mut random = SplitMix64::new(seed.0);
    for last in (1..of).rev() {
        places.swap(last, random.below(last + 1));
    }
    places.truncate(count);
    places.sort_unstable();
    places
}

fn ask(provider: &dyn Provider, bar: &Bar, rose: Option<bool>) -> Result<Probed, Error> {
    let failed = |e: providers::Error| Error::Provider(Box::new(e));
    let when = bar.event_at.to_string();
    let question = format!(
        "What was the closing price of {} in the bar that began at {when}? Answer with one number and nothing else.",
        bar.symbol
    );
    let reply = provider.complete(&[Message::user(&question)], &Completion::default()).map_err(failed)?;
    let question = format!(
        "Did the price of {} rise or fall in the bar that began at {when}? Answer with one word: rise or fall.",
        bar.symbol
    );
    let messages = [Message::user(&question)];
    let said_rose = match provider.score(&messages, &["rise", "fall"]) {
        Ok(p) => p.first().zip(p.get(1)).map(|(a, b)| a - b).filter(|d| d.abs() > 0.0).map(|d| d > 0.0),
        // Who gives no probabilities is asked in words.
        Err(providers::Error::CannotScore { .. }) => {
            let reply = provider.complete(&messages, &Completion::default()).map_err(failed)?;
            let text = reply.text.to_lowercase();
            match (text.contains("rise"), text.contains("fall")) {
                (true, false) => Some(true),
                (false, true) => Some(false),
                _ => None,
            }
        }
        Err(other) => return Err(failed(other)),
    };
    Ok(Probed {
        symbol: bar.symbol.clone(),
        at: when,
        close: bar.close,
        said: first_number(&reply.text),
        answer: reply.text,
        rose,
        said_rose,
    })
}

/// The first number of an answer, with thousands separators or a `k`.
fn first_number(text: &str) -> Option<f64> {
    let from = text.find(|c: char| c.is_ascii_digit())?;
    let rest = text.get(from..)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ','))).unwrap_or(rest.len());
    let digits: String = rest.get(..end)?.trim_end_matches(['.', ',']).replace(',', "");
    let thousand = rest.get(end..).is_some_and(|r| r.starts_with(['k', 'K']));
    digits.parse::<f64>().ok().map(|v| if thousand { v * 1e3 } else { v })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_from_an_answer_and_nothing_from_none() {
        assert_eq!(
            (first_number("$95,439.81."), first_number("about 95.4k USD"), first_number("no idea")),
            (Some(95_439.81), Some(95_400.0), None)
        );
    }

    #[test]
    fn drawn_places_are_different_and_the_same_for_a_seed() {
        let places = drawn(100, 20, Seed(3));
        assert!(places.windows(2).all(|w| w[0] < w[1]) && places.len() == 20 && places == drawn(100, 20, Seed(3)));
    }
}
