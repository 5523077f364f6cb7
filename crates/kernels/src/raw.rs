//! Plain `&[f32]` out of candle tensors.

use crate::{Error, Result};
use candle_core::{CpuStorage, DType, Device, Layout, Shape, Storage, StorageRef, Tensor};
use std::ops::{Deref, Range};

/// Whether the fused path applies: everything f32 and on the CPU.
pub(crate) fn fusable(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|t| t.dtype() == DType::F32 && t.device().is_cpu())
}

/// Read access to the elements of a contiguous f32 CPU tensor.
pub(crate) struct Floats<'a> {
    storage: StorageRef<'a>,
    range: Range<usize>,
}

impl Deref for Floats<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            // The range was checked against the storage when this was made.
            Storage::Cpu(CpuStorage::F32(values)) => values.get(self.range.clone()).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The elements of `tensor`, which must be contiguous f32 on the CPU.
pub(crate) fn floats(tensor: &Tensor) -> Result<Floats<'_>> {
    let (storage, layout) = tensor.storage_and_layout();
    let range = match &*storage {
        Storage::Cpu(cpu) => range_in(cpu, layout)?,
        _ => return Err(Error::NotFloats { found: "a tensor on another device".into() }.into()),
    };
    Ok(Floats { storage, range })
}

/// The whole storage behind `tensor`, f32 on the CPU, to be read through its layout.
pub(crate) fn storage_of(tensor: &Tensor) -> Result<Floats<'_>> {
    let (storage, _) = tensor.storage_and_layout();
    let range = match &*storage {
        Storage::Cpu(CpuStorage::F32(values)) => 0..values.len(),
        _ => return Err(Error::NotFloats { found: "another dtype or device".into() }.into()),
    };
    Ok(Floats { storage, range })
}

/// As [`floats`], for the arguments of a custom op.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let range = range_in(storage, layout)?;
    match storage {
        CpuStorage::F32(values) => Ok(values.get(range).unwrap_or_default()),
        _ => Ok(&[]),
    }
}

fn range_in(storage: &CpuStorage, layout: &Layout) -> Result<Range<usize>> {
    match storage {
        CpuStorage::F32(values) => range_of(values.len(), layout),
        _ => Err(Error::NotFloats { found: "another dtype".into() }.into()),
    }
}

/// Where the elements of a contiguous layout stand among the `stored` ones.
pub(crate) fn range_of(stored: usize, layout: &Layout) -> Result<Range<usize>> {
    match layout.contiguous_offsets() {
        Some((start, end)) if end <= stored => Ok(start..end),
        _ => {
            let found = format!("strides {:?} for shape {:?}", layout.stride(), layout.dims());
            Err(Error::NotFloats { found }.into())
        }
    }
}

/// A CPU tensor of `values`.
pub(crate) fn tensor(values: Vec<f32>, shape: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// What a custom op's forward returns.
pub(crate) fn output(values: Vec<f32>, shape: &[usize]) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), Shape::from(shape))
}

/// Rows and columns of a tensor seen as a matrix: all leading axes are rows.
pub(crate) fn matrix(shape: &[usize]) -> (usize, usize) {
    let columns = shape.last().copied().unwrap_or(1);
    (shape.iter().rev().skip(1).product(), columns)
}

/// A shape with its last axis replaced.
pub(crate) fn with_last(shape: &[usize], last: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(columns) = shape.last_mut() {
        *columns = last;
    }
    shape
}
