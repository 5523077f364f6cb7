//! Similar past cases, as of a moment: dense vectors, BM25, and their fusion.
//!
//! A [`Library`] ranks the cases that were known at `t` twice, by the cosine of their embeddings with the query's and by
//! BM25, and fuses both rankings by reciprocal rank. Nothing that became known after `t` has a part in it: the
//! statistics of BM25 (how many cases, how long, how many with a word) are those of the cases known at `t`, and an
//! outcome is shown only from the moment it was known. A [`Memory`] does the same for what an agent writes down
//! itself, in bounded size.
//!
//! Embeddings come from an [`Embedder`]: [`BertEmbedder`] runs a model of the sentence-transformers kind,
//! [`HashedEmbedder`] needs no model.
//!
//! ```
//! use artifacts::Timestamp;
//! use retrieval::{Case, HashedEmbedder, Library, RetrievalConfig};
//! use std::sync::Arc;
//!
//! let day = |d: i64| Timestamp::from_seconds(d * 86_400);
//! let case = |id: &str, d: i64, text: &str, outcome: f64| Case {
//!     id: id.into(),
//!     event_at: day(d),
//!     available_at: day(d),
//!     text: text.into(),
//!     outcome: Some(outcome),
//!     outcome_known_at: Some(day(d + 2)),
//! };
//! let cases = vec![
//!     case("a", 1, "exchange hacked, withdrawals halted", -0.08),
//!     case("b", 2, "spot fund approved by the regulator", 0.05),
//!     case("c", 9, "another exchange hacked", -0.11),
//! ];
//! let library = Library::new(cases, Arc::new(HashedEmbedder::default()), &RetrievalConfig::default())?;
//! let found = library.similar_as_of("a large exchange was hacked", day(3), 1)?;
//! assert_eq!((found[0].case.id.as_str(), found[0].outcome), ("a", Some(-0.08)));
//! // One day earlier its outcome was not known yet.
//! assert_eq!(library.similar_as_of("a large exchange was hacked", day(2), 1)?[0].outcome, None);
//! # Ok::<(), retrieval::Error>(())
//! ```

mod bert;
mod case;
#[cfg(feature = "tantivy")]
mod compressed;
mod config;
mod dense;
mod embedder;
mod error;
mod fusion;
mod hashed;
mod lexical;
mod library;
mod memory;
#[cfg(feature = "hnsw")]
mod segments;

pub use bert::BertEmbedder;
pub use case::{Case, Found, Past};
#[cfg(feature = "tantivy")]
pub use compressed::TantivyBm25;
pub use config::RetrievalConfig;
pub use embedder::Embedder;
pub use error::Error;
pub use hashed::HashedEmbedder;
pub use lexical::{Bm25, Bm25Weights};
pub use library::Library;
pub use memory::Memory;
#[cfg(feature = "hnsw")]
pub use segments::{HnswConfig, HnswSegments};
