//! What anyone could have done without the strategy.

use artifacts::rows::{Bar, Decision};
use artifacts::{Error, Timeline};

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
        let position = if change > 0.0 {
            1.0
        } else if change < 0.0 {
            -1.0
        } else {
            0.0
        };
        decide(bar, position, "sign of the last change")
    };
    Ok(bars.iter().map(decision).collect())
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
