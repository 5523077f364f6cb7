//! What anyone could have done without the strategy.

use artifacts::rows::{Bar, Decision, Observation};
use artifacts::{AsOf, Error, Timeline};

/// The observation that a market folder may bring as somebody else's advice, in any case of letters.
const SIGNAL: &str = "signal";

/// One decision on the first bar: all in, and stay. It pays the same costs as the strategy.
pub(crate) fn buy_and_hold(bars: &[Bar]) -> Vec<Decision> {
    bars.first().map(|bar| decide(bar, 1.0, "buy and hold")).into_iter().collect()
}

/// On each bar the sign of the last close's change, from what is known when the bar is available.
pub(crate) fn momentum(bars: &[Bar]) -> Result<Vec<Decision>, Error> {
    let timeline = Timeline::new(bars.to_vec())?;
    let decision = |bar: &Bar| {
        let known = timeline.as_of(bar.available_at);
        let change = match known.last(2) {
            [before, now] => now.close - before.close,
            _ => 0.0,
        };
        decide(bar, sign(change), "sign of the last change")
    };
    Ok(bars.iter().map(decision).collect())
}

/// On each bar the latest value of the observation `signal` that is known when the bar is available, cut to [-1, 1]; flat
/// before the first. None where there is no such observation about these bars' instrument.
pub(crate) fn signal(bars: &[Bar], observations: &[Observation]) -> Result<Option<Vec<Decision>>, Error> {
    let symbol = bars.first().map(|b| b.symbol.as_str());
    let about = |o: &&Observation| Some(o.symbol.as_str()) == symbol && o.name.eq_ignore_ascii_case(SIGNAL);
    let timeline = Timeline::new(observations.iter().filter(about).cloned().collect())?;
    if timeline.is_empty() {
        return Ok(None);
    }
    let latest = |known: AsOf<'_, Observation>| known.latest().map_or(0.0, |o| o.value.clamp(-1.0, 1.0));
    let decision = |bar: &Bar| decide(bar, latest(timeline.as_of(bar.available_at)), "the source's own signal");
    Ok(Some(bars.iter().map(decision).collect()))
}

fn sign(change: f64) -> f64 {
    if change > 0.0 {
        1.0
    } else if change < 0.0 {
        -1.0
    } else {
        0.0
    }
}

fn decide(bar: &Bar, position: f64, why: &str) -> Decision {
    Decision {
        symbol: bar.symbol.clone(),
        bar_at: bar.event_at,
        decided_at: bar.available_at,
        position,
        sentiment: None,
        technical: None,
        news_ids: Vec::new(),
        confidence: None,
        fact_ids: Vec::new(),
        rationale: why.to_owned(),
    }
}
