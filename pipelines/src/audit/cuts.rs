use super::Market;
use anyhow::bail;
use artifacts::{Seed, Timestamp};
use rand::Rng;
use rand::seq::SliceRandom;

/// Fewer bars than this cannot be cut in a way that tells anything.
const FEWEST_BARS: usize = 10;

/// `n` moments between a tenth and nineteen twentieths of the market's time, by its clock: half of them exactly when something could be
/// known, half of them between two such moments.
pub(super) fn choose(market: &Market, n: usize, seed: Seed) -> anyhow::Result<Vec<Timestamp>> {
    if n == 0 {
        bail!("--cuts 0: nothing would be proved; give 1 or more");
    }
    if market.bars.len() < FEWEST_BARS {
        bail!("the market has {} bars; an audit needs at least {FEWEST_BARS}", market.bars.len());
    }
    // Something must be left of the bars at the earliest cut.
    let first = market.bars.iter().map(|b| b.available_at).min().unwrap_or_default();
    let clock: Vec<_> = market.clock().into_iter().filter(|t| *t >= first).collect();
    let (from, to) = (clock.len() / 10, clock.len() * 19 / 20);
    let mut places: Vec<usize> = (from..to.max(from + 1)).collect();
    let mut rng = seed.derive("audit/cuts").rng();
    places.shuffle(&mut rng);
    let mut times: Vec<Timestamp> = places
        .into_iter()
        .take(n)
        .filter_map(|i| {
            let (t, next) = (*clock.get(i)?, clock.get(i + 1));
            let between = next.map(|next| Timestamp::from_micros(t.micros() + (next.micros() - t.micros()) / 2));
            Some(if rng.random_bool(0.5) { t } else { between.unwrap_or(t) })
        })
        .collect();
    times.sort_unstable();
    times.dedup();
    Ok(times)
}
