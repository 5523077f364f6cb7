use crate::quantised::{Quantisation, Quantised};
use crate::{Error, Result, raw};
use candle_core::{DType, Device, Tensor};

/// A frozen weight matrix `[out, in]`, in one of the forms the products read it from: dense, or quantised to 8 or 4 bits.
/// bf16, int8 and nf4 are widened while a product packs them, so a smaller form costs memory bandwidth and nothing else.
#[derive(Debug, Clone)]
pub enum Weight {
    /// A matrix of any float dtype; bf16 and f32 on the CPU take the fused path.
    Dense(Tensor),
    /// Codes and a scale for each block.
    Quantised(Quantised),
}

impl From<Tensor> for Weight {
    fn from(matrix: Tensor) -> Self {
        Self::Dense(matrix)
    }
}

impl Weight {
    /// Outputs and inputs.
    pub fn dims(&self) -> (usize, usize) {
        match self {
            Self::Dense(matrix) => raw::matrix(matrix.dims()),
            Self::Quantised(quantised) => quantised.dims(),
        }
    }

    /// The dtype of a dense weight; F32, what it stands for, for a quantised one.
    pub fn dtype(&self) -> DType {
        match self {
            Self::Dense(matrix) => matrix.dtype(),
            Self::Quantised(_) => DType::F32,
        }
    }

    /// Where the weight is.
    pub fn device(&self) -> Device {
        match self {
            Self::Dense(matrix) => matrix.device().clone(),
            Self::Quantised(quantised) => quantised.device(),
        }
    }

    /// Bytes the weight takes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Dense(matrix) => matrix.elem_count() * matrix.dtype().size_in_bytes(),
            Self::Quantised(quantised) => quantised.bytes(),
        }
    }

    /// `len` outputs from `start` on: a view, nothing is copied.
    ///
    /// # Errors
    /// Rows outside the weight.
    pub fn rows(&self, start: usize, len: usize) -> Result<Self> {
        Ok(match self {
            Self::Dense(matrix) => Self::Dense(matrix.narrow(0, start, len)?),
            Self::Quantised(quantised) => Self::Quantised(quantised.narrow(start, len)?),
        })
    }

    /// Rows by number, as an embedding is read: see [`crate::gather_rows`].
    ///
    /// # Shapes
    /// `ids` N numbers below `out` → `[N, in]`.
    ///
    /// # Errors
    /// A number past the last row.
    pub fn gather(&self, ids: &[u32]) -> Result<Tensor> {
        match self {
            Self::Dense(matrix) => crate::gather_rows(matrix, ids),
            Self::Quantised(quantised) => quantised.gather(ids)?.to_dense(),
        }
    }

    /// One weight with the outputs of all `parts`, one after another, so that a single product computes them all.
    ///
    /// # Errors
    /// No parts; parts of different widths, dtypes or kinds.
    pub fn stack(parts: &[Self]) -> Result<Self> {
        let mut dense = Vec::new();
        let mut quantised = Vec::new();
        for part in parts {
            match part {
                Self::Dense(matrix) => dense.push(matrix),
                Self::Quantised(part) => quantised.push(part),
            }
        }
        match (dense.as_slice(), quantised.as_slice()) {
            ([_, ..], []) => Ok(Self::Dense(Tensor::cat(&dense, 0)?)),
            ([], [_, ..]) => Ok(Self::Quantised(Quantised::stack(&quantised)?)),
            (dense, quantised) => Err(Error::Stack { dense: dense.len(), quantised: quantised.len() }.into()),
        }
    }

    /// The weight in the given quantised form.
    ///
    /// # Errors
    /// A dense weight that is no matrix of floats.
    pub fn quantise(&self, kind: Quantisation) -> Result<Self> {
        match self {
            Self::Quantised(quantised) if quantised.kind() == kind => Ok(self.clone()),
            Self::Quantised(quantised) => Ok(Self::Quantised(Quantised::new(&quantised.to_dense()?, kind)?)),
            Self::Dense(matrix) => Ok(Self::Quantised(Quantised::new(matrix, kind)?)),
        }
    }

    /// The matrix the weight stands for, without a copy where it is stored so.
    pub fn to_dense(&self, dtype: DType) -> Result<Tensor> {
        match self {
            Self::Dense(matrix) => matrix.to_dtype(dtype),
            Self::Quantised(quantised) => quantised.to_dense()?.to_dtype(dtype),
        }
    }
}
