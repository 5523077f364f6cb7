//! What is made for one instrument, made for each of a portfolio.

use crate::Error;
use artifacts::Seed;
use artifacts::rows::{Bar, Decision};

/// Decisions on the bars of one instrument; none where there is nothing to go by.
pub(crate) type Maker<'a> = dyn Fn(&[Bar]) -> Result<Option<Vec<Decision>>, Error> + 'a;

/// The decisions that `make` takes on the bars of each instrument, each with an equal share of the account; none where it
/// takes none at all.
pub(crate) fn decisions(bars: &[Bar], make: &Maker<'_>) -> Result<Option<Vec<Decision>>, Error> {
    let instruments: Vec<&[Bar]> = bars.chunk_by(|a, b| a.symbol == b.symbol).collect();
    let mut all = Vec::new();
    let mut any = false;
    for bars in &instruments {
        let Some(made) = make(bars)? else { continue };
        any = true;
        let share = |d: Decision| Decision { position: d.position / instruments.len() as f64, ..d };
        all.extend(made.into_iter().map(share));
    }
    Ok(any.then_some(all))
}

/// Copies of the targets, those of each instrument changed by `change` with a seed of its own name (or the run's, where all
/// must move alike), as many as there are of every instrument.
pub(crate) fn copies(
    decisions: &[Decision],
    seed: impl Fn(&str) -> Seed,
    change: impl Fn(&[f64], Seed) -> Vec<Vec<f64>>,
) -> Vec<Vec<f64>> {
    let mut all: Option<Vec<Vec<f64>>> = None;
    for own in decisions.chunk_by(|a, b| a.symbol == b.symbol) {
        let targets: Vec<f64> = own.iter().map(|d| d.position).collect();
        let changed = change(&targets, seed(own.first().map_or("", |d| d.symbol.as_str())));
        all = Some(match all {
            None => changed,
            Some(before) => before
                .into_iter()
                .zip(changed)
                .map(|(mut a, b)| {
                    a.extend(b);
                    a
                })
                .collect(),
        });
    }
    all.unwrap_or_default()
}
