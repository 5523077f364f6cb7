use crate::{Error, Result};
use std::ops::Range;

/// Rows of tokens laid one after another without padding, as attention sees them.
///
/// A token sees its own row up to itself, and all of the `shared` keys that stand before the rows' own keys: a prompt
/// that every row begins with, or what a cache holds.
///
/// ```
/// use kernels::PackedRows;
/// let rows = PackedRows::new(vec![3, 2]).after(10);
/// assert_eq!((rows.tokens(), rows.shared(), rows.queries()), (5, 10, 5));
/// // Only the last token of each row asks.
/// assert_eq!(rows.only(vec![2, 4]).queries(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedRows {
    lengths: Vec<usize>,
    shared: usize,
    only: Option<Vec<usize>>,
}

impl PackedRows {
    /// Rows of these lengths, all of whose tokens ask, with nothing before them.
    pub fn new(lengths: Vec<usize>) -> Self {
        Self { lengths, shared: 0, only: None }
    }

    /// The same rows after `shared` keys that each of them sees.
    #[must_use]
    pub fn after(self, shared: usize) -> Self {
        Self { shared, ..self }
    }

    /// The same rows, of which only these tokens ask: ascending indices into the packed tokens.
    #[must_use]
    pub fn only(self, queries: Vec<usize>) -> Self {
        Self { only: Some(queries), ..self }
    }

    /// Tokens of all rows together; the shared keys are not among them.
    pub fn tokens(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// Keys that every row sees.
    pub fn shared(&self) -> usize {
        self.shared
    }

    /// Tokens that ask.
    pub fn queries(&self) -> usize {
        self.only.as_ref().map_or_else(|| self.tokens(), Vec::len)
    }

    /// Length of each row.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The packed token behind each query.
    pub(crate) fn query_tokens(&self) -> Vec<usize> {
        self.only.clone().unwrap_or_else(|| (0..self.tokens()).collect())
    }

    /// Each row's tokens, and its queries as a range of the list of queries.
    pub(crate) fn spans(&self) -> Vec<(Range<usize>, Range<usize>)> {
        let queries = self.query_tokens();
        let (mut token, mut query) = (0, 0);
        let span = |&length: &usize| {
            let tokens = token..token + length;
            let own = queries[query..].iter().take_while(|&&q| q < tokens.end).count();
            let range = query..query + own;
            (token, query) = (tokens.end, range.end);
            (tokens, range)
        };
        self.lengths.iter().map(span).collect()
    }

    /// Refuses queries that are out of order or outside the rows.
    pub(crate) fn check(&self) -> Result<()> {
        let (Some(queries), tokens) = (&self.only, self.tokens()) else { return Ok(()) };
        let mut next = 0;
        for (place, &query) in queries.iter().enumerate() {
            if query < next || query >= tokens {
                return Err(Error::Query { place, query, next, tokens }.into());
            }
            next = query + 1;
        }
        Ok(())
    }
}
