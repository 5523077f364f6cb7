//! Matrices behind candle tensors, as products read them.

use crate::product::{Blocks, Floats, Halves, Int8, Matrix, Nf4};
use crate::quantised::{BLOCK, Quantisation};
use crate::weight::Weight;
use crate::{Error, Result};
use candle_core::{CpuStorage, Storage, StorageRef, Tensor};
use half::slice::HalfFloatSliceExt;
use std::ops::Range;

/// A weight or activation on the CPU, held for reading.
pub(crate) enum Held<'a> {
    /// Rows `stride` apart within a range of the storage.
    Dense { storage: StorageRef<'a>, range: Range<usize>, columns: usize, stride: usize },
    /// The ranges are those of the codes and of the scales.
    Quantised {
        codes: StorageRef<'a>,
        scales: StorageRef<'a>,
        code_range: Range<usize>,
        scale_range: Range<usize>,
        blocks: usize,
        kind: Quantisation,
    },
}

impl<'a> Held<'a> {
    /// A matrix of f32 or bf16 on the CPU whose rows are contiguous.
    pub(crate) fn tensor(tensor: &'a Tensor) -> Result<Self> {
        let (_, columns) = tensor.dims2()?;
        let (storage, range, stride) = hold(tensor)?;
        Ok(Self::Dense { storage, range, columns, stride })
    }

    /// A weight on the CPU: quantised, or as for [`Held::tensor`].
    pub(crate) fn weight(weight: &'a Weight) -> Result<Self> {
        match weight {
            Weight::Dense(tensor) => Self::tensor(tensor),
            Weight::Quantised(quantised) => {
                let (codes, code_range, _) = hold(quantised.codes())?;
                let (scales, scale_range, blocks) = hold(quantised.scales())?;
                Ok(Self::Quantised { codes, scales, code_range, scale_range, blocks, kind: quantised.kind() })
            }
        }
    }

    /// What a product reads.
    pub(crate) fn matrix(&self) -> Matrix<'_> {
        match self {
            Self::Dense { storage, range, columns, stride } => {
                let (columns, stride) = (*columns, *stride);
                if let Storage::Cpu(CpuStorage::BF16(values)) = &**storage {
                    let values = values.get(range.clone()).unwrap_or_default().reinterpret_cast();
                    Matrix::Halves(Halves { values, columns, stride })
                } else {
                    Matrix::Floats(Floats { values: floats(storage, range), columns, stride })
                }
            }
            Self::Quantised { codes, scales, code_range, scale_range, blocks, kind } => {
                let codes = match &**codes {
                    Storage::Cpu(CpuStorage::U8(codes)) => codes.get(code_range.clone()).unwrap_or_default(),
                    _ => &[],
                };
                let (scales, blocks) = (floats(scales, scale_range), *blocks);
                let blocks = Blocks { codes, scales, per_row: blocks, shared: *kind == Quantisation::Int8Rows };
                match kind {
                    Quantisation::Int8 | Quantisation::Int8Rows => Matrix::Int8(Int8(blocks)),
                    Quantisation::Nf4 => Matrix::Nf4(Nf4(blocks)),
                }
            }
        }
    }

    /// The values of an f32 matrix, beginning with its first row, and the distance between rows.
    pub(crate) fn floats(&self) -> (&[f32], usize) {
        match self.matrix() {
            Matrix::Floats(Floats { values, stride, .. }) => (values, stride),
            _ => (&[], 0),
        }
    }
}

fn floats<'a>(storage: &'a Storage, range: &Range<usize>) -> &'a [f32] {
    match storage {
        Storage::Cpu(CpuStorage::F32(values)) => values.get(range.clone()).unwrap_or_default(),
        _ => &[],
    }
}

/// The storage of a matrix, the part of it from the first element to the last, and the distance between rows.
fn hold(tensor: &Tensor) -> Result<(StorageRef<'_>, Range<usize>, usize)> {
    let (rows, columns) = tensor.dims2()?;
    let (storage, layout) = tensor.storage_and_layout();
    let refuse = |found: String| Err(Error::NotFloats { found }.into());
    let stored = match &*storage {
        Storage::Cpu(CpuStorage::F32(values)) => values.len(),
        Storage::Cpu(CpuStorage::BF16(values)) => values.len(),
        Storage::Cpu(CpuStorage::U8(values)) => values.len(),
        _ => return refuse("another dtype or device".into()),
    };
    let start = layout.start_offset();
    if rows == 0 || columns == 0 {
        return Ok((storage, start..start, columns));
    }
    // The stride of an axis of one element means nothing.
    let stride = match layout.stride() {
        [stride, 1] => *stride,
        [stride, _] if columns == 1 => *stride,
        strides => return refuse(format!("strides {strides:?} for shape {:?}", layout.dims())),
    };
    let stride = if rows == 1 { columns } else { stride };
    let end = start + (rows - 1) * stride + columns;
    if end > stored || stride < columns {
        return refuse(format!("strides {:?} for shape {:?}", layout.stride(), layout.dims()));
    }
    Ok((storage, start..end, stride))
}

/// Whether the rows of a matrix are contiguous, whatever lies between them.
fn rows_are_contiguous(tensor: &Tensor) -> bool {
    match (tensor.dims(), tensor.stride()) {
        ([rows, columns], [stride, step]) => (*step == 1 || *columns == 1) && (*rows <= 1 || stride >= columns),
        _ => false,
    }
}

/// The tensor itself where products can read it as it lies, else a contiguous copy.
pub(crate) fn readable(tensor: &Tensor) -> Result<Tensor> {
    if rows_are_contiguous(tensor) { Ok(tensor.clone()) } else { tensor.contiguous() }
}

// The blocks of a row follow each other without a gap: the stride of the scales is their number.
const _: () = assert!(BLOCK.is_multiple_of(super::product::GROUP));
