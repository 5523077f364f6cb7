use crate::Quantisation;

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
    /// A query that is out of order or belongs to no row.
    #[error(
        "attention: query {place} is token {query}, expected one from {next} to below {tokens}, in ascending order"
    )]
    Query {
        /// Position in the list of queries.
        place: usize,
        /// The packed token it names.
        query: usize,
        /// The smallest that may stand there.
        next: usize,
        /// Packed tokens.
        tokens: usize,
    },
    /// A position beyond the tables of angles.
    #[error("rope: token {token} has position {position}, but the tables end at {positions}")]
    Position {
        /// The token.
        token: usize,
        /// Its position.
        position: u32,
        /// Rows of the tables.
        positions: usize,
    },
    /// Weights to be stacked are of different forms, or there are none.
    #[error("cannot stack {dense} dense and {quantised} quantised weights: give at least one, all of one form")]
    Stack {
        /// Dense parts.
        dense: usize,
        /// Quantised parts.
        quantised: usize,
    },
    /// Quantised weights to be stacked differ.
    #[error("cannot stack {first:?} of {first_inputs} inputs and {other:?} of {other_inputs} inputs")]
    StackKinds {
        /// Kind of the first part.
        first: Quantisation,
        /// Its inputs.
        first_inputs: usize,
        /// Kind of the part that differs.
        other: Quantisation,
        /// Its inputs.
        other_inputs: usize,
    },
    /// A branch adds to outputs that the layer does not have.
    #[error("{op}: a branch adds to the outputs {start}..{end} of {outputs}")]
    Columns {
        /// The op.
        op: &'static str,
        /// First output.
        start: usize,
        /// One past the last.
        end: usize,
        /// Outputs of the layer.
        outputs: usize,
    },
    /// An argument that these inputs need was not given.
    #[error("{op}: {what} is needed with branches")]
    Missing {
        /// The op.
        op: &'static str,
        /// What is missing.
        what: &'static str,
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
