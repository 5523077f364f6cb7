use crate::RetrievalConfig;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The first `depth` by score, highest first, equal ones by id; those at or below 0 have nothing in common with the query.
pub(crate) fn ranked<'a>(
    scores: impl Iterator<Item = (usize, f64)>,
    depth: usize,
    id: impl Fn(usize) -> &'a str,
) -> Vec<usize> {
    let mut scored: Vec<(usize, f64)> = scores.filter(|(_, score)| *score > 0.0).collect();
    let order = |a: &(usize, f64), b: &(usize, f64)| by_score_then_id(a.1, b.1, id(a.0), id(b.0));
    if scored.len() > depth {
        scored.select_nth_unstable_by(depth, order);
        scored.truncate(depth);
    }
    scored.sort_unstable_by(order);
    scored.into_iter().map(|(i, _)| i).collect()
}

/// Reciprocal-rank fusion (Cormack, Clarke and Büttcher, 2009) of two rankings, decayed by age: the first `k`.
pub(crate) fn fuse<'a>(
    config: &RetrievalConfig,
    rankings: [(f64, &[usize]); 2],
    k: usize,
    age_seconds: impl Fn(usize) -> f64,
    id: impl Fn(usize) -> &'a str,
) -> Vec<(usize, f64)> {
    let mut scores: BTreeMap<usize, f64> = BTreeMap::new();
    for (weight, ranking) in rankings.into_iter().filter(|(weight, _)| *weight > 0.0) {
        for (at, i) in ranking.iter().enumerate() {
            *scores.entry(*i).or_default() += weight / (config.rrf_k + 1.0 + at as f64);
        }
    }
    let mut fused: Vec<(usize, f64)> =
        scores.into_iter().map(|(i, score)| (i, score * config.decay(age_seconds(i)))).collect();
    fused.sort_unstable_by(|a, b| by_score_then_id(a.1, b.1, id(a.0), id(b.0)));
    fused.truncate(k);
    fused
}

fn by_score_then_id(a: f64, b: f64, a_id: &str, b_id: &str) -> Ordering {
    b.total_cmp(&a).then_with(|| a_id.cmp(b_id))
}
