use crate::case::Sealed;
use crate::dense::{dot, likeness};
use crate::embedder::unit_vectors;
use crate::fusion::{fuse, ranked};
use crate::lexical::{count_words, words_of};
use crate::{Bm25Weights, Case, Embedder, Error, Found, RetrievalConfig};
use artifacts::Timestamp;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// What an agent wrote down itself, recalled by similarity and recency, in bounded size.
///
/// **What is forgotten:** when there are more than `capacity` cases, the one that became known first goes (among equal
/// times, the one remembered first). Under a decay that is the same for all cases this is always the weakest one.
///
/// Because room is made as time goes on, a memory can be asked in order of time only: asking as of a moment before the
/// latest case it holds is an error, not a guess.
///
/// ```
/// use artifacts::Timestamp;
/// use retrieval::{Case, HashedEmbedder, Memory, RetrievalConfig};
/// use std::sync::Arc;
/// let at = Timestamp::from_seconds;
/// let mut memory = Memory::new(2, Arc::new(HashedEmbedder::default()), &RetrievalConfig::default())?;
/// for (i, text) in ["bought the dip, wrong", "sold on bad news, right", "held through a quiet day"].iter().enumerate() {
///     let (t, id) = (at(60 * i as i64), format!("m{i}"));
///     memory.remember(Case { id, event_at: t, available_at: t, text: (*text).into(), outcome: None, outcome_known_at: None })?;
/// }
/// assert_eq!(memory.len(), 2);
/// memory.learn("m1", 0.01, at(180))?;
/// let found = memory.recall("bad news again", at(200), 1)?;
/// assert_eq!((found[0].case.id.as_str(), found[0].outcome), ("m1", Some(0.01)));
/// # Ok::<(), retrieval::Error>(())
/// ```
pub struct Memory {
    embedder: Arc<dyn Embedder>,
    config: RetrievalConfig,
    capacity: usize,
    /// Oldest first.
    entries: VecDeque<Entry>,
    /// How many entries hold a word.
    with_word: HashMap<String, usize>,
    words: u64,
    latest: Option<Timestamp>,
}

struct Entry {
    case: Sealed,
    counts: BTreeMap<String, u32>,
    length: u32,
    vector: Vec<f32>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory")
            .field("cases", &self.entries.len())
            .field("capacity", &self.capacity)
            .field("latest", &self.latest)
            .finish_non_exhaustive()
    }
}

impl Memory {
    /// An empty memory for at most `capacity` cases.
    ///
    /// # Errors
    /// `capacity` is 0, or a setting is out of range.
    pub fn new(capacity: usize, embedder: Arc<dyn Embedder>, config: &RetrievalConfig) -> Result<Self, Error> {
        config.check()?;
        if capacity == 0 {
            return Err(Error::BadConfig { field: "capacity", value: "0".into(), wanted: "at least 1" });
        }
        Ok(Self {
            embedder,
            config: config.clone(),
            capacity,
            entries: VecDeque::new(),
            with_word: HashMap::new(),
            words: 0,
            latest: None,
        })
    }

    /// The memory that [`Memory::cases`] was taken from: what a checkpoint holds.
    pub fn restore(
        cases: Vec<Case>,
        capacity: usize,
        embedder: Arc<dyn Embedder>,
        config: &RetrievalConfig,
    ) -> Result<Self, Error> {
        let mut memory = Self::new(capacity, embedder, config)?;
        for case in cases {
            memory.remember(case)?;
        }
        Ok(memory)
    }

    /// Everything remembered now, oldest first, outcomes included: for a checkpoint, not for a prompt.
    pub fn cases(&self) -> Vec<Case> {
        self.entries.iter().map(|e| e.case.to_case()).collect()
    }

    /// How many cases are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a case. Returns the id of the one forgotten for it, if there was no room.
    ///
    /// # Errors
    /// A case of this id is there; the case contradicts itself; the embedder fails.
    pub fn remember(&mut self, case: Case) -> Result<Option<String>, Error> {
        let case = Sealed::new(case)?;
        if self.entries.iter().any(|e| e.case.past.id == case.past.id) {
            return Err(Error::DuplicateId { id: case.past.id });
        }
        let vector = unit_vectors(self.embedder.as_ref(), &[&case.past.text])?.pop().unwrap_or_default();
        let (counts, length) = count_words(&case.past.text);
        for word in counts.keys() {
            *self.with_word.entry(word.clone()).or_insert(0) += 1;
        }
        self.words += u64::from(length);
        let at = case.past.available_at;
        self.latest = self.latest.max(Some(at));
        let place = self.entries.partition_point(|e| e.case.past.available_at <= at);
        self.entries.insert(place, Entry { case, counts, length, vector });
        Ok(if self.entries.len() > self.capacity { self.forget_oldest() } else { None })
    }

    fn forget_oldest(&mut self) -> Option<String> {
        let gone = self.entries.pop_front()?;
        for word in gone.counts.keys() {
            if let Some(count) = self.with_word.get_mut(word) {
                *count -= 1;
                if *count == 0 {
                    self.with_word.remove(word);
                }
            }
        }
        self.words -= u64::from(gone.length);
        Some(gone.case.past.id)
    }

    /// Notes what came of a remembered case, and from when on that was known.
    ///
    /// # Errors
    /// No such case is remembered; the outcome is no number or known before the case.
    pub fn learn(&mut self, id: &str, outcome: f64, known_at: Timestamp) -> Result<(), Error> {
        let entry = self.entries.iter_mut().find(|e| e.case.past.id == id);
        let entry = entry.ok_or_else(|| Error::NotRemembered { id: id.to_owned() })?;
        let bad = |message: String| Err(Error::BadCase { id: id.to_owned(), message });
        if !outcome.is_finite() {
            return bad(format!("its outcome is {outcome}; leave it out"));
        }
        if known_at < entry.case.past.available_at {
            return bad(format!("its outcome is known at {known_at}, before the case itself"));
        }
        entry.case.learn(outcome, known_at);
        Ok(())
    }

    /// The `k` remembered cases that resemble the query most, best first, equal ones by id.
    ///
    /// # Errors
    /// `t` is before what the memory already holds; the embedder fails.
    pub fn recall(&self, query: &str, t: Timestamp, k: usize) -> Result<Vec<Found<'_>>, Error> {
        let Some(latest) = self.latest else { return Ok(Vec::new()) };
        if t < latest {
            return Err(Error::MemoryIsAhead { t, latest });
        }
        let queries = unit_vectors(self.embedder.as_ref(), &[query])?;
        let Some(vector) = queries.first() else { return Ok(Vec::new()) };
        let entries: Vec<&Entry> = self.entries.iter().collect();
        let id = |i: usize| entries[i].case.past.id.as_str();
        let age = |i: usize| t.seconds_since(entries[i].case.past.available_at);
        let allowed = |i: &usize| self.config.max_age_seconds.is_none_or(|most| age(*i) <= most);
        let query_words = words_of(query);
        let cosine = |i: usize| dot(&entries[i].vector, vector);
        let lexical: Vec<f64> = entries.iter().map(|e| self.lexical(&query_words, e)).collect();

        let depth = self.config.depth.max(k);
        let recent = || (0..entries.len()).filter(allowed);
        let by_meaning = ranked(recent().map(|i| (i, likeness(cosine(i)))), depth, id);
        let by_words = ranked(recent().map(|i| (i, lexical[i])), depth, id);
        let rankings = [(self.config.dense_weight, &*by_meaning), (self.config.lexical_weight, &*by_words)];
        let found = fuse(&self.config, rankings, k, age, id).into_iter().map(|(i, score)| Found {
            case: &entries[i].case.past,
            score,
            cosine: cosine(i),
            lexical: lexical[i],
            outcome: entries[i].case.outcome_as_of(t),
        });
        Ok(found.collect())
    }

    fn lexical(&self, query: &[String], entry: &Entry) -> f64 {
        let weights = Bm25Weights { k1: self.config.k1, b: self.config.b };
        let mean = self.words as f64 / self.entries.len() as f64;
        let word = |word: &String| {
            let count = entry.counts.get(word)?;
            let with = self.with_word.get(word).copied().unwrap_or(0);
            Some(weights.word(Bm25Weights::idf(self.entries.len(), with), *count, entry.length, mean))
        };
        query.iter().filter_map(word).fold(0.0, |sum, score| sum + score)
    }
}
