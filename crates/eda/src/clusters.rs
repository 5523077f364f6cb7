use crate::profiler::line;
use crate::vocabulary::without_links;
use crate::{Config, Subject};
use artifacts::Seed;
use rand::Rng;
use std::borrow::Cow;
use text::{TfIdf, TfIdfConfig, is_stop_word};

/// Rounds of moving the centres; they rarely take so many.
const ROUNDS: usize = 20;
/// Words and texts shown of a cluster.
const SHOWN: usize = 3;
const WORDS: usize = 6;

/// Texts about the same thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Texts in it.
    pub texts: u64,
    /// Texts of each label, by its index.
    pub labels: Vec<u64>,
    /// The words that weigh most at its centre.
    pub words: Vec<String>,
    /// The texts nearest to its centre.
    pub examples: Vec<String>,
}

/// Spherical k-means (Dhillon and Modha, Machine Learning 42, 2001) of TF-IDF rows of words, started as k-means++. The largest
/// cluster first.
pub(crate) fn clusters(subject: &Subject, config: &Config, seed: Seed) -> Vec<Cluster> {
    let texts: Vec<_> = subject.sample.iter().take(config.cluster_texts).collect();
    let settings =
        TfIdfConfig { words: (1, 1), characters: (0, 0), min_documents: 5, max_features: 4000, sublinear: true };
    let plain: Vec<Cow<'_, str>> = texts.iter().map(|t| without_links(t)).collect();
    let (tfidf, rows) = TfIdf::fit_transform(plain.iter().map(AsRef::as_ref), &settings);
    let useful: Vec<bool> = (0..tfidf.features() as u32)
        .map(|f| tfidf.name(f))
        .map(|name| name.chars().nth(1).is_some() && name.chars().any(char::is_alphabetic) && !is_stop_word(name))
        .collect();
    let rows: Vec<(usize, Vec<(u32, f32)>)> = rows
        .into_iter()
        .enumerate()
        .map(|(at, mut row)| {
            row.retain(|(f, _)| useful.get(*f as usize).copied().unwrap_or(false));
            (at, normalised(row))
        })
        .filter(|(_, row)| !row.is_empty())
        .collect();
    if config.clusters < 2 || rows.len() < 10 * config.clusters {
        return Vec::new();
    }
    let mut centres = start(&rows, config.clusters, tfidf.features(), seed);
    let mut nearest: Vec<usize> = vec![usize::MAX; rows.len()];
    for _ in 0..ROUNDS {
        let mut moved = false;
        for ((_, row), place) in rows.iter().zip(&mut nearest) {
            let best = best(&centres, row).0;
            moved |= *place != best;
            *place = best;
        }
        if !moved {
            break;
        }
        for (k, centre) in centres.iter_mut().enumerate() {
            centre.fill(0.0);
            for ((_, row), _) in rows.iter().zip(&nearest).filter(|(_, place)| **place == k) {
                for (feature, value) in row {
                    if let Some(cell) = centre.get_mut(*feature as usize) {
                        *cell += value;
                    }
                }
            }
            let length = centre.iter().map(|v| v * v).sum::<f32>().sqrt();
            if length > 0.0 {
                for value in centre.iter_mut() {
                    *value /= length;
                }
            }
        }
    }
    let mut found: Vec<Cluster> = Vec::new();
    for (k, centre) in centres.iter().enumerate() {
        let mut labels = Vec::new();
        let mut members: Vec<(f32, usize)> = Vec::new();
        for ((at, row), _) in rows.iter().zip(&nearest).filter(|(_, place)| **place == k) {
            members.push((dot(centre, row), *at));
            if let Some(label) = texts.get(*at).and_then(|t| t.label_where(|_| true)) {
                crate::group::bump(&mut labels, label);
            }
        }
        members.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut weights: Vec<(f32, u32)> = centre.iter().copied().zip(0..).filter(|(w, _)| *w > 0.0).collect();
        weights.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let examples = members.iter().take(SHOWN).filter_map(|(_, at)| texts.get(*at));
        found.push(Cluster {
            texts: members.len() as u64,
            labels,
            words: weights.iter().take(WORDS).map(|(_, f)| tfidf.name(*f).to_owned()).collect(),
            examples: examples.map(|t| line(t.row, &t.text)).collect(),
        });
    }
    found.retain(|c| c.texts > 0);
    found.sort_by_key(|c| std::cmp::Reverse(c.texts));
    found
}

/// Each next centre is a row drawn by its squared distance from those there are.
fn start(rows: &[(usize, Vec<(u32, f32)>)], k: usize, features: usize, seed: Seed) -> Vec<Vec<f32>> {
    let mut rng = seed.rng();
    let dense = |row: &[(u32, f32)]| {
        let mut centre = vec![0.0; features];
        for (feature, value) in row {
            if let Some(cell) = centre.get_mut(*feature as usize) {
                *cell = *value;
            }
        }
        centre
    };
    let first = rng.random_range(0..rows.len());
    let mut centres: Vec<Vec<f32>> = rows.get(first).map(|(_, row)| dense(row)).into_iter().collect();
    while centres.len() < k {
        let distances: Vec<f64> =
            rows.iter().map(|(_, row)| f64::from(1.0 - best(&centres, row).1).max(0.0).powi(2)).collect();
        let mut left = rng.random::<f64>() * distances.iter().sum::<f64>();
        let drawn = distances.iter().position(|d| {
            left -= d;
            left <= 0.0
        });
        let Some((_, row)) = rows.get(drawn.unwrap_or(rows.len() - 1)) else { break };
        centres.push(dense(row));
    }
    centres
}

/// The nearest centre and its cosine.
fn best(centres: &[Vec<f32>], row: &[(u32, f32)]) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (k, centre) in centres.iter().enumerate() {
        let cosine = dot(centre, row);
        if cosine > best.1 {
            best = (k, cosine);
        }
    }
    best
}

fn dot(centre: &[f32], row: &[(u32, f32)]) -> f32 {
    row.iter().map(|(feature, value)| centre.get(*feature as usize).copied().unwrap_or(0.0) * value).sum()
}

fn normalised(mut row: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
    let length = row.iter().map(|(_, v)| v * v).sum::<f32>().sqrt();
    for (_, value) in &mut row {
        *value /= length.max(f32::MIN_POSITIVE);
    }
    row
}
