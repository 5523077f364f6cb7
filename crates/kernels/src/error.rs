/// What an op refuses. Arrives wrapped in [`candle_core::Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input's shape does not fit the op.
    #[error("{op}: {what} has shape {found:?}, expected {expected}")]
    Shape {
        /// The op.
        op: &'static str,
        /// Which input.
        what: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// What fits.
        expected: String,
    },
    /// A target class outside the logits' columns.
    #[error("cross_entropy_sum: target {target} of row {row} is not below the vocabulary size {classes}")]
    Target {
        /// Row of the logits.
        row: usize,
        /// The class asked for.
        target: u32,
        /// Columns of the logits.
        classes: usize,
    },
    /// A row asked for that the table does not have.
    #[error("gather_rows: id {id} at place {place} is not below the table's {rows} rows")]
    RowId {
        /// Position in the list of ids.
        place: usize,
        /// The id.
        id: u32,
        /// Rows of the table.
        rows: usize,
    },
    /// A row of the batch claims more queries than there are.
    #[error("attention: row {row} has length {length}, but there are only {queries} queries")]
    Length {
        /// Row of the batch.
        row: usize,
        /// Its claimed length.
        length: usize,
        /// Queries in the padded batch.
        queries: usize,
    },
    /// An internal buffer was not what the fused path needs; use the reference instead.
    #[error("fused kernels need contiguous f32 tensors on the CPU, got {found}")]
    NotFloats {
        /// What it was.
        found: String,
    },
}

impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        Self::wrap(error)
    }
}
