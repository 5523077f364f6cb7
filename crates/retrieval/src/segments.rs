use crate::dense::dot;
use instant_distance::{Builder, Hnsw, PointId, Search};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// How hard to look for neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HnswConfig {
    /// Cases to a graph.
    pub segment: usize,
    /// Neighbours looked at while a graph is built.
    pub ef_construction: usize,
    /// Neighbours looked at in each graph while searching: more finds more of the true neighbours, and takes longer.
    pub ef_search: usize,
    /// Chooses the layers of a graph.
    pub seed: u64,
}

impl Default for HnswConfig {
    fn default() -> Self {
        Self { segment: 16_384, ef_construction: 40, ef_search: 24, seed: 42 }
    }
}

/// Approximate nearest neighbours among vectors in the order in which they became known.
///
/// One graph over everything (HNSW; Malkov and Yashunin, 2016) would leak: which edges a case keeps depends on cases
/// that came later, so what a search at `t` can reach does too. So each run of `segment` cases has a graph of its own. A
/// search as of `t` uses the graphs whose cases were all known and compares with each case after the last of them;
/// what it finds is the same bytes whatever comes later. A graph is built by one thread, from the seed: equal vectors
/// give equal graphs.
pub struct HnswSegments {
    segment: usize,
    graphs: Vec<Graph>,
    /// All vectors, also those in no graph yet.
    vectors: Vec<Vector>,
}

impl std::fmt::Debug for HnswSegments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HnswSegments")
            .field("segment", &self.segment)
            .field("graphs", &self.graphs.len())
            .finish_non_exhaustive()
    }
}

struct Graph {
    nodes: Hnsw<Vector>,
    /// The case behind each node.
    cases: HashMap<PointId, usize>,
}

#[derive(Clone)]
struct Vector(Arc<[f32]>);

impl instant_distance::Point for Vector {
    fn distance(&self, other: &Self) -> f32 {
        1.0 - dot(&self.0, &other.0)
    }
}

impl HnswSegments {
    /// Builds the graphs, one a core at a time. `vectors` have length 1 and are in the order in which they became known.
    pub fn build(vectors: &[&[f32]], config: &HnswConfig) -> Self {
        let segment = config.segment.max(1);
        let vectors: Vec<Vector> = vectors.iter().map(|v| Vector(Arc::from(*v))).collect();
        let full = vectors.len() - vectors.len() % segment;
        let graphs =
            vectors[..full].par_chunks(segment).enumerate().map(|(i, chunk)| Graph::build(i * segment, chunk, config));
        Self { segment, graphs: graphs.collect(), vectors }
    }

    /// About the `k` nearest of the first `known` vectors, nearest first, equal ones by position.
    pub fn nearest(&self, query: &[f32], known: usize, k: usize) -> Vec<usize> {
        let known = known.min(self.vectors.len());
        let sealed = known / self.segment;
        let query = Vector(Arc::from(query));
        let mut search = Search::default();
        let mut found: Vec<(f32, usize)> = Vec::new();
        for graph in self.graphs.iter().take(sealed) {
            let nodes = graph.nodes.search(&query, &mut search).take(k);
            found.extend(nodes.filter_map(|n| Some((n.distance, *graph.cases.get(&n.pid)?))));
        }
        let rest = sealed * self.segment;
        found.extend((rest..known).map(|i| (1.0 - dot(&self.vectors[i].0, &query.0), i)));
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.truncate(k);
        found.into_iter().map(|(_, i)| i).collect()
    }
}

impl Graph {
    fn build(first: usize, vectors: &[Vector], config: &HnswConfig) -> Self {
        let builder = Builder::default()
            .ef_construction(config.ef_construction.max(1))
            .ef_search(config.ef_search.max(1))
            .seed(config.seed.wrapping_add(first as u64));
        let build = || builder.build_hnsw(vectors.to_vec());
        // In a pool of several threads the order of insertion, and with it the graph, would vary.
        let (nodes, ids) = match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
            Ok(one_thread) => one_thread.install(build),
            // A system that gives no thread gives no other one either: everything runs on this one.
            Err(_) => build(),
        };
        let cases = ids.into_iter().enumerate().map(|(i, id)| (id, first + i)).collect();
        Self { nodes, cases }
    }
}
