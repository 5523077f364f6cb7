use crate::analysis::is_vietnamese;
use crate::lengths::third;
use crate::sample::{Occurrence, SampleText};
use crate::vocabulary::Vocabulary;
use crate::{Config, Error, Mark, Profile};
use artifacts::Seed;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use stats::distribution::{cramers_v, jensen_shannon_distance, quantile};
use std::collections::BTreeMap;

/// What tells the two sides apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// Training against held-out rows.
    Split,
    /// Rows that people wrote against rows that a model wrote.
    Origin,
    /// One source against another.
    Source,
    /// English against Vietnamese.
    Language,
}

impl Dimension {
    /// The name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Origin => "origin",
            Self::Source => "source",
            Self::Language => "language",
        }
    }
}

/// One figure on both sides and how far apart they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Which figure.
    pub figure: String,
    /// Its value on the first side.
    pub a: Option<f64>,
    /// Its value on the second side.
    pub b: Option<f64>,
    /// Whether the values are shares.
    pub share: bool,
    /// How the distance is measured.
    pub measure: Measure,
    /// The distance, from 0 (equal) to 1.
    pub distance: f64,
    /// What 95 % of random divisions of the same texts stay below.
    pub chance: f64,
}

/// A distance between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Jensen–Shannon distance of two distributions: the root of the divergence in bits.
    JensenShannon,
    /// Cramér's V of side and property.
    CramersV,
}

impl Measure {
    /// The name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::JensenShannon => "Jensen–Shannon",
            Self::CramersV => "Cramér's V",
        }
    }
}

/// One side of the data against another, figure by figure. Each text counts once a side, however many copies it has.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What tells the sides apart.
    pub dimension: Dimension,
    /// The language of both, or `all`.
    pub subject: String,
    /// The first side.
    pub a: String,
    /// The second side.
    pub b: String,
    /// Texts looked at on either side.
    pub texts: (u64, u64),
    /// Figure by figure.
    pub differences: Vec<Difference>,
}

/// Sources that are compared with the largest one.
const SOURCES: usize = 4;
/// The 95th percentile of χ² with one degree of freedom: what √(χ²/n) is compared with.
const CHI_SQUARED_95: f64 = 3.841;

struct Side<'a> {
    name: String,
    vietnamese: bool,
    texts: Vec<Member<'a>>,
}

struct Member<'a> {
    text: &'a SampleText,
    words: &'a [u32],
    tokens: Option<u32>,
    label: Option<usize>,
}

/// All comparisons that the data allow. `tokens` are those of each subject's texts, where they were counted.
pub(crate) fn all(
    profile: &Profile,
    vocabulary: &Vocabulary,
    tokens: &[Vec<u32>],
    config: &Config,
    seed: Seed,
) -> Result<Vec<Comparison>, Error> {
    let side = |name: String, subject: usize, of: &dyn Fn(&Occurrence) -> bool| -> Side<'_> {
        let texts = profile.subjects.get(subject).map_or(&[][..], |s| &s.sample);
        let members = texts.iter().enumerate().filter(|(_, t)| t.occurrences.iter().any(of));
        let texts = members
            .take(config.compare_texts)
            .map(|(at, text)| Member {
                text,
                words: vocabulary.of(subject, at),
                tokens: tokens.get(subject).and_then(|t| t.get(at)).copied(),
                label: text.label_where(of),
            })
            .collect();
        let vietnamese = profile.subjects.get(subject).is_some_and(is_vietnamese);
        Side { name, vietnamese, texts }
    };
    let mut pairs: Vec<(Dimension, String, Side<'_>, Side<'_>)> = Vec::new();
    for (place, subject) in profile.subjects.iter().enumerate() {
        let split_name = |i: usize| profile.splits.get(i).cloned().unwrap_or_default();
        if let Some((reference, others)) = subject.groups.split_first() {
            for other in others {
                let a = side(split_name(reference.split), place, &|o| o.split == reference.split);
                let b = side(split_name(other.split), place, &|o| o.split == other.split);
                pairs.push((Dimension::Split, subject.name().into(), a, b));
            }
        }
        if subject.groups.iter().any(|g| g.synthetic > 0) {
            let a = side("real".into(), place, &|o| !o.synthetic);
            let b = side("synthetic".into(), place, &|o| o.synthetic);
            pairs.push((Dimension::Origin, subject.name().into(), a, b));
        }
        for (first, other) in source_pairs(subject) {
            let name = |i: usize| profile.sources.get(i).cloned().unwrap_or_default();
            let a = side(name(first), place, &|o| o.source == Some(first));
            let b = side(name(other), place, &|o| o.source == Some(other));
            pairs.push((Dimension::Source, subject.name().into(), a, b));
        }
    }
    let stated: Vec<usize> = (0..profile.subjects.len())
        .filter(|i| profile.subjects.get(*i).is_some_and(|s| s.language.is_some()))
        .collect();
    if let [a, b] = stated.as_slice() {
        let of = |i: usize| side(profile.subjects.get(i).map_or("", |s| s.name()).into(), i, &|_| true);
        pairs.push((Dimension::Language, "all".into(), of(*a), of(*b)));
    }
    let compare = |(dimension, subject, a, b): (Dimension, String, Side<'_>, Side<'_>)| {
        let seed = seed.derive(&format!("{}/{subject}/{}/{}", dimension.name(), a.name, b.name));
        let differences = differences(&a, &b, &profile.labels, vocabulary.len(), config, seed)?;
        let texts = (a.texts.len() as u64, b.texts.len() as u64);
        Ok(Comparison { dimension, subject, a: a.name, b: b.name, texts, differences })
    };
    pairs.into_iter().filter(|(_, _, a, b)| !a.texts.is_empty() && !b.texts.is_empty()).map(compare).collect()
}

/// The largest source with each of the next.
fn source_pairs(subject: &crate::Subject) -> Vec<(usize, usize)> {
    let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
    for (source, labels) in subject.groups.iter().flat_map(|g| &g.sources) {
        *rows.entry(*source).or_default() += labels.iter().sum::<u64>();
    }
    let mut ranked: Vec<(usize, u64)> = rows.into_iter().collect();
    ranked.sort_by_key(|(source, rows)| (std::cmp::Reverse(*rows), *source));
    let mut sources = ranked.into_iter().map(|(source, _)| source).take(SOURCES);
    let Some(first) = sources.next() else { return Vec::new() };
    // Two sources of one split each are those splits under another name.
    let only_split = |source: usize| {
        let mut splits = subject.groups.iter().filter(|g| g.sources.contains_key(&source)).map(|g| g.split);
        splits.next().filter(|_| splits.next().is_none())
    };
    let apart = |other: &usize| match (only_split(first), only_split(*other)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    sources.filter(apart).map(|other| (first, other)).collect()
}

/// A length of a text.
type Length<'l> = &'l dyn Fn(&Member<'_>) -> u32;

fn differences(
    a: &Side<'_>,
    b: &Side<'_>,
    labels: &[String],
    vocabulary: usize,
    config: &Config,
    seed: Seed,
) -> Result<Vec<Difference>, Error> {
    let mut found = Vec::new();
    let members = || a.texts.iter().chain(&b.texts);
    let first = a.texts.len();
    let mut spread = |figure: &str, values: (Option<f64>, Option<f64>), categories: usize, of: Vec<Vec<u32>>| {
        let (distance, chance) = against_chance(&of, categories, first, config.chance_draws, seed.derive(figure))?;
        let (a, b) = values;
        let measure = Measure::JensenShannon;
        found.push(Difference { figure: figure.to_owned(), a, b, share: false, measure, distance, chance });
        Ok::<(), Error>(())
    };
    let by_label = |m: &Member<'_>| m.label.map(|l| l as u32).into_iter().collect::<Vec<u32>>();
    if members().any(|m| m.label.is_some()) {
        spread("labels", (None, None), labels.len() + 1, members().map(by_label).collect())?;
    }
    let mean = |side: &Side<'_>, of: &dyn Fn(&Member<'_>) -> u32| {
        Some(side.texts.iter().map(|m| f64::from(of(m))).sum::<f64>() / side.texts.len().max(1) as f64)
    };
    let tokens: Length<'_> = &|m| m.tokens.unwrap_or(0);
    let mut lengths: Vec<(&str, Length<'_>)> = vec![
        ("characters a text", &|m| m.text.characters),
        ("words a text", &|m| m.text.words),
        ("syllables a text", &|m| m.text.syllables),
    ];
    if members().any(|m| m.tokens.is_some()) {
        lengths.push(("tokens a text", tokens));
    }
    for (figure, of) in lengths {
        spread(figure, (mean(a, of), mean(b, of)), 100, members().map(|m| vec![third(of(m)).min(99)]).collect())?;
    }
    let different = |side: &Side<'_>| {
        let mut words: Vec<u32> = side.texts.iter().flat_map(|m| m.words.iter().copied()).collect();
        words.sort_unstable();
        words.dedup();
        Some(words.len() as f64)
    };
    spread(
        "words used",
        (different(a), different(b)),
        vocabulary.max(1),
        members().map(|m| m.words.to_vec()).collect(),
    )?;
    for (place, label) in labels.iter().enumerate() {
        if members().any(|m| m.label == Some(place)) {
            found.push(shares(&format!("label {label}"), a, b, &|m| m.label == Some(place))?);
        }
    }
    for mark in Mark::ALL {
        let concerned = mark.concerns(a.vietnamese) && mark.concerns(b.vietnamese);
        if concerned && members().any(|m| m.text.marks.has(mark)) {
            found.push(shares(mark.name(), a, b, &|m| m.text.marks.has(mark))?);
        }
    }
    found.push(shares("more than one row", a, b, &|m| m.text.rows() > 1)?);
    Ok(found)
}

fn shares(figure: &str, a: &Side<'_>, b: &Side<'_>, has: &dyn Fn(&Member<'_>) -> bool) -> Result<Difference, Error> {
    let count = |side: &Side<'_>| {
        let with = side.texts.iter().filter(|m| has(m)).count() as u64;
        (with, side.texts.len() as u64)
    };
    let ((x, n), (y, m)) = (count(a), count(b));
    let v = cramers_v(&[vec![x, n - x], vec![y, m - y]])
        .map_err(|source| Error::Statistic { figure: "Cramér's V of two sides", source })?;
    Ok(Difference {
        figure: figure.to_owned(),
        a: Some(x as f64 / n.max(1) as f64),
        b: Some(y as f64 / m.max(1) as f64),
        share: true,
        measure: Measure::CramersV,
        distance: v.unwrap_or(0.0),
        chance: (CHI_SQUARED_95 / (n + m).max(1) as f64).sqrt().min(1.0),
    })
}

/// The distance between the first `first` rows and the others, and the 95th percentile of that over random divisions.
fn against_chance(
    features: &[Vec<u32>],
    categories: usize,
    first: usize,
    draws: usize,
    seed: Seed,
) -> Result<(f64, f64), Error> {
    let order: Vec<usize> = (0..features.len()).collect();
    let distance = distance(features, categories, &order, first)?;
    let by_chance: Vec<f64> = (0..draws)
        .into_par_iter()
        .map(|draw| {
            let mut order = order.clone();
            order.shuffle(&mut seed.derive(&draw.to_string()).rng());
            self::distance(features, categories, &order, first)
        })
        .collect::<Result<_, _>>()?;
    Ok((distance, quantile(&by_chance, 0.95).unwrap_or(0.0)))
}

/// Sides without any category have nothing to compare and count as equal.
fn distance(features: &[Vec<u32>], categories: usize, order: &[usize], first: usize) -> Result<f64, Error> {
    let mut counts = [vec![0.0; categories], vec![0.0; categories]];
    for (place, &row) in order.iter().enumerate() {
        let Some(side) = counts.get_mut(usize::from(place >= first)) else { continue };
        for &category in features.get(row).into_iter().flatten() {
            if let Some(count) = side.get_mut(category as usize) {
                *count += 1.0;
            }
        }
    }
    let [p, q] = &counts;
    if [p, q].iter().any(|side| side.iter().sum::<f64>() <= 0.0) {
        return Ok(0.0);
    }
    jensen_shannon_distance(p, q).map_err(|source| Error::Statistic { figure: "distance of two sides", source })
}
