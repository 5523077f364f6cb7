use crate::group::class;
use crate::{Config, Error};
use artifacts::Seed;
use artifacts::rows::Example;
use rand::seq::SliceRandom;
use serde::Serialize;
use stats::distribution::{jensen_shannon_distance, quantile};
use std::collections::BTreeMap;
use text::words;

/// In which respect two splits are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// Shares of the three classes.
    Labels,
    /// Lengths in words, by steps of about a third (1, 2, 3, 4, 6, 8, 11 …).
    Lengths,
    /// How often each word occurs.
    Words,
}

impl Aspect {
    /// All aspects.
    pub const ALL: [Self; 3] = [Self::Labels, Self::Lengths, Self::Words];

    /// The name in tables and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Lengths => "lengths",
            Self::Words => "words",
        }
    }
}

/// How far a split is from the reference, in one respect.
///
/// A distance alone says little: two random halves of one data set differ too, the more categories the more. So
/// `chance` is what random splits of the same rows into the same sizes give.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// In which respect.
    pub aspect: Aspect,
    /// The reference.
    pub reference: String,
    /// The split compared with it.
    pub split: String,
    /// Jensen–Shannon distance (the root of the divergence in bits): 0 equal, 1 nothing in common.
    pub distance: f64,
    /// The 95th percentile of that distance over random splits.
    pub chance: f64,
    /// Rows of the split.
    pub rows: u64,
}

impl Shift {
    /// Whether the distance is more than chance gives.
    pub fn is_real(&self) -> bool {
        self.distance > self.chance
    }
}

/// Compares two sets of rows of one language in every respect.
pub(crate) fn shifts(
    (reference, a): (&str, &[&Example]),
    (split, b): (&str, &[&Example]),
    config: &Config,
    seed: Seed,
) -> Result<Vec<Shift>, Error> {
    if a.is_empty() || b.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<&Example> = a.iter().chain(b).copied().collect();
    Aspect::ALL
        .into_iter()
        .map(|aspect| {
            let (categories, features) = features(aspect, &all);
            let mut order: Vec<usize> = (0..all.len()).collect();
            let distance = distance(&features, categories, &order, a.len())?;
            let mut rng = seed.derive(aspect.name()).rng();
            let mut by_chance = Vec::with_capacity(config.chance_draws);
            for _ in 0..config.chance_draws {
                order.shuffle(&mut rng);
                by_chance.push(self::distance(&features, categories, &order, a.len())?);
            }
            let chance = quantile(&by_chance, 0.95).unwrap_or(0.0);
            let (reference, split) = (reference.to_owned(), split.to_owned());
            Ok(Shift { aspect, reference, split, distance, chance, rows: b.len() as u64 })
        })
        .collect()
}

/// The categories that each row counts in, and how many there are.
fn features(aspect: Aspect, rows: &[&Example]) -> (usize, Vec<Vec<usize>>) {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut number = |word: String| {
        let next = numbers.len();
        *numbers.entry(word).or_insert(next)
    };
    let features = rows
        .iter()
        .map(|row| match aspect {
            Aspect::Labels => vec![class(row.label)],
            Aspect::Lengths => {
                let length = words(&row.text).count().max(1) as f64;
                vec![(length.ln() / (4.0_f64 / 3.0).ln()).round() as usize]
            }
            Aspect::Words => words(&row.text).map(&mut number).collect(),
        })
        .collect::<Vec<Vec<usize>>>();
    let categories = features.iter().flatten().max().map_or(1, |last| last + 1);
    (categories, features)
}

/// The distance between the first `first` rows of an order and the others. Texts without any word have nothing to
/// compare and count as equal.
fn distance(features: &[Vec<usize>], categories: usize, order: &[usize], first: usize) -> Result<f64, Error> {
    let mut counts = [vec![0.0; categories], vec![0.0; categories]];
    for (place, &row) in order.iter().enumerate() {
        let Some(side) = counts.get_mut(usize::from(place >= first)) else { continue };
        for &category in features.get(row).into_iter().flatten() {
            if let Some(count) = side.get_mut(category) {
                *count += 1.0;
            }
        }
    }
    let [p, q] = &counts;
    if [p, q].iter().any(|side| side.iter().sum::<f64>() <= 0.0) {
        return Ok(0.0);
    }
    jensen_shannon_distance(p, q).map_err(|source| Error::Statistic { figure: "distance of splits", source })
}
