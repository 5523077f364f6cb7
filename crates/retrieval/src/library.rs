use crate::case::Sealed;
use crate::dense::{Vectors, likeness};
use crate::embedder::unit_vectors;
use crate::fusion::{fuse, ranked};
use crate::{Bm25, Bm25Weights, Case, Embedder, Error, Found, Past, RetrievalConfig};
use artifacts::{Timeline, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Past cases, searched as of a moment: what became known later has no part in the result.
pub struct Library {
    cases: Timeline<Sealed>,
    vectors: Vectors,
    lexical: Words,
    embedder: Arc<dyn Embedder>,
    /// Cases of which the embedder read the beginning only.
    cut: usize,
    config: RetrievalConfig,
    #[cfg(feature = "hnsw")]
    approximate: Option<crate::HnswSegments>,
}

/// The index of words.
enum Words {
    Plain(Bm25),
    #[cfg(feature = "tantivy")]
    Compressed(crate::TantivyBm25),
}

impl Words {
    #[cfg_attr(not(feature = "tantivy"), expect(clippy::unnecessary_wraps, reason = "the compressed index can fail"))]
    fn scores(&self, query: &str, known: usize) -> Result<Vec<f64>, Error> {
        match self {
            Self::Plain(index) => Ok(index.scores(query, known)),
            #[cfg(feature = "tantivy")]
            Self::Compressed(index) => index.scores(query, known),
        }
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library")
            .field("cases", &self.cases.len())
            .field("embedder", &self.embedder.name())
            .field("cut", &self.cut)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Library {
    /// Embeds and indexes the cases, in any order.
    ///
    /// # Errors
    /// Two cases with one id; an outcome without the time from which it was known, or known before its case; a case
    /// available before it happened; a setting out of range; the embedder fails.
    pub fn new(cases: Vec<Case>, embedder: Arc<dyn Embedder>, config: &RetrievalConfig) -> Result<Self, Error> {
        config.check()?;
        let mut ids = BTreeSet::new();
        for case in &cases {
            if !ids.insert(case.id.as_str()) {
                return Err(Error::DuplicateId { id: case.id.clone() });
            }
        }
        let mut sealed = cases.into_iter().map(Sealed::new).collect::<Result<Vec<_>, _>>()?;
        // `Timeline` keeps the order of equal times: by id, the order of the input does not matter.
        sealed.sort_by(|a, b| a.past.id.cmp(&b.past.id));
        let cases = Timeline::new(sealed)?;
        let all = cases.as_of(Timestamp::from_micros(i64::MAX));

        let mut lexical = Bm25::new(Bm25Weights { k1: config.k1, b: config.b });
        let mut distinct: BTreeMap<&str, usize> = BTreeMap::new();
        for case in all.rows() {
            lexical.push(&case.past.text);
            distinct.insert(&case.past.text, 0);
        }
        let texts: Vec<&str> = distinct.keys().copied().collect();
        for (i, place) in distinct.values_mut().enumerate() {
            *place = i;
        }
        let embedded = unit_vectors(embedder.as_ref(), &texts)?;
        let is_cut = texts.iter().map(|text| embedder.cuts(text)).collect::<Result<Vec<_>, _>>()?;
        let mut vectors = Vectors::new(embedder.dimensions());
        let mut cut = 0;
        for case in all.rows() {
            let Some(&place) = distinct.get(case.past.text.as_str()) else { continue };
            vectors.push(&embedded[place]);
            cut += usize::from(is_cut[place]);
        }
        Ok(Self {
            cases,
            vectors,
            lexical: Words::Plain(lexical),
            embedder,
            cut,
            config: config.clone(),
            #[cfg(feature = "hnsw")]
            approximate: None,
        })
    }

    /// Finds neighbours through graphs instead of comparing the query with every case: for corpora of a hundred thousand
    /// and more. Still a function of what was known at `t` alone: see [`HnswSegments`](crate::HnswSegments).
    #[cfg(feature = "hnsw")]
    #[must_use]
    pub fn approximate(mut self, config: &crate::HnswConfig) -> Self {
        let vectors: Vec<&[f32]> = (0..self.cases.len()).map(|i| self.vectors.get(i)).collect();
        self.approximate = Some(crate::HnswSegments::build(&vectors, config));
        self
    }

    /// Keeps the index of words compressed (see [`TantivyBm25`](crate::TantivyBm25)): less memory, the same results.
    ///
    /// # Errors
    /// tantivy fails.
    #[cfg(feature = "tantivy")]
    pub fn compressed(mut self) -> Result<Self, Error> {
        let weights = Bm25Weights { k1: self.config.k1, b: self.config.b };
        let all = self.cases.as_of(Timestamp::from_micros(i64::MAX));
        let texts = all.rows().iter().map(|case| case.past.text.as_str());
        self.lexical = Words::Compressed(crate::TantivyBm25::build(texts, weights)?);
        Ok(self)
    }

    /// How many cases there are in all, known or not.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there are no cases at all.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// How many cases are longer than the embedder's window: their vectors stand for their beginnings only. BM25 reads
    /// them to the end.
    pub fn cut(&self) -> usize {
        self.cut
    }

    /// The name of the embedder.
    pub fn embedder(&self) -> &str {
        self.embedder.name()
    }

    /// The `k` cases known at `t` that resemble the query most, best first, equal ones by id.
    ///
    /// Cases that share neither meaning (a cosine above 0) nor a word with the query are not found.
    pub fn similar_as_of(&self, query: &str, t: Timestamp, k: usize) -> Result<Vec<Found<'_>>, Error> {
        self.similar_where(query, t, k, |_, _| true)
    }

    /// As [`Library::similar_as_of`], among the cases for which `keep` says yes. It sees the case and its outcome if that
    /// was known at `t`: `|_, outcome| outcome.is_some()` leaves out what has not come to an end.
    pub fn similar_where(
        &self,
        query: &str,
        t: Timestamp,
        k: usize,
        keep: impl Fn(&Past, Option<f64>) -> bool,
    ) -> Result<Vec<Found<'_>>, Error> {
        let known = self.cases.as_of(t).rows();
        if known.is_empty() || k == 0 {
            return Ok(Vec::new());
        }
        let queries = unit_vectors(self.embedder.as_ref(), &[query])?;
        let Some(vector) = queries.first() else { return Ok(Vec::new()) };
        let id = |i: usize| known[i].past.id.as_str();
        let age = |i: usize| t.seconds_since(known[i].past.available_at);
        let allowed = |i: usize| {
            self.config.max_age_seconds.is_none_or(|most| age(i) <= most)
                && keep(&known[i].past, known[i].outcome_as_of(t))
        };
        let depth = self.config.depth.max(k);
        let dense = self.nearest(vector, known.len(), depth, &allowed, id);
        let words = self.lexical.scores(query, known.len())?;
        let shared = words.iter().copied().enumerate().filter(|(i, score)| *score > 0.0 && allowed(*i));
        let lexical = ranked(shared, depth, id);

        let rankings = [(self.config.dense_weight, &*dense), (self.config.lexical_weight, &*lexical)];
        let found = fuse(&self.config, rankings, k, age, id).into_iter().map(|(i, score)| Found {
            case: &known[i].past,
            score,
            cosine: self.vectors.cosine(i, vector),
            lexical: words[i],
            outcome: known[i].outcome_as_of(t),
        });
        Ok(found.collect())
    }

    fn nearest<'a>(
        &self,
        query: &[f32],
        known: usize,
        depth: usize,
        allowed: &impl Fn(usize) -> bool,
        id: impl Fn(usize) -> &'a str,
    ) -> Vec<usize> {
        let cosine = |i: usize| (i, likeness(self.vectors.cosine(i, query)));
        #[cfg(feature = "hnsw")]
        if let Some(index) = &self.approximate {
            // Filtered afterwards, so fetched in excess; where that was not enough, all are compared.
            let fetched = index.nearest(query, known, depth.saturating_mul(4));
            let kept: Vec<usize> = fetched.into_iter().filter(|i| allowed(*i)).collect();
            if kept.len() >= depth {
                return ranked(kept.into_iter().map(cosine), depth, id);
            }
        }
        ranked((0..known).filter(|i| allowed(*i)).map(cosine), depth, id)
    }
}
