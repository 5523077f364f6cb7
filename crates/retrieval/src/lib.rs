//! Similar past cases, as of a moment: dense vectors, BM25, and their fusion.
