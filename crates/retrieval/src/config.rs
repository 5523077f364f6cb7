use crate::Error;
use serde::{Deserialize, Serialize};

/// How cases are ranked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetrievalConfig {
    /// BM25: how soon more of the same word stops to count.
    pub k1: f64,
    /// BM25: how much long cases are held back, from 0 (not at all) to 1.
    pub b: f64,
    /// Reciprocal-rank fusion: a case at rank r (from 1) of a ranking gets weight / (rrf_k + r).
    pub rrf_k: f64,
    /// Weight of the ranking by embeddings.
    pub dense_weight: f64,
    /// Weight of the ranking by BM25.
    pub lexical_weight: f64,
    /// How many of each ranking take part in the fusion.
    pub depth: usize,
    /// The fused score halves with each so many seconds of age. The scores of neighbours in rank differ by about
    /// 1 / rrf_k, so a short half-life soon outweighs similarity.
    pub half_life_seconds: Option<f64>,
    /// Older cases are not found, though they still count in the statistics of BM25.
    pub max_age_seconds: Option<f64>,
}

impl Default for RetrievalConfig {
    fn default() -> Self {
        Self {
            k1: 1.2,
            b: 0.75,
            rrf_k: 60.0,
            dense_weight: 1.0,
            lexical_weight: 1.0,
            depth: 100,
            half_life_seconds: None,
            max_age_seconds: None,
        }
    }
}

impl RetrievalConfig {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let finite = |v: f64, low: f64| v.is_finite() && v >= low;
        let positive = |v: Option<f64>| v.is_none_or(|v| v.is_finite() && v > 0.0);
        let bad = |field, value: String, wanted| Err(Error::BadConfig { field, value, wanted });
        for (field, value) in [
            ("k1", self.k1),
            ("rrf_k", self.rrf_k),
            ("dense_weight", self.dense_weight),
            ("lexical_weight", self.lexical_weight),
        ] {
            if !finite(value, 0.0) {
                return bad(field, value.to_string(), "a number of at least 0");
            }
        }
        if !(0.0..=1.0).contains(&self.b) {
            return bad("b", self.b.to_string(), "from 0 to 1");
        }
        if self.dense_weight + self.lexical_weight <= 0.0 {
            return bad("dense_weight", self.dense_weight.to_string(), "above 0 where lexical_weight is 0");
        }
        if self.depth == 0 {
            return bad("depth", "0".into(), "at least 1");
        }
        for (field, value) in [("half_life_seconds", self.half_life_seconds), ("max_age_seconds", self.max_age_seconds)]
        {
            if !positive(value) {
                return bad(field, format!("{value:?}"), "a number above 0, or left out");
            }
        }
        Ok(())
    }

    /// What is left of a score after so many seconds.
    pub(crate) fn decay(&self, age_seconds: f64) -> f64 {
        self.half_life_seconds.map_or(1.0, |half| (-age_seconds / half).exp2())
    }
}
